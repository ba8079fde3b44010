// Ports tf_slim/layers/regularizers.py (tf_slim git 1287b1ef). Departure: slim refuses Python ints (`l2_regularizer(1)`);
// JavaScript has one kind of number, so 1 is taken as 1.0.
import * as tf from '@tensorflow/tfjs-core';
import { l2Loss } from '@tfparity/layers';
import { addToCollection, GraphKeys, getCollection, nameScope, type Regularizer } from '@tfparity/variables';
import { tidyEager } from './named-outputs.js';
import { valueError } from './slim-error.js';

function checkScale(scale: number, text: (scale: number) => string): void {
  if (!(scale >= 0)) throw valueError(text(scale), { scale });
}

const scaled = (scale: number, name: string, scope: string | null | undefined, loss: Regularizer): Regularizer =>
  scale === 0
    ? () => null
    : (weights) =>
        tidyEager(() => nameScope(scope ?? name, () => tf.mul(tf.scalar(scale), loss(weights) as tf.Tensor)));

/** `scale` times the sum of absolute values; null for every tensor where the scale is 0. */
export function l1Regularizer(scale: number, scope?: string | null): Regularizer {
  checkScale(scale, (s) => `Setting a scale less than 0 on a regularizer: ${s}`);
  return scaled(scale, 'l1_regularizer', scope, (weights) => tf.sum(tf.abs(weights)));
}

/** `scale` times half the sum of squares (TensorFlow's op `L2Loss`); null for every tensor where the scale is 0. */
export function l2Regularizer(scale: number, scope?: string | null): Regularizer {
  checkScale(scale, (s) => `Setting a scale less than 0 on a regularizer: ${s}.`);
  return scaled(scale, 'l2_regularizer', scope, (weights) => l2Loss(weights));
}

/** The sum of both; with one scale 0, the other alone. */
export function l1l2Regularizer(scaleL1 = 1, scaleL2 = 1, scope?: string | null): Regularizer | null {
  const name = scope ?? 'l1_l2_regularizer';
  if (scaleL1 === 0) return l2Regularizer(scaleL2, name);
  if (scaleL2 === 0) return l1Regularizer(scaleL1, name);
  return sumRegularizer([l1Regularizer(scaleL1), l2Regularizer(scaleL2)], name);
}

/** The sum of several; null of none. */
export function sumRegularizer(
  regularizers: readonly (Regularizer | null)[],
  scope?: string | null,
): Regularizer | null {
  const present = regularizers.filter((regularizer) => regularizer !== null);
  if (present.length === 0) return null;
  return (weights) =>
    nameScope(scope ?? 'sum_regularizer', () => {
      const losses = present.map((regularizer) => regularizer(weights)).filter((loss) => loss !== null);
      return losses.length === 0 ? null : tidyEager(() => tf.addN(losses));
    });
}

/**
 * The sum of a regularizer's losses of all weights (those of the collection `weights` where none are given), which is
 * added to the regularization losses.
 */
export function applyRegularization(regularizer: Regularizer, weights?: readonly tf.Tensor[] | null): tf.Tensor {
  const list = weights?.length ? weights : getCollection<tf.Tensor>(GraphKeys.WEIGHTS);
  if (list.length === 0) throw valueError('No weights to regularize.');
  const penalties = list.map((value) => regularizer(value) ?? tf.scalar(0));
  const ranked = penalties.find((penalty) => penalty.rank !== 0);
  if (ranked !== undefined) {
    throw valueError(`regularizer must return a scalar Tensor instead of a Tensor with rank ${ranked.rank}.`);
  }
  const sum = tf.addN(penalties);
  addToCollection(GraphKeys.REGULARIZATION_LOSSES, sum);
  return sum;
}
