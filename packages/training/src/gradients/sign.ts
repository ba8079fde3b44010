import * as tf from '@tensorflow/tfjs-core';
import { defineKernel } from '../training-kernel.js';

/** The sign as TensorFlow has it: NaN of NaN, where tfjs's kernels for wasm and cpu have 0, and wasm's 0 of tiny values too. */
export function signOf(x: tf.Tensor): tf.Tensor {
  defineKernel({
    name: 'ExactSign',
    native: { op: 'Sign', inputs: ['x'], outputs: 1 },
    portable: ([info], read) => [{ shape: [...info!.shape], values: read(0).map(Math.sign) }],
    // tfjs's own tape knows no null.
    gradient: { kernelName: 'ExactSign', gradFunc: (dy) => ({ x: () => tf.zerosLike(dy as tf.Tensor) }) },
  });
  return tf.engine().runKernel<tf.Tensor>('ExactSign', { x });
}
