import { type ArrayData, DTYPES, type DType, type NumericData } from './dtype.js';
import { ArrayError } from './errors.js';
import { formatShape, type Shape, sizeOf } from './shape.js';

/** An array below the TensorFlow.js line: `data` is row-major, of the class that `DTYPES[dtype].data` names. */
export interface NdArray<D extends ArrayData = ArrayData> {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: D;
}

/** Anything that can be read as an array at once: an `NdArray`, or a tensor on a backend that reads synchronously. */
export type ArrayLike =
  | NdArray
  | { readonly dtype: string; readonly shape: readonly number[]; dataSync(): ArrayLike.TensorData };

export declare namespace ArrayLike {
  /** What `dataSync` of a TensorFlow.js tensor returns. */
  type TensorData = Float32Array | Int32Array | Uint8Array | string[] | Uint8Array[];
}

/** How many numbers (or strings) the data of such an array holds. */
export function dataLength(dtype: DType, shape: Shape): number {
  return sizeOf(shape) * DTYPES[dtype].lanes;
}

/**
 * An array of the given dtype, shape and data, checked; `data` is kept, not copied.
 *
 * @throws {ArrayError} `WrongData` for a class of data that is not the dtype's, `LengthMismatch` for too few or too many
 */
export function ndArray<D extends ArrayData>(dtype: DType, shape: Shape, data: D): NdArray<D> {
  const { data: Data } = DTYPES[dtype];
  const fits = Data === undefined ? Array.isArray(data) : data instanceof Data;
  if (!fits) {
    const found = Array.isArray(data) ? 'an Array' : data.constructor.name;
    const needed = Data?.name ?? 'an Array of Uint8Array';
    throw new ArrayError('WrongData', `a ${dtype} array keeps its data in ${needed}, not in ${found}`, {
      dtype,
      found,
    });
  }
  const needed = dataLength(dtype, shape);
  if (data.length !== needed) {
    throw new ArrayError(
      'LengthMismatch',
      `a ${dtype} array of shape ${formatShape(shape)} has ${needed} values, not ${data.length}`,
      { dtype, shape, expected: needed, actual: data.length },
    );
  }
  return { dtype, shape: [...shape], data };
}

/** An array of zeros (empty strings, `false`). */
export function zeros(dtype: DType, shape: Shape): NdArray {
  const { data: Data } = DTYPES[dtype];
  const length = dataLength(dtype, shape);
  return { dtype, shape: [...shape], data: Data ? new Data(length) : Array.from({ length }, () => new Uint8Array(0)) };
}

const utf8 = new TextEncoder();

/**
 * The array itself, or the values of a tensor as an array (a download from the backend; the tensor stays the caller's).
 * A tensor's bools become 0 and 1, its strings UTF-8 bytes.
 *
 * @throws {ArrayError} `UnknownDType` for a dtype that TensorFlow does not have
 */
export function toNdArray(source: ArrayLike): NdArray {
  const dtype = source.dtype as DType;
  if (!Object.hasOwn(DTYPES, dtype)) {
    throw new ArrayError(
      'UnknownDType',
      `'${source.dtype}' is not a dtype; known are ${Object.keys(DTYPES).join(', ')}`,
      {
        dtype: source.dtype,
      },
    );
  }
  if ('data' in source && typeof source.data !== 'function') return source as NdArray;
  const values = (source as { dataSync(): ArrayLike.TensorData }).dataSync();
  if (dtype === 'string') {
    const strings = Array.from(values as (string | Uint8Array)[], (s) => (typeof s === 'string' ? utf8.encode(s) : s));
    return { dtype, shape: [...source.shape], data: strings };
  }
  const Data = DTYPES[dtype].data!;
  const data =
    values instanceof Data ? values : (Data as unknown as { from(v: Iterable<unknown>): NumericData }).from(values);
  return ndArray(dtype, source.shape, data as NumericData);
}

/** The bytes of a numeric array, as they lie in memory (little endian); a view, not a copy. */
export function bytesOf(array: NdArray): Uint8Array {
  if (Array.isArray(array.data)) {
    throw new ArrayError('WrongData', 'a string array has no fixed bytes', { dtype: array.dtype });
  }
  return new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
}
