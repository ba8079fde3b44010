import { compareTraining, frozenAverages, type TrainingRecord } from '@tfparity/training';
import type { Step, StepContext, StepResult } from '../step.js';
import { distanceFrom, type GoldenDistance, type GoldenStep, goldenStep, median } from '../training-golden.js';
import type { GradientRun } from '../training-sides.js';
import { skippedOffTensorFlow, whoTrains } from './training-shared.js';

const id = '6-gradients';
const title = 'Gradients of every variable, random numbers aligned, two images of noise';

/** How far a gradient may be, by its root mean square: rounding that grew through some hundred layers. */
export const GRADIENT_RTOL = 1e-3;
const LOSS_RTOL = 1e-5;

/** One side against what TensorFlow recorded. */
interface AgainstGolden {
  readonly gradients: GoldenDistance;
  readonly averages: GoldenDistance;
  readonly withoutGradient: boolean;
  readonly passed: boolean;
}

/** What the step adds to a result. */
interface GradientsResult extends StepResult {
  readonly crossEntropy: { readonly tf1: number; readonly migrated: number; readonly golden?: number };
  readonly totalLoss: { readonly tf1: number; readonly migrated: number; readonly golden?: number };
  readonly gradients: {
    readonly count: number;
    readonly identical: number;
    readonly medianRelative: number;
    readonly different: readonly { readonly name: string; readonly relative: number }[];
    readonly withoutGradient: readonly string[];
    /** Gradients whose true value is zero. */
    readonly noise: readonly string[];
  };
  readonly frozenAverages: readonly string[];
  readonly golden?: { readonly tensorflow: string; readonly tf1: AgainstGolden; readonly migrated: AgainstGolden };
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= LOSS_RTOL * Math.abs(b);

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());

function against(run: GradientRun, golden: GoldenStep, noise: readonly string[], bits: boolean): AgainstGolden {
  const gradients = distanceFrom(golden.gradients, run.gradients);
  const moving = Object.entries(golden.after_step).filter(([name]) => name.replace(/:0$/, '') in run.averages);
  const averages = distanceFrom(Object.fromEntries(moving), run.averages);
  const withoutGradient = sameNames(
    run.without,
    golden.without_gradient.map((name) => name.replace(/:0$/, '')),
  );
  const losses = bits
    ? run.crossEntropy === golden.cross_entropy && run.totalLoss === golden.total_loss
    : isNear(run.crossEntropy, golden.cross_entropy) && isNear(run.totalLoss, golden.total_loss);
  const far = [...gradients.different, ...averages.different].filter(
    ({ name, relative }) => bits || (!noise.includes(name) && !(relative <= GRADIENT_RTOL)),
  );
  return { gradients, averages, withoutGradient, passed: losses && withoutGradient && far.length === 0 };
}

/** How far a side is from what was recorded, in words. */
function distanceText({ count, identical, different }: GoldenDistance, noise: readonly string[]): string {
  const telling = different.filter(({ name }) => !noise.includes(name)).map(({ relative }) => relative);
  if (different.length === 0) return `${count} of ${count} identical to the last bit`;
  return `${identical} of ${count} identical, the others up to ${Math.max(0, ...telling).toExponential(2)} of their size apart, noise aside`;
}

async function runGradients(context: StepContext): Promise<StepResult> {
  const skipped = skippedOffTensorFlow(context, { id, title });
  if (skipped !== undefined) return skipped;
  const { tf1, migrated, noise } = context.training.gradients(context.progress);
  const bits = context.golden === 'bits';
  context.progress('comparing gradients');
  const record = ({ run }: typeof tf1): TrainingRecord => ({
    loss: run.totalLoss,
    gradients: run.gradients,
    variables: run.averages,
  });
  const { steps } = await compareTraining({
    legacy: { step: () => record(tf1) },
    migrated: { step: () => record(migrated) },
    steps: 1,
  });
  const { differences } = steps[0]!;
  const different = differences.flatMap(({ kind, name, relative }) =>
    kind === 'gradient' ? [{ name, relative }] : [],
  );
  const count = Object.keys(tf1.run.gradients).length;
  const telling = different.filter(({ name }) => !noise.includes(name)).map(({ relative }) => relative);
  const near = different.every(({ name, relative }) => noise.includes(name) || relative <= GRADIENT_RTOL);
  const averagesSame = !differences.some(({ kind }) => kind === 'variable');
  const frozen = [
    ...frozenAverages(tf1.run.before, tf1.run.averages),
    ...frozenAverages(migrated.run.before, migrated.run.averages),
  ];
  const agree =
    near &&
    averagesSame &&
    isNear(migrated.run.crossEntropy, tf1.run.crossEntropy) &&
    isNear(migrated.run.totalLoss, tf1.run.totalLoss) &&
    sameNames(tf1.run.without, migrated.run.without) &&
    count > 0 &&
    frozen.length === 0;
  const golden = goldenStep('sgd');
  const recorded = golden && {
    tensorflow: golden.tensorflow,
    tf1: against(tf1.run, golden, noise, bits),
    migrated: against(migrated.run, golden, noise, bits),
  };
  const passed =
    agree &&
    (!bits || different.length === 0) &&
    (recorded === undefined || (recorded.tf1.passed && recorded.migrated.passed));
  const loss = (key: 'crossEntropy' | 'totalLoss', known: number | undefined) => ({
    tf1: tf1.run[key],
    migrated: migrated.run[key],
    ...(known === undefined ? {} : { golden: known }),
  });
  const result: GradientsResult = {
    id,
    title,
    passed,
    lines: [],
    crossEntropy: loss('crossEntropy', golden?.cross_entropy),
    totalLoss: loss('totalLoss', golden?.total_loss),
    gradients: {
      count,
      identical: count - different.length,
      medianRelative: median([...telling, ...new Array<number>(count - telling.length).fill(0)]),
      different,
      withoutGradient: tf1.run.without,
      noise,
    },
    frozenAverages: frozen,
    ...(recorded === undefined ? {} : { golden: recorded }),
  };
  return { ...result, lines: linesOf(context, result, Math.max(0, ...telling), averagesSame) };
}

function linesOf(context: StepContext, result: GradientsResult, worst: number, averagesSame: boolean): string[] {
  const { crossEntropy, totalLoss, gradients, frozenAverages: frozen, golden } = result;
  const { noise, identical, count } = gradients;
  const known = (value: number | undefined) => (value === undefined ? '' : `, TensorFlow ${value}`);
  return [
    whoTrains(context),
    `cross entropy: TF1 ${crossEntropy.tf1}, migrated ${crossEntropy.migrated}${known(crossEntropy.golden)}`,
    `total loss: TF1 ${totalLoss.tf1}, migrated ${totalLoss.migrated}${known(totalLoss.golden)}`,
    `TF1 side and migrated side: gradients of ${identical} of ${count} variables identical to the last bit${identical === count ? '' : `, the others up to ${worst.toExponential(2)} of their size apart, noise aside (allowed ${GRADIENT_RTOL}); median of all ${gradients.medianRelative.toExponential(2)}`}`,
    `moving averages: ${frozen.length === 0 ? 'all moved' : `${frozen.length} DID NOT MOVE: ${frozen.slice(0, 3).join(', ')}`}, ${averagesSame ? 'the same on both sides' : 'DIFFERENT'}`,
    `variables without a gradient: ${gradients.withoutGradient.length} (${gradients.withoutGradient[0] ?? 'none'}${gradients.withoutGradient.length > 1 ? ', …' : ''})`,
    `gradients that are noise, their true value being zero (a bias that feeds a batch norm): ${noise.length === 0 ? 'none' : noise.join(', ')}`,
    ...(golden === undefined
      ? ['no golden data here to compare with']
      : (['tf1', 'migrated'] as const).map((side) => {
          const { gradients: g, averages, withoutGradient, passed } = golden[side];
          return `TensorFlow ${golden.tensorflow}, recorded, ${side === 'tf1' ? 'TF1' : 'migrated'} side: gradients ${distanceText(g, noise)}; moving averages ${averages.identical} of ${averages.count} identical${withoutGradient ? '' : '; OTHER variables have no gradient'}${passed ? '' : ' NOT MET'}`;
        })),
  ];
}

/** Step 6: the backward pass on both sides, and against TensorFlow's. */
export const gradientsStep: Step = { id, title, run: runGradients };
