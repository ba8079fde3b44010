import { compareTraining, type TrainingRecord } from '@tfparity/training';
import type { Step, StepContext, StepResult } from '../step.js';
import type { TrainedPair } from '../trained-sides.js';
import {
  distanceFrom,
  type GoldenDistance,
  type GoldenStep,
  goldenStep,
  type NamedArrays,
} from '../training-golden.js';
import { OPTIMIZERS, type TrainedNet, type UpdateRun } from '../training-sides.js';
import { GRADIENT_RTOL } from './training-gradients.js';
import { skippedOffTensorFlow, whoTrains } from './training-shared.js';

const id = '6-optimizer-updates';
const title = 'One update by SGD, Momentum, Adam and RMSProp: variables, slots, moving averages';

/** How many arrays of a kind there are, and how many of them both sides have to the last bit. */
interface Counts {
  readonly count: number;
  readonly identical: number;
}

/** One optimizer's update. */
interface OptimizerResult {
  readonly optimizer: string;
  readonly passed: boolean;
  readonly variables: Counts;
  readonly slots: Counts;
  /** What differs between the sides, by the array's root mean square. */
  readonly different: readonly { readonly name: string; readonly relative: number }[];
  /** Variables and moving averages after the step, against TensorFlow's. */
  readonly golden?: { readonly tensorflow: string; readonly tf1: GoldenDistance; readonly migrated: GoldenDistance };
}

/** What the step adds to a result. */
interface UpdatesResult extends StepResult {
  readonly optimizers: readonly OptimizerResult[];
}

/** A side's variables and moving averages against those recorded; variables without a gradient stay as they were. */
function distance(net: TrainedNet, { variables }: UpdateRun, golden: GoldenStep): GoldenDistance {
  const arrays: NamedArrays = { ...variables, ...net.run.averages };
  const still = new Set(golden.without_gradient);
  const recorded = Object.entries(golden.after_step).filter(([name]) => !still.has(name));
  return distanceFrom(Object.fromEntries(recorded), arrays);
}

async function compareOptimizer(optimizer: string, sides: TrainedPair, bits: boolean): Promise<OptimizerResult> {
  const { tf1, migrated, noise } = sides;
  const [a, b] = [tf1.update(optimizer), migrated.update(optimizer)];
  const side = (net: TrainedNet, { variables, slots }: UpdateRun) => ({
    step: (): TrainingRecord => ({ loss: net.run.totalLoss, gradients: {}, variables, slots }),
  });
  const { steps } = await compareTraining({ legacy: side(tf1, a), migrated: side(migrated, b), steps: 1 });
  const differences = steps[0]!.differences.filter(({ kind }) => kind === 'variable' || kind === 'slot');
  // What an update makes of a noise gradient is noise too.
  const isFar = ({ name, relative }: { name: string; relative: number }): boolean => {
    if (bits) return true;
    return !noise.some((of) => name === of || name.startsWith(`${of}/`)) && !(relative <= GRADIENT_RTOL);
  };
  const golden = goldenStep(optimizer);
  const recorded = golden && {
    tensorflow: golden.tensorflow,
    tf1: distance(tf1, a, golden),
    migrated: distance(migrated, b, golden),
  };
  const counts = (kind: 'variable' | 'slot', arrays: NamedArrays): Counts => {
    const count = Object.keys(arrays).length;
    return { count, identical: count - differences.filter((each) => each.kind === kind).length };
  };
  const all = [
    ...differences,
    ...(recorded === undefined ? [] : [recorded.tf1, recorded.migrated].flatMap((d) => d.different)),
  ];
  const variables = counts('variable', a.variables);
  return {
    optimizer,
    passed: variables.count > 0 && !all.some(isFar),
    variables,
    slots: counts('slot', a.slots),
    different: differences.map(({ name, relative }) => ({ name, relative })),
    ...(recorded === undefined ? {} : { golden: recorded }),
  };
}

function lineOf({ optimizer, passed, variables, slots, different, golden }: OptimizerResult): string {
  const worst = Math.max(0, ...different.map(({ relative }) => relative));
  const sides = `variables ${variables.identical} of ${variables.count} identical, slots ${slots.identical} of ${slots.count}${different.length === 0 ? '' : `, up to ${worst.toExponential(2)} of their size apart`}`;
  const recorded =
    golden === undefined
      ? 'no golden data here to compare with'
      : `TensorFlow ${golden.tensorflow}, recorded, with moving averages: TF1 side ${golden.tf1.identical} of ${golden.tf1.count} identical, migrated side ${golden.migrated.identical}`;
  return `${optimizer}: ${sides}; ${recorded}${passed ? '' : ' NOT MET'}`;
}

/** Step 6: what the optimizers make of the gradients of both sides, and what TensorFlow's made of its own. */
export const updatesStep: Step = {
  id,
  title,
  async run(context: StepContext): Promise<StepResult> {
    const skipped = skippedOffTensorFlow(context, { id, title });
    if (skipped !== undefined) return skipped;
    const sides = context.training.gradients(context.progress);
    const optimizers: OptimizerResult[] = [];
    for (const optimizer of Object.keys(OPTIMIZERS)) {
      context.progress(optimizer);
      optimizers.push(await compareOptimizer(optimizer, sides, context.golden === 'bits'));
    }
    context.training[Symbol.dispose]();
    const result: UpdatesResult = {
      id,
      title,
      passed: optimizers.every(({ passed }) => passed),
      lines: [whoTrains(context), ...optimizers.map(lineOf)],
      optimizers,
    };
    return result;
  },
};
