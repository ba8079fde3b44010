import * as tf from '@tensorflow/tfjs-core';

/** TF1's default initializer of floating variables: glorot uniform, one random op. */
export function glorotUniform(shape: readonly number[]): tf.Tensor {
  const receptive = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  const fanIn = shape.length < 2 ? (shape[0] ?? 1) : receptive * (shape[shape.length - 2] ?? 1);
  const fanOut = shape.length < 2 ? (shape[0] ?? 1) : receptive * (shape[shape.length - 1] ?? 1);
  const limit = Math.sqrt(3 / Math.max(1, (fanIn + fanOut) / 2));
  return tf.randomUniform([...shape], -limit, limit);
}
