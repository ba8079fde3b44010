import type { NdArray } from '@tfparity/array';
import type { CompareOptions } from '@tfparity/numerics';
import { diffLedgers, type LedgerDifference, type LedgerEntry } from '@tfparity/random';
import { compareByName, compareNumber, driftOf, type TrainedDifference } from './trained-arrays.js';
import { valueError } from './training-error.js';
import { differsAsNoise, fingerprint, movingAverages, noiseGradients } from './training-evidence.js';

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

/** A step of both sides; a line of a log (`encodeStep`). */
export interface StepComparison {
  readonly step: number;
  readonly loss: { readonly legacy: number; readonly migrated: number };
  /** Where the sides' rates differ. */
  readonly learningRate?: { readonly legacy: number | undefined; readonly migrated: number | undefined };
  readonly bitIdentical: boolean;
  readonly passed: boolean;
  /** In the order in which a step makes them; of a logged run, the first and the largest alone. */
  readonly differences: readonly TrainedDifference[];
  /** How many there were. */
  readonly differing: number;
  /** Gradients whose true value is zero: what is there is rounding, and its relative difference says nothing. */
  readonly noise: readonly string[];
  /** Where the draws part; null: they are the same; absent where neither side recorded any. */
  readonly draws?: LedgerDifference | null;
  /** Largest relative difference of a variable between the sides, and of the side that makes the noise floor. */
  readonly drift: number;
  /** The variable that drifted most; null where none did. */
  readonly driftOf: string | null;
  readonly noiseFloor?: number;
  /** Fingerprints of the migrated side's moving averages: those that a later step still has did not move. */
  readonly averages: Readonly<Record<string, number>>;
}

/** The sides after one step. */
export interface StepRecords {
  readonly legacy: TrainingRecord;
  readonly migrated: TrainingRecord;
  readonly again?: TrainingRecord | undefined;
}

/**
 * Compares what two sides have after a step.
 *
 * @throws {TrainingError} `ValueError` where the sides recorded no arrays at all
 */
export function compareStep(step: number, records: StepRecords, options: CompareOptions): StepComparison {
  const { legacy, migrated, again } = records;
  const sizes = [legacy, migrated].flatMap((side) => [side.gradients, side.variables, side.slots ?? {}]);
  if (sizes.every((arrays) => Object.keys(arrays).length === 0)) {
    throw valueError(`step ${step}: the sides recorded no gradients, variables or slots: nothing can be compared`);
  }
  const { noise, gradients } = gradientDifferences(records, options);
  const drawn = legacy.draws !== undefined || migrated.draws !== undefined;
  const draws = drawn ? diffLedgers(legacy.draws ?? [], migrated.draws ?? []) : undefined;
  const rates = compareNumber('learning-rate', legacy.learningRate, migrated.learningRate, options);
  const differences: TrainedDifference[] = [
    ...drawDifferences(legacy, migrated, draws),
    ...compareNumber('loss', legacy.loss, migrated.loss, options),
    ...gradients,
    ...rates,
    ...compareByName('variable', legacy.variables, migrated.variables, options),
    ...compareByName('slot', legacy.slots ?? {}, migrated.slots ?? {}, options),
  ];
  const { drift, name } = driftOf(legacy.variables, migrated.variables);
  return {
    step,
    loss: { legacy: legacy.loss, migrated: migrated.loss },
    ...(rates.length === 0 ? {} : { learningRate: { legacy: legacy.learningRate, migrated: migrated.learningRate } }),
    bitIdentical: differences.length === 0,
    passed: !differences.some(({ failed }) => failed),
    differences,
    differing: differences.length,
    noise,
    ...(draws === undefined ? {} : { draws }),
    drift,
    driftOf: name,
    ...(again === undefined ? {} : { noiseFloor: driftOf(legacy.variables, again.variables).drift }),
    averages: Object.fromEntries(movingAverages(migrated.variables).map(([key, array]) => [key, fingerprint(array)])),
  };
}

/** A difference in a gradient that is rounding fails nothing; one that is missing, or of another shape or kind, does. */
function gradientDifferences({ legacy, migrated, again }: StepRecords, options: CompareOptions) {
  const small = new Set(noiseGradients(legacy.gradients, migrated.gradients));
  const excused = ({ name, status }: TrainedDifference) =>
    status === 'different' &&
    small.has(name) &&
    legacy.gradients[name]!.dtype === migrated.gradients[name]!.dtype &&
    differsAsNoise(legacy.gradients[name]!, migrated.gradients[name]!, again?.gradients[name]);
  const all = compareByName('gradient', legacy.gradients, migrated.gradients, options);
  const wrong = new Set(all.filter((item) => !excused(item)).map(({ name }) => name));
  return {
    noise: [...small].filter((name) => !wrong.has(name)),
    gradients: all.map((item) => (wrong.has(item.name) ? item : { ...item, failed: false })),
  };
}

function drawDifferences(
  legacy: TrainingRecord,
  migrated: TrainingRecord,
  ledger: LedgerDifference | null | undefined,
): TrainedDifference[] {
  const all = { kind: 'draws', name: 'draws', failed: true, relative: Number.POSITIVE_INFINITY } as const;
  // A side that kept no ledger can't be said to have drawn the same.
  if (legacy.draws !== undefined && migrated.draws === undefined) return [{ ...all, status: 'missing' }];
  if (legacy.draws === undefined && migrated.draws !== undefined) return [{ ...all, status: 'unexpected' }];
  return ledger ? [{ ...all, status: 'different', ledger }] : [];
}

/** The moving averages that no step so far has moved; null where fewer than two steps were seen. */
export function stillAverages(steps: readonly Pick<StepComparison, 'averages'>[]): string[] | null {
  const [first, ...later] = steps;
  if (first === undefined || later.length === 0) return null;
  const last = later.at(-1)!.averages;
  return Object.entries(first.averages)
    .filter(
      ([name, print]) => last[name] === print && later.every(({ averages }) => (averages[name] ?? print) === print),
    )
    .map(([name]) => name);
}
