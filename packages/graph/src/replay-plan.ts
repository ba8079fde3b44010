import { GraphError } from './graph-error.js';
import type { Operation, OutputRef } from './operation.js';
import type { PlannedRun } from './optimize/planned-run.js';

/** One op to run: where its inputs lie, where its outputs go, and what is not needed any more afterwards. */
export interface PlanStep {
  readonly op: Operation;
  readonly inputs: readonly number[];
  /** The slot of its first output; the others follow. */
  readonly output: number;
  readonly release: readonly number[];
}

/** What a run does, worked out once for each set of fetches and feeds. */
export interface Plan {
  readonly steps: readonly PlanStep[];
  readonly slotCount: number;
  /** Where the fed values go, in the order of the request's feeds. */
  readonly feedSlots: readonly number[];
  readonly fetchSlots: readonly number[];
  /** Slots that hold values at the end: fetches, feeds and outputs that nothing used last. */
  readonly rest: readonly number[];
  /** Variables that a step of this plan assigns to; reads of others need no copy. */
  readonly assigned: ReadonlySet<Operation>;
}

/** Works out a run: where each value lies, and after which op it can be freed. */
export function makePlan({ ops, fetches }: PlannedRun, feeds: readonly OutputRef[]): Plan {
  const slots = new Map<OutputRef, number>();
  const slotOf = (ref: OutputRef): number => {
    const id = ref.op.symbolicId(ref.index);
    const slot = slots.get(id);
    if (slot === undefined) {
      throw new GraphError('InvalidGraph', `${ref.op.name}:${ref.index} is used before it is made`, {
        op: ref.op.name,
      });
    }
    return slot;
  };
  const feedSlots = feeds.map((ref, slot) => {
    slots.set(ref, slot);
    return slot;
  });
  let slotCount = feeds.length;
  const steps = ops.map((op) => {
    const inputs = op.inputs.map(slotOf);
    const output = slotCount;
    slotCount += op.outputInfos.length;
    // A fed output keeps the fed value, although its op runs for another output.
    op.outputInfos.forEach((_, index) => {
      const id = op.symbolicId(index);
      if (!slots.has(id)) slots.set(id, output + index);
    });
    return { op, inputs, output };
  });
  const fetchSlots = fetches.map(slotOf);
  const kept = new Set([...fetchSlots, ...feedSlots]);
  const lastUse = new Map<number, number>();
  steps.forEach((step, at) => {
    // An output that nothing uses is freed by the step that makes it.
    for (let i = 0; i < step.op.outputInfos.length; i++) lastUse.set(step.output + i, at);
    for (const slot of step.inputs) lastUse.set(slot, at);
  });
  const release: number[][] = steps.map(() => []);
  for (const [slot, at] of lastUse) if (!kept.has(slot)) release[at]!.push(slot);
  return {
    steps: steps.map((step, at) => ({ ...step, release: release[at]! })),
    slotCount,
    feedSlots,
    fetchSlots,
    rest: [...new Set(fetchSlots)].filter((slot) => slot >= feeds.length),
    assigned: new Set(ops.filter((op) => op.type.startsWith('Assign')).map((op) => op.inputs[0]!.op)),
  };
}
