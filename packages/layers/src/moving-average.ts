// Ports the two ways in which TensorFlow 2.21 updates a batch norm's moving averages in a graph.
import * as tf from '@tensorflow/tfjs-core';
import { assign } from '@tfparity/variables';

function update(variable: tf.Variable, value: tf.Tensor, decay: number): unknown {
  let handle: unknown;
  tf.tidy(() => {
    handle = assign(variable, tf.sub(variable, tf.mul(tf.sub(variable, value), tf.scalar(decay))));
  });
  return handle;
}

/**
 * Moves a variable towards a value as `tf.compat.v1.layers` does in a graph: `variable -= (variable - value) * decay`,
 * where `decay` is float32(1) - float32(momentum), rounded once more.
 *
 * Returns what `assign` returns: nothing in eager code, the handle of the op in a graph. (Eager TensorFlow lets the
 * batch norm's kernel mix the averages, in another order; both sides of a migration get TF1's bits here.)
 */
export function updateMovingAverage(variable: tf.Variable, value: tf.Tensor, momentum: number): unknown {
  return update(variable, value, Math.fround(1 - Math.fround(momentum)));
}

/** `tf.compat.v1.train.assign_moving_average` without zero debias, as slim calls it: `decay` is float32(1 - momentum). */
export function assignMovingAverage(variable: tf.Variable, value: tf.Tensor, momentum: number): unknown {
  return update(variable, value, Math.fround(1 - momentum));
}
