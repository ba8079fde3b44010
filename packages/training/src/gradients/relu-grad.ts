import * as tf from '@tensorflow/tfjs-core';
import { defineKernel } from '../training-kernel.js';

/**
 * The gradient of a relu: TensorFlow's own op on `tensorflow`, where tfjs calls seven and keeps a constant of the
 * tensor's size.
 *
 * @param features  the relu's input or its output, which are positive in the same places
 */
export function reluGrad(dy: tf.Tensor, features: tf.Tensor): tf.Tensor {
  defineKernel({
    name: 'ReluGrad',
    native: { op: 'ReluGrad', inputs: ['dy', 'features'], outputs: 1 },
    portable: ([dyInfo], read) => {
      const [gradients, values] = [read(0), read(1)];
      // A product, as TensorFlow has it: it keeps the sign of a zero and spreads what is not finite.
      const results = new Float32Array(gradients.length);
      for (let i = 0; i < results.length; i++) results[i] = gradients[i]! * Number(values[i]! > 0);
      return [{ shape: [...dyInfo!.shape], values: results }];
    },
    // Of the second order (nn_grad.py, _ReluGradGrad): by dy alone.
    gradient: {
      kernelName: 'ReluGrad',
      inputsToSave: ['features'],
      gradFunc: (ddx, [saved]) => ({
        dy: () => reluGrad(ddx as tf.Tensor, saved!),
        features: () => tf.zerosLike(saved!),
      }),
    },
  });
  return tf.engine().runKernel<tf.Tensor>('ReluGrad', { dy, features });
}
