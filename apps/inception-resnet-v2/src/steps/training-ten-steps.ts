import { compareTraining, type StepComparison, type TrainingRecord, type TrainingSide } from '@tfparity/training';
import type { Step, StepContext, StepResult } from '../step.js';
import { engineOf } from '../trained-sides.js';
import { differingNames, type GoldenTrajectory, goldenTrajectory, sampledDrift } from '../training-golden.js';
import { MigratedTrajectory, Tf1Trajectory } from '../training-trajectory.js';
import { skippedOffTensorFlow, whoTrains } from './training-shared.js';

const id = '6-ten-steps';
const title = 'Ten steps of training with RMSProp as slim trains: the drift, against the noise floor';

/** How many times the noise floor a drift may be. */
const MARGIN = 3;

/**
 * How far (relative) a total loss may be from TensorFlow's where everything else is the same bits: its session adds the
 * regularization losses in an order of its own, eager code in the order in which layers made them.
 */
const SUM_RTOL = 1e-6;

/** How many of the arrays that differ are named. */
const NAMED = 5;

/** One side after a step, against TensorFlow's trajectory. */
interface SideDrift {
  readonly loss: number;
  readonly identical: { readonly variables: number; readonly slots: number; readonly gradients: number };
  /** Variables that differ of those in which TensorFlow does not repeat itself. */
  readonly racing: readonly string[];
  /** The first of those others that differ. */
  readonly different: readonly string[];
  /** Of the variables, by their root mean squares: the largest and the median. */
  readonly drift: { readonly max: number; readonly median: number };
  readonly passed: boolean;
}

/** A step of both sides. */
interface StepDrift {
  readonly step: number;
  readonly learningRate: number;
  readonly loss: { readonly tf1: number; readonly migrated: number; readonly golden?: number };
  readonly bitIdentical: boolean;
  readonly drift: number;
  /** What the same steps drift in TensorFlow when each initial value is moved by one ulp. */
  readonly noiseFloor?: { readonly drift: number; readonly max: number; readonly median: number };
  readonly golden?: { readonly tf1: SideDrift; readonly migrated: SideDrift };
  readonly passed: boolean;
}

/** What the step adds to a result. */
interface TenStepsResult extends StepResult {
  readonly trajectory: readonly StepDrift[];
  readonly frozenAverages: readonly string[] | null;
  readonly counts: { readonly variables: number; readonly slots: number; readonly gradients: number };
}

/** A side whose latest record can be looked at. */
class Watched implements TrainingSide {
  record: TrainingRecord | undefined;

  constructor(
    private readonly side: TrainingSide,
    private readonly before: (index: number) => void,
  ) {}

  async step(index: number): Promise<TrainingRecord> {
    this.before(index);
    this.record = await this.side.step(index);
    return this.record;
  }
}

const KINDS = ['variables', 'slots', 'gradients'] as const;

function sideDrift(record: TrainingRecord, golden: GoldenTrajectory, step: number, bits: boolean): SideDrift {
  const { names, steps, racing } = golden;
  const recorded = steps[step]!;
  const differing = Object.fromEntries(
    KINDS.map((kind) => [kind, differingNames(names[kind], recorded[kind], record[kind] ?? {})]),
  ) as Record<(typeof KINDS)[number], string[]>;
  const identical = Object.fromEntries(
    KINDS.map((kind) => [kind, names[kind].length - differing[kind].length]),
  ) as SideDrift['identical'];
  const drift =
    differing.variables.length === 0
      ? { max: 0, median: 0 }
      : sampledDrift(names.variables, recorded.variables, record.variables);
  const telling = KINDS.flatMap((kind) => differing[kind].filter((name) => !racing.includes(name)));
  const sum = Math.abs(record.loss - recorded.total_loss) <= SUM_RTOL * Math.abs(recorded.total_loss);
  const same = sum && telling.length === 0;
  const floor = recorded.noise_floor;
  const within = drift.max <= MARGIN * floor.sampled && drift.median <= MARGIN * floor.sampled_median;
  const named = KINDS.every((kind) => {
    const arrays = record[kind] ?? {};
    return names[kind].every((name) => name in arrays) && Object.keys(arrays).length === names[kind].length;
  });
  const sameRate = record.learningRate === recorded.learning_rate;
  return {
    loss: record.loss,
    identical,
    racing: differing.variables.filter((name) => racing.includes(name)),
    different: telling.slice(0, NAMED),
    drift,
    passed: Number.isFinite(record.loss) && sameRate && named && within && (!bits || same),
  };
}

function stepDrift(
  comparison: StepComparison,
  tf1: TrainingRecord,
  migrated: TrainingRecord,
  golden: GoldenTrajectory | undefined,
  bits: boolean,
): StepDrift {
  const { step, bitIdentical, drift } = comparison;
  const known = golden?.steps[step];
  const first = golden && sideDrift(migrated, golden, step, bits);
  const second = golden && (bitIdentical ? first : sideDrift(tf1, golden, step, bits));
  // Without a floor to hold it against, a drift can only be none.
  const sides = known === undefined ? bitIdentical : drift <= MARGIN * known.noise_floor.max;
  return {
    step,
    learningRate: migrated.learningRate ?? Number.NaN,
    loss: {
      tf1: tf1.loss,
      migrated: migrated.loss,
      ...(known === undefined ? {} : { golden: known.total_loss }),
    },
    bitIdentical,
    drift,
    ...(known === undefined
      ? {}
      : {
          noiseFloor: {
            drift: known.noise_floor.max,
            max: known.noise_floor.sampled,
            median: known.noise_floor.sampled_median,
          },
        }),
    ...(first === undefined || second === undefined ? {} : { golden: { tf1: second, migrated: first } }),
    passed: sides && tf1.learningRate === migrated.learningRate && (first?.passed ?? true) && (second?.passed ?? true),
  };
}

const scientific = (value: number): string => (value === 0 ? '0' : value.toExponential(1));

function lineOf({ step, learningRate, loss, bitIdentical, drift, noiseFloor, golden, passed }: StepDrift): string {
  const sides = bitIdentical ? 'both sides identical to the last bit' : `sides ${scientific(drift)} apart`;
  const side = ({ identical, racing, different, drift: d }: SideDrift) =>
    `${identical.variables} variables, ${identical.slots} slots, ${identical.gradients} gradients identical${racing.length === 0 ? '' : ` (not ${racing.length} moving averages of AuxLogits, where TensorFlow does not repeat itself)`}${different.length === 0 ? '' : ` (not ${different.join(', ')}${different.length === NAMED ? ', …' : ''})`}, drift ${scientific(d.max)}, median ${scientific(d.median)}`;
  const recorded =
    golden === undefined || noiseFloor === undefined
      ? 'no golden data'
      : `against TensorFlow: ${side(golden.migrated)}${golden.tf1 === golden.migrated ? '' : ` (TF1 side: ${side(golden.tf1)})`}; noise floor ${scientific(noiseFloor.max)}, median ${scientific(noiseFloor.median)}`;
  return `step ${step + 1}: rate ${learningRate.toPrecision(4)}, loss TF1 ${loss.tf1}, migrated ${loss.migrated}${loss.golden === undefined ? '' : `, TensorFlow ${loss.golden}`}; ${sides}; ${recorded}${passed ? '' : ' NOT MET'}`;
}

async function runTenSteps(context: StepContext): Promise<StepResult> {
  const skipped = skippedOffTensorFlow(context, { id, title });
  if (skipped !== undefined) return skipped;
  // The ten steps need the memory.
  context.training[Symbol.dispose]();
  const golden = goldenTrajectory();
  const count = context.trainingSteps;
  const bits = context.golden === 'bits';
  const told = (who: string) => (index: number) => context.progress(`${who}, step ${index + 1} of ${count}`);
  context.progress('TF1 side: graph, gradients and session');
  using tf1 = new Tf1Trajectory(engineOf(context.legacy));
  using migrated = new MigratedTrajectory(tf1.dropoutSeeds);
  const [legacySide, migratedSide] = [new Watched(tf1, told('TF1 side')), new Watched(migrated, told('migrated side'))];
  const trajectory: StepDrift[] = [];
  const { frozenAverages } = await compareTraining(
    { legacy: legacySide, migrated: migratedSide, steps: count },
    {
      onStep: (comparison) => {
        context.progress(`comparing step ${comparison.step + 1} of ${count}`);
        trajectory.push(stepDrift(comparison, legacySide.record!, migratedSide.record!, golden, bits));
      },
    },
  );
  const { variables, slots = {}, gradients } = migratedSide.record!;
  const size = (arrays: object): number => Object.keys(arrays).length;
  const frozen = frozenAverages ?? [];
  const result: TenStepsResult = {
    id,
    title,
    passed: trajectory.length === count && trajectory.every(({ passed }) => passed) && frozen.length === 0,
    lines: [
      whoTrains(context),
      `${size(variables)} variables, ${size(slots)} slots, ${size(gradients)} gradients; allowed: ${MARGIN} times the noise floor (the same steps in TensorFlow, each initial value moved by one ulp)${bits ? ', and here TensorFlow’s own bits' : ''}`,
      ...trajectory.map(lineOf),
      frozen.length === 0
        ? 'moving averages: all moved'
        : `moving averages that NEVER MOVED: ${frozen.length}, ${frozen.slice(0, 3).join(', ')}`,
    ],
    trajectory,
    frozenAverages,
    counts: { variables: size(variables), slots: size(slots), gradients: size(gradients) },
  };
  return result;
}

/** Step 6: ten steps of both sides beside TensorFlow's own. */
export const tenStepsStep: Step = { id, title, run: runTenSteps };
