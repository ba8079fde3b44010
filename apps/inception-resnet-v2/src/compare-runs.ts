import * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { compareArrays } from '@tfparity/numerics';
import { againstGolden, type GoldenRun } from './golden.js';
import type { LegacyKind } from './legacy-side.js';
import type { ModelRun } from './model-run.js';
import { PUBLISHED_LOSSES } from './published.js';
import { CannotTell } from './step.js';

/** Greatest distance of two arrays, and whether every bit is the same. */
export interface Difference {
  readonly maxAbsoluteDifference: number;
  readonly bitIdentical: boolean;
}

/** How one end point differs: between the sides, and from TensorFlow's own. */
export interface EndPointDifference {
  readonly name: string;
  readonly shape: readonly number[];
  readonly sides: Difference;
  readonly golden?: Difference & { readonly passed: boolean };
}

/** Both sides of one run compared, and held against TensorFlow's recorded run. */
export interface RunComparison {
  readonly passed: boolean;
  readonly lines: readonly string[];
  /** Who the TF1 side was. */
  readonly legacy: LegacyKind;
  readonly regularizationLoss: { readonly tf1: number; readonly migrated: number; readonly published?: number };
  readonly logits: { readonly tf1: readonly number[]; readonly migrated: readonly number[] };
  readonly maxAbsoluteDifference: number;
  /** Every end point, logit and loss, and the sum of the losses, where the TF1 side's are added in their order too. */
  readonly bitIdentical: boolean;
  /** The variables before the forward pass, one side against the other. */
  readonly initialValues: { readonly count: number; readonly identical: number };
  readonly endPoints: readonly EndPointDifference[];
  readonly golden?: Difference & {
    readonly endPoints: Readonly<Record<string, Difference>>;
    readonly variables: { readonly count: number; readonly identical: number };
    readonly regularizationLosses: Difference;
    /** Their sum. */
    readonly regularizationLoss: Difference;
    readonly tensorflow: string;
  };
}

/** A run of the TF1 side: who made it (`typescript` where left out), and what is to be said of it. */
export type Tf1Run = ModelRun & { readonly legacy?: LegacyKind; readonly note?: string };

/** What a run is held to. */
export interface Expectations {
  readonly tolerance: { readonly rtol: number; readonly atol: number } | 'reported';
  readonly published?: keyof typeof PUBLISHED_LOSSES;
  readonly lossRtol?: number;
  /** Golden data must be met to the last bit. */
  readonly bits: boolean;
}

function requireFinite(side: string, arrays: Readonly<Record<string, NdArray>>): void {
  for (const [name, array] of Object.entries(arrays)) {
    const values = array.data as Float32Array;
    let at = 0;
    while (at < values.length && Number.isFinite(values[at])) at += 1;
    if (at < values.length) {
      throw new CannotTell(
        `the ${side} gives ${values[at]} in ${name} (flat index ${at}); nothing can be said of such outputs`,
      );
    }
  }
}

/** The difference of two numbers' lists, as one array's. */
function differenceOfLists(actual: readonly number[], expected: readonly number[]): Difference {
  const array = (values: readonly number[]): NdArray => ({
    dtype: 'float32',
    shape: [values.length],
    data: Float32Array.from(values),
  });
  return differenceOf(array(actual), array(expected));
}

function compareEndPoints(
  tf1: ModelRun,
  migrated: ModelRun,
  golden: GoldenRun | undefined,
  tolerance: Expectations['tolerance'],
) {
  const names = [...new Set([...Object.keys(tf1.endPoints), ...Object.keys(migrated.endPoints)])];
  return names.map((name): EndPointDifference => {
    const [a, b] = [migrated.endPoints[name], tf1.endPoints[name]];
    if (a === undefined || b === undefined) {
      throw new CannotTell(`end point ${name} is missing on the ${a === undefined ? 'migrated' : 'TF1'} side`);
    }
    const sides = differenceOf(a, b);
    const recorded = golden?.endpoints[name];
    if (recorded === undefined) return { name, shape: b.shape, sides };
    const distance = againstGolden(b, recorded);
    return { name, shape: b.shape, sides, golden: { ...distance, passed: withinGolden(b, recorded, tolerance) } };
  });
}

/** Whether the sampled values are within tolerance of the recorded ones; end points behind dropout only as `reported`. */
function withinGolden(
  array: NdArray,
  recorded: GoldenRun['endpoints'][string],
  tolerance: Expectations['tolerance'],
): boolean {
  if (tolerance === 'reported') return true;
  const values = array.data as Float32Array;
  return recorded.samples.every((expected, i) => {
    return Math.abs(values[i * recorded.stride]! - expected) <= tolerance.atol + tolerance.rtol * Math.abs(expected);
  });
}

function compareVariables(run: ModelRun, golden: GoldenRun): { count: number; identical: number } {
  const recorded = new Map(golden.variables.map((variable) => [variable.name.replace(/:0$/, ''), variable.sha256]));
  const identical = run.variables.filter(({ name, sha256 }) => recorded.get(name) === sha256).length;
  return { count: golden.variables.length, identical };
}

function compareWithGolden(tf1: ModelRun, golden: GoldenRun, endPoints: readonly EndPointDifference[]) {
  const known = endPoints.flatMap(({ name, golden: difference }) => (difference ? [[name, difference] as const] : []));
  const logits = differenceOfLists(Array.from(tf1.logits.data as Float32Array), golden.logits);
  const all = [logits, ...known.map(([, difference]) => difference)];
  return {
    maxAbsoluteDifference: Math.max(...all.map((d) => d.maxAbsoluteDifference)),
    bitIdentical: known.length === Object.keys(golden.endpoints).length && all.every((d) => d.bitIdentical),
    endPoints: Object.fromEntries(known),
    variables: compareVariables(tf1, golden),
    regularizationLosses: differenceOfLists(tf1.regularizationLosses, golden.regularization_losses),
    regularizationLoss: differenceOfLists([tf1.regularizationLoss], [golden.regularization_loss]),
    tensorflow: golden.tensorflow,
  };
}

/** How far (relative) the summed regularization loss may be from TensorFlow's where the backend is another. */
const LOSS_RTOL = 1e-6;

function isNear(value: number, expected: number, rtol: number): boolean {
  return Math.abs(value - expected) <= rtol * Math.abs(expected);
}

/** How many variables have the same values on both sides, by name. */
function compareStates(migrated: ModelRun, tf1: ModelRun): { count: number; identical: number } {
  const hashes = new Map(migrated.variables.map(({ name, sha256 }) => [name, sha256]));
  const identical = tf1.variables.filter(({ name, sha256 }) => hashes.get(name) === sha256).length;
  return { count: Math.max(tf1.variables.length, migrated.variables.length), identical };
}

/** The sum of losses in their order, as eager code adds them; a TF1 session adds them in the order of their names. */
function sumInOrder(losses: readonly number[]): number {
  return tf.tidy(() => tf.addN(losses.map((loss) => tf.scalar(loss))).dataSync()[0]!);
}

const percent = (n: number, of: number) => `${n} of ${of}`;
const distance = ({ bitIdentical, maxAbsoluteDifference }: Difference) =>
  bitIdentical ? 'identical to the last bit' : `up to ${maxAbsoluteDifference.toExponential(2)} apart`;

/**
 * Compares both sides of a run with each other, and the TF1 side with TensorFlow's recorded run.
 *
 * @throws {CannotTell} for an output that is not finite, or an end point that one side lacks
 */
export function compareRuns(
  tf1: Tf1Run,
  migrated: ModelRun,
  golden: GoldenRun | undefined,
  expected: Expectations,
): RunComparison {
  requireFinite('TF1 side', tf1.endPoints);
  requireFinite('migrated side', migrated.endPoints);
  const endPoints = compareEndPoints(tf1, migrated, golden, expected.tolerance);
  const logits = differenceOf(migrated.logits, tf1.logits);
  const losses = differenceOfLists(migrated.regularizationLosses, tf1.regularizationLosses);
  const sum = differenceOfLists([migrated.regularizationLoss], [sumInOrder(tf1.regularizationLosses)]);
  const sides = [logits, losses, sum, ...endPoints.map((endPoint) => endPoint.sides)];
  const bitIdentical = sides.every((d) => d.bitIdentical);
  const initialValues = compareStates(migrated, tf1);
  const published = expected.published === undefined ? undefined : PUBLISHED_LOSSES[expected.published];
  const publishedMet = published === undefined || isNear(tf1.regularizationLoss, published.value, published.rtol);
  const against = golden && compareWithGolden(tf1, golden, endPoints);
  const goldenMet = against === undefined || meetsGolden(against, endPoints, golden!, tf1, expected);
  const lines = [
    `regularization loss: TF1 ${tf1.regularizationLoss}, migrated ${migrated.regularizationLoss}${published ? `, published ${published.value}${publishedMet ? '' : ' NOT MET'}` : ''}`,
    `first logits: TF1 ${firstOf(tf1.logits)} migrated ${firstOf(migrated.logits)}`,
    ...(tf1.note === undefined ? [] : [tf1.note]),
    `TF1 side and migrated side: values of ${percent(initialValues.identical, initialValues.count)} variables identical before the run`,
    `TF1 side and migrated side, ${endPoints.length} end points, ${tf1.logits.data.length} logits, ${tf1.regularizationLosses.length} losses and their sum in one order: ${bitIdentical ? 'identical to the last bit' : `DIFFERENT, up to ${Math.max(...sides.map((d) => d.maxAbsoluteDifference)).toExponential(2)}`}`,
    ...(against ? goldenLines(against, endPoints, goldenMet, expected) : ['no golden data here to compare with']),
  ];
  return {
    passed: bitIdentical && initialValues.identical === initialValues.count && publishedMet && goldenMet,
    lines,
    legacy: tf1.legacy ?? 'typescript',
    regularizationLoss: {
      tf1: tf1.regularizationLoss,
      migrated: migrated.regularizationLoss,
      ...(published ? { published: published.value } : {}),
    },
    logits: {
      tf1: Array.from(tf1.logits.data as Float32Array),
      migrated: Array.from(migrated.logits.data as Float32Array),
    },
    maxAbsoluteDifference: Math.max(...sides.map((d) => d.maxAbsoluteDifference)),
    bitIdentical,
    initialValues,
    endPoints,
    ...(against ? { golden: against } : {}),
  };
}

type GoldenComparison = NonNullable<RunComparison['golden']>;

function meetsGolden(
  against: GoldenComparison,
  endPoints: readonly EndPointDifference[],
  golden: GoldenRun,
  tf1: Tf1Run,
  expected: Expectations,
): boolean {
  const values = against.variables.identical === against.variables.count;
  const loss = isNear(tf1.regularizationLoss, golden.regularization_loss, expected.lossRtol ?? LOSS_RTOL);
  if (!values || !loss) return false;
  if (expected.bits) {
    return against.bitIdentical && against.regularizationLosses.bitIdentical && against.regularizationLoss.bitIdentical;
  }
  return endPoints.every((endPoint) => endPoint.golden?.passed ?? true);
}

function goldenLines(
  against: GoldenComparison,
  endPoints: readonly EndPointDifference[],
  met: boolean,
  { tolerance }: Expectations,
): string[] {
  const same = endPoints.filter((endPoint) => endPoint.golden?.bitIdentical).length;
  const bound =
    tolerance === 'reported'
      ? 'reported only: these values are amplified rounding'
      : `allowed rtol ${tolerance.rtol}, atol ${tolerance.atol}`;
  const verdict = against.bitIdentical ? '' : ` (${bound})`;
  return [
    `TensorFlow ${against.tensorflow}, recorded: initial values ${percent(against.variables.identical, against.variables.count)} identical, losses ${distance(against.regularizationLosses)}, their sum ${distance(against.regularizationLoss)}`,
    `TensorFlow ${against.tensorflow}, recorded: end points ${percent(same, endPoints.length)} identical, ${distance(against)}${verdict}${met ? '' : ' NOT MET'}`,
  ];
}

function firstOf(array: NdArray): string {
  return `[${Array.from((array.data as Float32Array).subarray(0, 3), (v) => v.toPrecision(8)).join(', ')}, …]`;
}

/** Greatest distance of two finite arrays, and whether all bits are equal; another shape is infinitely far. */
export function differenceOf(actual: NdArray, expected: NdArray): Difference {
  const { bitIdentical, evidence } = compareArrays(actual, expected, { rtol: 0, atol: 0 });
  return { maxAbsoluteDifference: evidence?.absolute.max ?? Number.POSITIVE_INFINITY, bitIdentical };
}
