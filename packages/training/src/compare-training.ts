import type { CompareOptions } from '@tfparity/numerics';
import type { TrainedDifference, TrainedKind } from './trained-arrays.js';
import { valueError } from './training-error.js';
import { NOISE_MARGIN } from './training-evidence.js';
import { checkedStep, encodeStep, openLog, shortened, type TrainingLog } from './training-log.js';
import { compareStep, type StepComparison, stillAverages, type TrainingRecord } from './training-step.js';

/** One side of a training: a program that takes steps. */
export interface TrainingSide {
  /** Takes step `index`, the first being 0; steps are asked for in order. */
  step(index: number): TrainingRecord | Promise<TrainingRecord>;
  /** Puts the side into the state after `steps` steps; where absent, those steps are taken again, uncompared. */
  resume?(steps: number): void | Promise<void>;
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
  /**
   * Where each step is written before the next is taken, and from where a run that was broken off goes on: `fileLog(path)`
   * of `@tfparity/training/node`.
   * Of a logged step only the first and the largest differences stay in memory.
   */
  readonly log?: TrainingLog;
  /** Told of each step before the next is taken. */
  readonly onStep?: (step: StepComparison) => void | Promise<void>;
  /** The steps of a run that was broken off, where no `log` has them; they are not compared again. */
  readonly done?: readonly StepComparison[];
}

/** A place of a training. */
export interface TrainedPlace {
  readonly step: number;
  readonly kind: TrainedKind;
  readonly name: string;
}

/** Where and how far two trainings part; plain data. */
export interface TrainingComparison {
  readonly passed: boolean;
  readonly bitIdentical: boolean;
  readonly steps: readonly StepComparison[];
  /** The first step, and in it the first thing, whose bits differ; null where none do. */
  readonly firstDifference: TrainedPlace | null;
  /** The same for the first that fails its tolerance and is no noise. */
  readonly firstFailure: TrainedPlace | null;
  /** By step: how far variables have drifted apart, and how far the noise floor's have. */
  readonly driftCurve: readonly number[];
  /** null without `again`. */
  readonly noiseCurve: readonly number[] | null;
  /** Whether the drift stays within three times the noise floor at every step; null without `again`. */
  readonly withinNoise: boolean | null;
  /** Moving averages of the migrated side that no step has moved (its update ops did not run); null after one step alone. */
  readonly frozenAverages: readonly string[] | null;
}

/**
 * Takes the same steps on both sides and says where they part: draws, loss, gradients, rate, variables and slots.
 *
 * @throws {TrainingError} `ValueError` where there are no steps to take, nothing to compare, or the log or `done` is not the
 * beginning of this run
 */
export async function compareTraining(
  { legacy, migrated, steps, again }: CompareTrainingInput,
  options: CompareTrainingOptions = {},
): Promise<TrainingComparison> {
  const { done, log, onStep, ...tolerance } = options;
  if (!Number.isInteger(steps) || steps < 1) throw valueError(`compareTraining needs at least one step, not ${steps}`);
  if (done !== undefined && log !== undefined) throw valueError('give a log or done, not both: which steps are meant?');
  const compared = log === undefined ? (done ?? []).map(checkedStep) : await openLog(log, tolerance);
  if (compared.some(({ step }, i) => step !== i)) {
    throw valueError('the steps that were done have to be the first of the run, in order');
  }
  if (compared.length > steps) throw valueError(`${compared.length} steps are done already, of ${steps}`);
  const sides = [legacy, migrated, ...(again ? [again] : [])];
  if (compared.length < steps) for (const side of sides) await skip(side, compared.length);
  for (let step = compared.length; step < steps; step++) {
    const records = {
      legacy: await legacy.step(step),
      migrated: await migrated.step(step),
      again: await again?.step(step),
    };
    const comparison = compareStep(step, records, tolerance);
    await log?.append(encodeStep(comparison));
    compared.push(log === undefined ? comparison : shortened(comparison));
    await onStep?.(comparison);
  }
  return summarize(compared);
}

async function skip(side: TrainingSide, steps: number): Promise<void> {
  if (steps === 0) return;
  if (side.resume !== undefined) await side.resume(steps);
  else for (let step = 0; step < steps; step++) await side.step(step);
}

function summarize(steps: readonly StepComparison[]): TrainingComparison {
  const find = (test: (item: TrainedDifference) => boolean): TrainedPlace | null => {
    for (const { step, differences } of steps) {
      const item = differences.find(test);
      if (item !== undefined) return { step, kind: item.kind, name: item.name };
    }
    return null;
  };
  const driftCurve = steps.map(({ drift }) => drift);
  const measured = steps.every(({ noiseFloor }) => noiseFloor !== undefined);
  const noiseCurve = measured ? steps.map(({ noiseFloor }) => noiseFloor!) : null;
  // A floor that is not finite is no floor.
  const within = (drift: number, floor: number) => Number.isFinite(floor) && drift <= NOISE_MARGIN * floor;
  return {
    passed: steps.every(({ passed }) => passed),
    bitIdentical: steps.every(({ bitIdentical }) => bitIdentical),
    steps,
    firstDifference: find(() => true),
    firstFailure: find(({ failed }) => failed),
    driftCurve,
    noiseCurve,
    withinNoise: noiseCurve === null ? null : driftCurve.every((drift, i) => within(drift, noiseCurve[i]!)),
    frozenAverages: stillAverages(steps),
  };
}
