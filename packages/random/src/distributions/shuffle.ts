// Port of RandomShuffle (tensorflow/core/kernels/shuffle_common.h, TensorFlow 2.21): Fisher-Yates along the first axis.
import { type NdArray, type NumericData, sizeOf } from '@tfparity/array';
import type { Philox } from '../philox-generator.js';
import { eachPiece } from './fill.js';

/** Row `i` of the result is row `permutation[i]` of the input; `generator` gives `size - 1` numbers. */
export function shuffledIndices(generator: Philox, size: number): Uint32Array {
  const permutation = Uint32Array.from({ length: size }, (_, i) => i);
  eachPiece(generator, size - 1, (words, from, count) => {
    for (let k = 0; k < count; k++) {
      const i = from + k;
      const j = i + ((words[k]! >>> 0) % (size - i));
      const kept = permutation[i]!;
      permutation[i] = permutation[j]!;
      permutation[j] = kept;
    }
  });
  return permutation;
}

/**
 * A copy of `value` with the rows of its first axis shuffled; any dtype. `reserve` is asked for the numbers only
 * where there is something to shuffle, as in TensorFlow.
 */
export function shuffleRows(value: NdArray, reserve: (words: number) => Philox): NdArray {
  const rows = value.shape[0] ?? 0;
  const data = value.data;
  if (rows <= 1 || sizeOf(value.shape) <= 1) return { ...value, data: data.slice() as NdArray['data'] };
  const permutation = shuffledIndices(reserve(rows - 1), rows);
  const width = data.length / rows;
  if (Array.isArray(data)) {
    const shuffled: Uint8Array[] = [];
    for (const row of permutation) shuffled.push(...data.slice(row * width, (row + 1) * width));
    return { ...value, data: shuffled };
  }
  const shuffled = data.slice() as Float32Array;
  const source = data as NumericData as Float32Array;
  permutation.forEach((row, i) => {
    shuffled.set(source.subarray(row * width, (row + 1) * width), i * width);
  });
  return { ...value, data: shuffled };
}
