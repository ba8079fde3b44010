import * as tf from '@tensorflow/tfjs-core';
import { valueError } from './layers-error.js';

/** What a layer does to its output. */
export type Activation = (x: tf.Tensor) => tf.Tensor;

const NAMED: Readonly<Record<string, Activation>> = {
  elu: (x) => tf.elu(x),
  linear: (x) => x,
  relu: (x) => tf.relu(x),
  relu6: (x) => tf.relu6(x),
  selu: (x) => tf.selu(x),
  sigmoid: (x) => tf.sigmoid(x),
  softmax: (x) => tf.softmax(x),
  softplus: (x) => tf.softplus(x),
  tanh: (x) => tf.tanh(x),
};

/** An activation, or the name of one; null for none. */
export type ActivationLike = Activation | string | null;

/**
 * The activation itself, or the one of that name; null for none.
 *
 * @throws {LayersError} `ValueError` for a name that is not known.
 */
export function activationOf(activation: ActivationLike | undefined): Activation | null {
  if (activation === null || activation === undefined) return null;
  if (typeof activation === 'function') return activation;
  const found = Object.hasOwn(NAMED, activation) ? NAMED[activation] : undefined;
  if (found === undefined) {
    throw valueError(`Unknown activation function: '${activation}'; known are ${Object.keys(NAMED).join(', ')}`, {
      activation,
    });
  }
  return found;
}
