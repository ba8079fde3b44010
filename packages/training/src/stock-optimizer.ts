import type * as tf from '@tensorflow/tfjs-core';

/** What a stock TensorFlow.js optimizer does that TF1's of the same name does not. */
export interface StockOptimizerDifference {
  /** TensorFlow.js's class. */
  readonly tfjs: string;
  /** The class of this package that stands for TF1's; null where TF1's `tf.train` has none of that name. */
  readonly tf1: string | null;
  /** Null where both take the same steps. */
  readonly difference: string | null;
}

/** tfjs 4.22's optimizers against TF1's. */
export const STOCK_OPTIMIZERS: readonly StockOptimizerDifference[] = [
  { tfjs: 'SGD', tf1: 'GradientDescentOptimizer', difference: null },
  {
    tfjs: 'Momentum',
    tf1: 'MomentumOptimizer',
    difference: 'no slot names; rows of a gather are made dense, and move every row',
  },
  {
    tfjs: 'RMSProp',
    tf1: 'RMSPropOptimizer',
    difference:
      'mean squares start at 0, not 1; epsilon 1e-7, not 1e-10; centered gives NaN for a zero gradient (1.0 -> 0.6838, TF1 0.9480)',
  },
  {
    tfjs: 'Adam',
    tf1: 'AdamOptimizer',
    difference:
      'epsilon is added before, not after the correction of the moments; 1e-7, not 1e-8 (epsilon 0.1: 1.0 -> 0.9167, TF1 0.9863)',
  },
  { tfjs: 'Adagrad', tf1: 'AdagradOptimizer', difference: 'adds epsilon to the root; TF1 has none' },
  { tfjs: 'Adadelta', tf1: 'AdadeltaOptimizer', difference: 'epsilon 1e-7, not 1e-8' },
  { tfjs: 'Adamax', tf1: null, difference: "TF1's tf.train has none" },
];

/**
 * Why an optimizer is not TF1's, in one sentence; null where it is, or takes the same steps.
 *
 * For a report on a migration whose legacy side trains with TF1's.
 */
export function stockOptimizerWarning(optimizer: tf.Optimizer): string | null {
  // `instanceof` tells nothing: tfjs makes every optimizer an instance of every other.
  if ('optimizerName' in optimizer) return null;
  const name = (optimizer.constructor as { className?: string }).className ?? optimizer.getClassName();
  const known = STOCK_OPTIMIZERS.find(({ tfjs }) => tfjs === name);
  if (known === undefined || known.difference === null) return null;
  const instead = known.tf1 === null ? '' : `; use ${known.tf1} of @tfparity/training`;
  return `TensorFlow.js's ${name} does not take TF1's steps: ${known.difference}${instead}`;
}
