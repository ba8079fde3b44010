// Ports tf.stop_gradient (python/ops, TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { defineKernel } from './training-kernel.js';

/** The tensor itself, past which gradients do not go: what lies behind it counts as a constant. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  // Gradients pass no other dtype anyway.
  if (x.dtype !== 'float32') return tf.clone(x);
  defineKernel({
    name: 'StopGradient',
    native: { op: 'StopGradient', inputs: ['input'], outputs: 1 },
    portable: ([info], read) => [{ shape: [...info!.shape], values: read(0).slice() }],
    gradient: {
      kernelName: 'StopGradient',
      // tfjs's own tape knows no null.
      gradFunc: (dy) => ({ input: () => tf.zerosLike(dy as tf.Tensor) }),
    },
  });
  return tf.engine().runKernel<T>('StopGradient', { input: x });
}
