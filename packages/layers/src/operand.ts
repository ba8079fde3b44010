import * as tf from '@tensorflow/tfjs-core';
import { LayersError } from './layers-error.js';

/**
 * Checks that an op's input is a float32 tensor.
 *
 * @throws {LayersError} `TypeError` in TensorFlow's words for another dtype, or for what is no tensor
 */
export function checkFloatOperand(op: string, parameter: string, value: tf.Tensor): void {
  if (!(value instanceof tf.Tensor)) {
    throw new LayersError('TypeError', `${op}: '${parameter}' is not a tensor; make one of it with tf.tensor`, {
      op,
      parameter,
    });
  }
  if (value.dtype === 'float32') return;
  throw new LayersError(
    'TypeError',
    `Value passed to parameter '${parameter}' has DataType ${value.dtype} not in list of allowed values: float32`,
    { op, parameter, dtype: value.dtype },
  );
}
