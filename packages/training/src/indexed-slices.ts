// Ports tf.IndexedSlices (python/framework/indexed_slices.py) and Optimizer._deduplicate_indexed_slices (TF 2.21).
import type * as tf from '@tensorflow/tfjs-core';

/** The gradient of rows of a variable: `values[i]` belongs to row `indices[i]`; rows may appear more than once. */
export class IndexedSlices {
  constructor(
    /** [n, ...the variable's shape after its first axis] */
    readonly values: tf.Tensor,
    /** int32 [n] */
    readonly indices: tf.Tensor1D,
    /** The shape of the whole. */
    readonly denseShape: readonly number[],
  ) {}

  /** Frees values and indices. */
  dispose(): void {
    this.values.dispose();
    this.indices.dispose();
  }
}

/** Rows of which none appears twice. */
export interface UniqueRows {
  readonly indices: Int32Array;
  readonly values: Float32Array;
}

/** Sums the rows that appear more than once, in the order of their first appearance, each sum in order, from zero. */
export function sumDuplicateRows(indices: Int32Array, values: Float32Array, columns: number): UniqueRows {
  const positions = new Map<number, number>();
  for (const row of indices) if (!positions.has(row)) positions.set(row, positions.size);
  const summed = new Float32Array(positions.size * columns);
  for (let i = 0; i < indices.length; i++) {
    const to = positions.get(indices[i]!)! * columns;
    for (let c = 0; c < columns; c++) summed[to + c] = summed[to + c]! + values[i * columns + c]!;
  }
  return { indices: Int32Array.from(positions.keys()), values: summed };
}
