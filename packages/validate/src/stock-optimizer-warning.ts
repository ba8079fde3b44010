import type * as tf from '@tensorflow/tfjs-core';
import { stockOptimizerWarning } from '@tfparity/training';
import type { StepWarning, ValidationStep } from './validation-report.js';

const sameClass = (a: tf.Optimizer, b: tf.Optimizer | undefined) =>
  b !== undefined && a.getClassName() === b.getClassName();

/**
 * The steps, with a warning at `training` (or the first step, where that did not run) where a stock TensorFlow.js
 * optimizer stands for TF1's of the same name, which takes other steps.
 *
 * @param migrated  what the migrated side trains with
 * @param legacy    the legacy side's: where it is a stock optimizer of the same kind, nothing stands for TF1's
 */
export function warnOfStockOptimizer(
  steps: readonly ValidationStep[],
  migrated: tf.Optimizer | undefined,
  legacy: tf.Optimizer | undefined,
): readonly ValidationStep[] {
  const message = migrated === undefined || sameClass(migrated, legacy) ? null : stockOptimizerWarning(migrated);
  if (message === null) return steps;
  const warning: StepWarning = { kind: 'stock-optimizer', message };
  const at = Math.max(
    0,
    steps.findIndex(({ id }) => id === 'training'),
  );
  return steps.map((step, i) => (i === at ? { ...step, warnings: [...step.warnings, warning] } : step));
}
