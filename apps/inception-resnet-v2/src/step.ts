import type { LoadedBackend } from '@tfparity/backend';
import type { LegacySide } from './legacy-side.js';
import type { MigratedSide } from './migrated-side.js';
import type { Options } from './options.js';
import type { TrainedSides } from './trained-sides.js';

/** What a step is told: where it runs, and what counts as meeting the golden data. */
export interface StepContext {
  readonly backend: LoadedBackend;
  /** The TF1 side. */
  readonly legacy: LegacySide;
  readonly migrated: MigratedSide;
  /** Both sides, trained. */
  readonly training: TrainedSides;
  readonly golden: Options['golden'];
  readonly sensitivity: Options['sensitivity'];
  readonly trainingSteps: Options['trainingSteps'];
  /** Says what is being done; a step can take seconds. */
  readonly progress: (message: string) => void;
}

/** What every step's result has; each step adds its own figures. */
export interface StepResult {
  readonly id: string;
  readonly title: string;
  readonly passed: boolean;
  /** Why the step could not be taken here, where that is no failure. */
  readonly skipped?: string;
  /** Lines for people: what was checked, the numbers, and why it failed if it did. */
  readonly lines: readonly string[];
}

/** One step of the guide. */
export interface Step {
  readonly id: string;
  readonly title: string;
  run(context: StepContext): StepResult | Promise<StepResult>;
}

/** A step could not tell (a side gave something that is no result); exit code 2, not "failed". */
export class CannotTell extends Error {}
