import { GraphError } from '../graph-error.js';
import type { Operation, OutputRef } from '../operation.js';

/** What a run computes: ops in an order in which every input comes before its use. */
export interface PlannedRun {
  readonly ops: readonly Operation[];
  readonly fetches: readonly OutputRef[];
  readonly targets: readonly Operation[];
  /** Outputs whose values are given: nothing behind them runs, and nobody may look through them. */
  readonly fed: ReadonlySet<OutputRef>;
}

/** The one object that stands for an output. */
export const symbol = (ref: OutputRef): OutputRef => ref.op.symbolicId(ref.index);

/** The ops that outputs and targets need, control dependencies included; in no order. */
function reachable(
  wanted: readonly OutputRef[],
  targets: readonly Operation[],
  fed: ReadonlySet<OutputRef>,
): Set<Operation> {
  const found = new Set<Operation>();
  const stack: Operation[] = [...targets];
  const follow = (ref: OutputRef) => {
    if (!fed.has(symbol(ref))) stack.push(ref.op);
  };
  for (const ref of wanted) follow(ref);
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (found.has(op)) continue;
    found.add(op);
    for (const ref of op.inputs) follow(ref);
    for (const control of op.controlInputs) stack.push(control);
  }
  return found;
}

/** The run of what was recorded, in the order of recording. */
export function recordedRun(
  fetches: readonly OutputRef[],
  targets: readonly Operation[],
  feeds: readonly OutputRef[],
): PlannedRun {
  const fed = new Set(feeds);
  const ops = [...reachable(fetches, targets, fed)].sort((a, b) => a.id - b.id);
  return { ops, fetches: fetches.map(symbol), targets, fed };
}

/** The same run without the ops that nothing needs any more. */
export function trimmed(run: PlannedRun): PlannedRun {
  const needed = reachable(run.fetches, run.targets, run.fed);
  const ops = run.ops.filter((op) => needed.has(op));
  if (ops.length !== needed.size) {
    const lost = [...needed].find((op) => !ops.includes(op));
    throw new GraphError('InvalidGraph', `the op '${lost?.name}' is needed, and was removed by an optimization`, {
      node: lost?.name,
    });
  }
  return { ...run, ops };
}
