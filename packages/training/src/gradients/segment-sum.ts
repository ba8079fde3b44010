import * as tf from '@tensorflow/tfjs-core';

interface PortableBackend {
  readSync(dataId: tf.DataId): Float32Array | Int32Array;
  write(values: Float32Array, shape: number[], dtype: tf.DataType): tf.DataId;
}

/** Rows of x added to the rows of the result that their ids name; those with a negative id to none. */
const unsortedSegmentSum: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const [x, ids] = [inputs['x']!, inputs['segmentIds']!];
  const { readSync, write } = backend as PortableBackend;
  const segments = (attrs as unknown as { numSegments: number }).numSegments;
  const [values, rows] = [readSync.call(backend, x.dataId), readSync.call(backend, ids.dataId)];
  const width = rows.length === 0 ? 0 : values.length / rows.length;
  const shape = [segments, ...x.shape.slice(ids.shape.length)];
  // In double precision, rounded once.
  const sums = new Float64Array(tf.util.sizeFromShape(shape));
  rows.forEach((row, i) => {
    if (row < 0 || row >= segments) return;
    for (let j = 0; j < width; j++) sums[row * width + j]! += values[i * width + j]!;
  });
  return { dataId: write.call(backend, Float32Array.from(sums), shape, 'float32'), shape, dtype: 'float32' };
};

/** Registers the kernel that gradients of `gather` need, where tfjs-backend-wasm has none. */
export function registerSegmentSum(): void {
  const kernelName = 'UnsortedSegmentSum';
  if (tf.getKernel(kernelName, 'wasm') !== undefined) return;
  tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: unsortedSegmentSum });
}
