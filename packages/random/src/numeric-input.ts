import {
  type ArrayLike,
  bfloat16Bits,
  bfloat16Value,
  DTYPES,
  type DType,
  float16Bits,
  float16Value,
  type NdArray,
  ndArray,
  toNdArray,
} from '@tfparity/array';
import { RandomError } from './random-error.js';

/** Nested arrays of numbers, as `tf.tensor` takes them. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** Numbers as an op takes them: nested arrays, a typed array (one axis), an array, or a tensor that can be read. */
export type NumericInput = NestedNumbers | Float32Array | Float64Array | Int32Array | ArrayLike;

/**
 * The input as an array. What has a dtype keeps it; plain numbers become `dtype`, or int32 where all are whole, else
 * float32, as TensorFlow converts Python's.
 *
 * @throws {RandomError} `InvalidShape` where rows differ in length
 */
export function numericArray(input: NumericInput, dtype?: DType): NdArray {
  if (input instanceof Float32Array) return ndArray('float32', [input.length], input);
  if (input instanceof Float64Array) return ndArray('float64', [input.length], input);
  if (input instanceof Int32Array) return ndArray('int32', [input.length], input);
  if (typeof input === 'object' && 'dtype' in input) return toNdArray(input);
  const shape: number[] = [];
  for (let at: NestedNumbers | undefined = input as NestedNumbers; Array.isArray(at); at = at[0]) shape.push(at.length);
  const flat: number[] = [];
  flatten(input as NestedNumbers, shape, 0, flat);
  const chosen = dtype ?? (flat.length > 0 && flat.every(Number.isInteger) ? 'int32' : 'float32');
  const data = new DTYPES[chosen].data!(flat.length) as Float32Array;
  if (chosen === 'int64' || chosen === 'uint64') {
    flat.forEach((value, i) => {
      (data as unknown as BigInt64Array)[i] = BigInt(value);
    });
  } else if (chosen === 'float16') data.set(flat.map(float16Bits));
  else data.set(chosen === 'bfloat16' ? flat.map(bfloat16Bits) : flat);
  return ndArray(chosen, shape, data);
}

function flatten(input: NestedNumbers, shape: readonly number[], axis: number, into: number[]): void {
  if (axis === shape.length && typeof input === 'number') {
    into.push(input);
    return;
  }
  if (!Array.isArray(input) || input.length !== shape[axis]) {
    throw new RandomError('InvalidShape', "Can't convert non-rectangular sequence to an array: rows differ in length", {
      shape,
      axis,
    });
  }
  for (const row of input) flatten(row, shape, axis + 1, into);
}

/** The values of a real array as doubles (float32 values as they are). */
export function realValues({ dtype, data }: NdArray): Float64Array | Float32Array {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  const values = Array.from(data as Iterable<number | bigint>, Number);
  if (dtype === 'float16') return Float64Array.from(values, float16Value);
  return Float64Array.from(dtype === 'bfloat16' ? values.map(bfloat16Value) : values);
}
