import * as tf from '@tensorflow/tfjs-core';
import { defineKernel } from '../training-kernel.js';

/** The gradient of a bias: the sum over all axes but the last, by TensorFlow's own op on `tensorflow`. */
export function biasAddGrad(dy: tf.Tensor): tf.Tensor {
  defineKernel({
    name: 'BiasAddGrad',
    native: { op: 'BiasAddGrad', inputs: ['dy'], outputs: 1, strings: { data_format: 'NHWC' } },
    portable: ([dyInfo], read) => {
      const values = read(0);
      const channels = dyInfo!.shape[dyInfo!.shape.length - 1]!;
      // In double precision, rounded once.
      const sums = new Float64Array(channels);
      for (let i = 0; i < values.length; i += channels) for (let c = 0; c < channels; c++) sums[c]! += values[i + c]!;
      return [{ shape: [channels], values: Float32Array.from(sums) }];
    },
    // Of the second order (nn_grad.py, _BiasAddGradGrad): to every place.
    gradient: {
      kernelName: 'BiasAddGrad',
      inputsToSave: ['dy'],
      gradFunc: (gradient, [saved]) => ({ dy: () => tf.mul(tf.onesLike(saved!), gradient as tf.Tensor) }),
    },
  });
  return tf.engine().runKernel<tf.Tensor>('BiasAddGrad', { dy });
}
