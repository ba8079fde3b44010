// Ports backprop_util.AggregateIndexedSlicesGradients and the conversion of IndexedSlices to a tensor (TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { IndexedSlices } from '../indexed-slices.js';

/** The rows put into a tensor of the whole's shape, zeros elsewhere; rows that appear twice are summed. */
export function toDense({ values, indices, denseShape }: IndexedSlices): tf.Tensor {
  return tf.unsortedSegmentSum(values, indices, denseShape[0]!);
}

/** The sum of gradients of which some are rows: rows as long as all are and `dense` is not asked for. */
export function addIndexedSlices(
  gradients: readonly (tf.Tensor | IndexedSlices)[],
  dense = false,
): tf.Tensor | IndexedSlices {
  const slices = gradients.filter((gradient) => gradient instanceof IndexedSlices);
  if (!dense && slices.length === gradients.length) {
    const values = tf.concat(slices.map((slice) => slice.values));
    const indices = tf.concat(slices.map((slice) => slice.indices)) as tf.Tensor1D;
    return new IndexedSlices(values, indices, slices[0]!.denseShape);
  }
  return tf.tidy(() => {
    const tensors = gradients.map((gradient) => (gradient instanceof IndexedSlices ? toDense(gradient) : gradient));
    return tensors.length === 1 ? tensors[0]! : tf.addN(tensors);
  });
}
