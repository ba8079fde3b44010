// Ports backprop_util.AggregateIndexedSlicesGradients and the conversion of IndexedSlices to a tensor (TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { IndexedSlices } from '../indexed-slices.js';

const KERNEL = 'UnsortedSegmentSum';

interface Backend {
  readSync(dataId: tf.DataId): Float32Array | Int32Array;
  write(values: Float32Array, shape: number[], dtype: tf.DataType): tf.DataId;
}

/** TensorFlow.js's wasm backend has no such kernel: it gets one on first use. */
function ensureSegmentSum(): void {
  if (tf.getKernel(KERNEL, 'wasm') !== undefined) return;
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, segmentIds } = inputs as Record<'x' | 'segmentIds', tf.TensorInfo>;
      const { numSegments } = attrs as unknown as { numSegments: number };
      const { readSync, write } = backend as Backend;
      const values = readSync.call(backend, x.dataId);
      const ids = readSync.call(backend, segmentIds.dataId);
      const shape = [numSegments, ...x.shape.slice(1)];
      const columns = tf.util.sizeFromShape(x.shape.slice(1));
      const sums = new Float32Array(numSegments * columns);
      for (let i = 0; i < ids.length; i++) {
        const to = ids[i]! * columns;
        for (let c = 0; c < columns; c++) sums[to + c] = sums[to + c]! + values[i * columns + c]!;
      }
      return { dataId: write.call(backend, sums, shape, 'float32'), shape, dtype: 'float32' };
    },
  });
}

/** The rows put into a tensor of the whole's shape, zeros elsewhere; rows that appear twice are summed. */
export function toDense({ values, indices, denseShape }: IndexedSlices): tf.Tensor {
  ensureSegmentSum();
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
