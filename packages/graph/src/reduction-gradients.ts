// Gradients of Sum and Mean (tfjs-core 4.22 gradients/Sum_grad.js, Mean_grad.js). Departure: where sizes are unknown, ones
// come from tf.onesLike; tf.ones would first make an array of the number that stands for the size.
import * as tf from '@tensorflow/tfjs-core';
import { symbolOf } from './operation.js';
import { fill } from './recorded-constant.js';

const wrapped = new WeakSet<object>();

/** Lets the gradients of sums and means be had where sizes are unknown; other calls go to what was registered. */
export function wrapReductionGradients(): void {
  for (const kernelName of ['Sum', 'Mean']) {
    const config = tf.getGradient(kernelName);
    if (config === undefined || wrapped.has(config)) continue;
    const { gradFunc } = config;
    const mine: tf.GradConfig = {
      ...config,
      gradFunc: (dy, saved, attrs) =>
        isUnknown(saved[0]!)
          ? { x: () => reductionGradient(dy as tf.Tensor, saved[0]!, attrs, kernelName === 'Mean') }
          : gradFunc(dy, saved, attrs),
    };
    wrapped.add(mine);
    tf.registerGradient(mine);
  }
}

function isUnknown(x: tf.Tensor): boolean {
  const ref = symbolOf(x);
  return ref?.op.outputInfos[ref.index]?.tried !== undefined;
}

function reductionGradient(dy: tf.Tensor, x: tf.Tensor, attrs: tf.NamedAttrMap, mean: boolean): tf.Tensor {
  const axes = tf.util.parseAxisParam(attrs['axis'] as number | number[], x.shape);
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const spread = tf.mul(tf.reshape(dy, kept), tf.onesLike(x));
  if (!mean) return spread;
  const [, reduced] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
  // Not tf.scalar, which would round the number before it is seen that it is a size.
  return tf.div(spread, fill([], tf.util.sizeFromShape(reduced), 'float32'));
}
