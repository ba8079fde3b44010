import type { NdArray } from '@tfparity/array';
import { type ArrayComparison, type CompareOptions, compareArrays } from '@tfparity/numerics';
import { diffLedgers, type LedgerDifference, type LedgerEntry } from '@tfparity/random';
import { TrainingError } from './training-error.js';
import { frozenAverages, noiseGradients } from './training-evidence.js';

/** What one side has after a step; arrays by TensorFlow's names. */
export interface TrainingRecord {
  readonly loss: number;
  readonly learningRate?: number;
  readonly gradients: Readonly<Record<string, NdArray>>;
  /** Weights, moving averages among them. */
  readonly variables: Readonly<Record<string, NdArray>>;
  readonly slots?: Readonly<Record<string, NdArray>>;
  /** What was drawn in the step. */
  readonly draws?: readonly LedgerEntry[];
}

/** One side of a training: a program that takes steps. */
export interface TrainingSide {
  /** Takes step `index`, the first being 0; steps are asked for in order. */
  step(index: number): TrainingRecord | Promise<TrainingRecord>;
  /** Puts the side into the state after `steps` steps; where absent, those steps are taken again, uncompared. */
  resume?(steps: number): void | Promise<void>;
}

/** The kinds of arrays that are compared. */
export type TrainedKind = 'gradient' | 'variable' | 'slot';

/** One array of one step that is not the same on both sides. */
export interface TrainedDifference {
  readonly kind: TrainedKind;
  readonly name: string;
  readonly status: 'different' | 'missing' | 'unexpected';
  /** Whether it fails its tolerance; bits may differ within it. */
  readonly failed: boolean;
  /** The largest difference relative to the array's root mean square. */
  readonly relative: number;
  readonly comparison?: ArrayComparison;
}

/** A step of both sides; plain data, a line of a file. */
export interface StepComparison {
  readonly step: number;
  readonly loss: { readonly legacy: number; readonly migrated: number };
  readonly learningRate?: { readonly legacy: number | undefined; readonly migrated: number | undefined };
  readonly bitIdentical: boolean;
  readonly passed: boolean;
  readonly differences: readonly TrainedDifference[];
  /** Gradients whose true value is zero: what is there is rounding, and its relative difference says nothing. */
  readonly noise: readonly string[];
  readonly draws?: LedgerDifference | null;
  /** Largest relative difference of a variable between the sides, and of the side that makes the noise floor. */
  readonly drift: number;
  readonly noiseFloor?: number;
}

/** What `compareTraining` compares. */
export interface CompareTrainingInput {
  readonly legacy: TrainingSide;
  readonly migrated: TrainingSide;
  readonly steps: number;
  /** The legacy side once more, in another order of sums (one thread, another library): what differs from it is noise. */
  readonly again?: TrainingSide;
}

/** Options of `compareTraining`. */
export interface CompareTrainingOptions extends CompareOptions {
  /** Told of each step before the next is taken: append it to a file as JSON, and pass the lines back as `done`. */
  readonly onStep?: (step: StepComparison) => void | Promise<void>;
  /** The steps of a run that was broken off; they are not compared again. */
  readonly done?: readonly StepComparison[];
}

/** Where and how far two trainings part; plain data. */
export interface TrainingComparison {
  readonly passed: boolean;
  readonly bitIdentical: boolean;
  readonly steps: readonly StepComparison[];
  /** The first step and array whose bits differ, gradients before variables before slots; null where none do. */
  readonly firstDifference: { readonly step: number; readonly kind: TrainedKind; readonly name: string } | null;
  /** The same for the first array that fails its tolerance and is no noise. */
  readonly firstFailure: { readonly step: number; readonly kind: TrainedKind; readonly name: string } | null;
  /** Whether the drift stays within three times the noise floor at every step; null without `again`. */
  readonly withinNoise: boolean | null;
  /** Moving averages of the migrated side that have not moved in all the steps: its update ops did not run. */
  readonly frozenAverages: readonly string[];
}

/**
 * Takes the same steps on both sides and says where they part: loss, rate, gradients, variables, slots and draws.
 *
 * @throws {TrainingError} `ValueError` where there are no steps to take, or `done` is not the beginning of the run
 */
export async function compareTraining(
  { legacy, migrated, steps, again }: CompareTrainingInput,
  options: CompareTrainingOptions = {},
): Promise<TrainingComparison> {
  const { done = [], onStep, ...tolerance } = options;
  if (!(steps >= 1)) throw new TrainingError('ValueError', `compareTraining needs at least one step, not ${steps}`);
  if (done.some(({ step }, i) => step !== i)) {
    throw new TrainingError('ValueError', 'done has to be the first steps of the run, in order');
  }
  const sides = [legacy, migrated, ...(again ? [again] : [])];
  for (const side of sides) await skip(side, done.length);
  const compared = [...done];
  let first: TrainingRecord | undefined;
  let last: TrainingRecord | undefined;
  for (let step = done.length; step < steps; step++) {
    const a = await legacy.step(step);
    const b = await migrated.step(step);
    const c = await again?.step(step);
    const comparison = compareStep(step, a, b, c, tolerance);
    compared.push(comparison);
    await onStep?.(comparison);
    first ??= b;
    last = b;
  }
  const moved = first !== undefined && last !== undefined && first !== last;
  return summarize(compared, moved ? frozenAverages(first!.variables, last!.variables) : []);
}

async function skip(side: TrainingSide, steps: number): Promise<void> {
  if (steps === 0) return;
  if (side.resume !== undefined) await side.resume(steps);
  else for (let step = 0; step < steps; step++) await side.step(step);
}

function compareStep(
  step: number,
  legacy: TrainingRecord,
  migrated: TrainingRecord,
  again: TrainingRecord | undefined,
  options: CompareOptions,
): StepComparison {
  const noise = noiseGradients(legacy.gradients, migrated.gradients);
  const differences = [
    ...compareArraysByName('gradient', legacy.gradients, migrated.gradients, options),
    ...compareArraysByName('variable', legacy.variables, migrated.variables, options),
    ...compareArraysByName('slot', legacy.slots ?? {}, migrated.slots ?? {}, options),
  ].map((item) => (item.kind === 'gradient' && noise.includes(item.name) ? { ...item, failed: false } : item));
  const sameLoss = Object.is(legacy.loss, migrated.loss);
  const draws = legacy.draws && migrated.draws ? diffLedgers(legacy.draws, migrated.draws) : undefined;
  const sameRate = Object.is(legacy.learningRate, migrated.learningRate);
  const lossFails = !compareArrays([migrated.loss], [legacy.loss], options).passed;
  return {
    step,
    loss: { legacy: legacy.loss, migrated: migrated.loss },
    ...(sameRate ? {} : { learningRate: { legacy: legacy.learningRate, migrated: migrated.learningRate } }),
    bitIdentical: sameLoss && sameRate && differences.length === 0,
    passed: !lossFails && !draws && !differences.some(({ failed }) => failed),
    differences,
    noise,
    ...(draws === undefined ? {} : { draws }),
    drift: drift(legacy.variables, migrated.variables),
    ...(again === undefined ? {} : { noiseFloor: drift(legacy.variables, again.variables) }),
  };
}

function compareArraysByName(
  kind: TrainedKind,
  legacy: Readonly<Record<string, NdArray>>,
  migrated: Readonly<Record<string, NdArray>>,
  options: CompareOptions,
): TrainedDifference[] {
  const differences: TrainedDifference[] = [];
  for (const [name, expected] of Object.entries(legacy)) {
    const actual = migrated[name];
    if (actual === undefined) {
      differences.push({ kind, name, status: 'missing', failed: true, relative: Number.POSITIVE_INFINITY });
      continue;
    }
    const comparison = compareArrays(actual, expected, options);
    if (comparison.bitIdentical) continue;
    const relative = relativeDifference(expected, actual);
    differences.push({ kind, name, status: 'different', failed: !comparison.passed, relative, comparison });
  }
  for (const name of Object.keys(migrated)) {
    if (legacy[name] !== undefined) continue;
    differences.push({ kind, name, status: 'unexpected', failed: true, relative: Number.POSITIVE_INFINITY });
  }
  return differences;
}

/** The largest difference of two elements by the root mean square of the expected array. */
function relativeDifference(expected: NdArray, actual: NdArray): number {
  const [a, b] = [expected.data as Float32Array, actual.data as Float32Array];
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let squares = 0;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    squares += a[i]! * a[i]!;
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst)) worst = difference;
  }
  return worst === 0 ? 0 : worst / Math.sqrt(squares / a.length);
}

function drift(a: Readonly<Record<string, NdArray>>, b: Readonly<Record<string, NdArray>>): number {
  let worst = 0;
  for (const [name, expected] of Object.entries(a)) {
    const actual = b[name];
    if (actual !== undefined) worst = Math.max(worst, relativeDifference(expected, actual));
  }
  return worst;
}

function summarize(steps: readonly StepComparison[], frozen: readonly string[]): TrainingComparison {
  const find = (test: (item: TrainedDifference) => boolean) => {
    for (const { step, differences } of steps) {
      const item = differences.find(test);
      if (item !== undefined) return { step, kind: item.kind, name: item.name };
    }
    return null;
  };
  const floors = steps.filter(({ noiseFloor }) => noiseFloor !== undefined);
  return {
    passed: steps.every(({ passed }) => passed),
    bitIdentical: steps.every(({ bitIdentical }) => bitIdentical),
    steps,
    firstDifference: find(() => true),
    firstFailure: find(({ failed }) => failed),
    withinNoise: floors.length === 0 ? null : floors.every(({ drift: d, noiseFloor }) => d <= 3 * noiseFloor!),
    frozenAverages: frozen,
  };
}
