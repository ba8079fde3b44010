import * as tf from '@tensorflow/tfjs-core';
import type { Regularizer } from '@tfparity/variables';
import { valueError } from './layers-error.js';

/** A regularizer, or the name of one of Keras's with its default factor 0.01. */
export type RegularizerLike = Regularizer | 'l1' | 'l2' | 'l1_l2' | 'L1' | 'L2' | 'L1L2';

const l1: Regularizer = (value) => tf.tidy(() => tf.mul(0.01, tf.sum(tf.abs(value))));
const l2: Regularizer = (value) => tf.tidy(() => tf.mul(0.01, tf.sum(tf.square(value))));
const l1l2: Regularizer = (value) => tf.tidy(() => tf.add(l1(value) as tf.Tensor, l2(value) as tf.Tensor));

/** The regularizer itself, or Keras's of that name (`l2` is 0.01 times the sum of squares, without slim's half). */
export function regularizerOf(regularizer: RegularizerLike | null | undefined): Regularizer | null {
  if (regularizer === null || regularizer === undefined) return null;
  if (typeof regularizer === 'function') return regularizer;
  const found = { l1, l2, l1_l2: l1l2, l1l2 }[regularizer.toLowerCase()];
  if (found === undefined) throw valueError(`Unknown regularizer: '${regularizer}'`, { regularizer });
  return found;
}
