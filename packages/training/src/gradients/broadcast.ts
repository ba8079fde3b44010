import * as tf from '@tensorflow/tfjs-core';

/** A gradient summed over the axes along which an input of `shape` was broadcast. */
export function sumTo(gradient: tf.Tensor, shape: readonly number[]): tf.Tensor {
  if (tf.util.arraysEqual(gradient.shape, [...shape])) return gradient;
  const axes = tf.broadcast_util.getReductionAxes([...shape], gradient.shape);
  const summed = axes.length === 0 ? gradient : tf.sum(gradient, axes);
  return tf.reshape(summed, [...shape]);
}

/** The axes that a reduction goes over, from its attribute; all of them where it says none. */
export function axesOf(axis: unknown, rank: number): number[] {
  const shape = new Array<number>(rank).fill(1);
  return tf.util.parseAxisParam((axis ?? shape.map((_, i) => i)) as number | number[], shape).sort((a, b) => a - b);
}

/** A reduced tensor with the axes that it lost, of size one; sizes are not asked for, so that unknown ones stay unknown. */
export function keepDims(reduced: tf.Tensor, axes: readonly number[], rank: number): tf.Tensor {
  if (reduced.rank === rank) return reduced;
  return axes.reduce((tensor, axis) => tf.expandDims(tensor, axis), reduced);
}
