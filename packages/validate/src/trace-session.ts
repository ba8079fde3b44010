import type { Feeds, Fetches, Operation, Session } from '@tfparity/graph';
import { GraphTensor, GraphVariable } from '@tfparity/graph';
import type { KernelNaming, TracedOutputs, TraceSide } from './trace-capture.js';

function operationsOf(fetches: unknown, session: Session): Operation[] {
  if (fetches instanceof GraphTensor) return [fetches.op];
  if (fetches instanceof GraphVariable) return operationsOf(fetches.snapshot, session);
  if (typeof fetches === 'string') {
    return [
      fetches.includes(':') ? session.graph.getTensorByName(fetches).op : session.graph.getOperationByName(fetches),
    ];
  }
  if (typeof fetches !== 'object' || fetches === null) return [];
  if ('controlInputs' in fetches) return [fetches as Operation];
  return Object.values(fetches).flatMap((item) => operationsOf(item, session));
}

/** The kernels that a run of these fetches needs, in the order of recording, which is that of replay. */
function neededKernels(fetches: Fetches, session: Session): Operation[] {
  const needed = new Set<Operation>();
  const open = operationsOf(fetches, session);
  for (let op = open.pop(); op !== undefined; op = open.pop()) {
    if (needed.has(op)) continue;
    needed.add(op);
    for (const input of op.inputs) open.push(input.op);
    open.push(...op.controlInputs);
  }
  return [...needed].filter(({ isKernel }) => isKernel).sort((a, b) => a.id - b.id);
}

/** Names of the inputs that are variables: by the name under which the kernel takes them. */
function variablesOf({ inputs, inputNames }: Operation): ReadonlyMap<string, string> {
  const read = inputs.flatMap(({ op }, i): [string, string][] =>
    op.type === 'ReadVariableOp' ? [[inputNames?.[i] ?? String(i), op.inputs[0]!.op.name]] : [],
  );
  return new Map(read);
}

/** Follows a replay call by call; calls that are not the graph's (copies of what is fetched) are left unnamed. */
class ReplayNaming implements KernelNaming {
  private at = 0;

  constructor(private readonly ops: readonly Operation[]) {}

  next(kernel: string): ReturnType<KernelNaming['next']> {
    const op = this.ops[this.at];
    if (op?.type !== kernel) return undefined;
    this.at++;
    return { name: op.name, variables: variablesOf(op) };
  }
}

/**
 * A TF1 graph as a side of a triage: what `session.run(fetches, feeds)` computes, op by op under the names of the graph.
 *
 * The session must be one of the `replay` engine, whose variables are initialised.
 */
export function traceSession(session: Session, fetches: Fetches, feeds: Feeds = [], name = 'graph'): TraceSide {
  // The type of what is fetched follows from the fetches' own, which here may be anything.
  const plain = session as unknown as { run(what: Fetches, given: Feeds): unknown };
  return {
    name,
    run: () => plain.run(fetches, feeds) as TracedOutputs,
    naming: () => new ReplayNaming(neededKernels(fetches, session)),
  };
}
