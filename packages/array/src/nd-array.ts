import { type ArrayData, DTYPES, type DType, type DTypeInfo, isDType, type NumericData } from './dtype.js';
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

/**
 * How many numbers (or strings) the data of such an array holds.
 *
 * @throws {ArrayError} `UnknownDType`, `InvalidShape`
 */
export function dataLength(dtype: DType, shape: Shape): number {
  return sizeOf(shape) * known(dtype).lanes;
}

/** The facts of a dtype, whatever a caller without types gave. */
function known(dtype: unknown): DTypeInfo {
  if (isDType(dtype)) return DTYPES[dtype];
  const message = `'${String(dtype)}' is not a dtype; known are ${Object.keys(DTYPES).join(', ')}`;
  throw new ArrayError('UnknownDType', message, { dtype });
}

/** What a value is, for a message. */
function classOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'object';
}

/**
 * An array of the given dtype, shape and data, checked; `data` is kept, not copied.
 *
 * @throws {ArrayError} `UnknownDType`, `InvalidShape`, `WrongData` for a class of data that is not the dtype's, `LengthMismatch` for
 * too few or too many values
 */
export function ndArray<D extends ArrayData>(dtype: DType, shape: Shape, data: D): NdArray<D> {
  const { data: Data } = known(dtype);
  const fits = Data === undefined ? Array.isArray(data) : data instanceof Data;
  if (!fits) {
    const found = Array.isArray(data) ? 'an Array' : classOf(data);
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

/** No JavaScript array of any class is longer. */
const MOST_ELEMENTS = 2 ** 32 - 1;

/**
 * An array of zeros (empty strings, `false`).
 *
 * @throws {ArrayError} `UnknownDType`, `InvalidShape`, also for more values than memory has room for
 */
export function zeros(dtype: DType, shape: Shape): NdArray {
  const { data: Data, itemSize } = known(dtype);
  const length = dataLength(dtype, shape);
  if (Data === undefined && length <= MOST_ELEMENTS) {
    return { dtype, shape: [...shape], data: Array.from({ length }, () => new Uint8Array(0)) };
  }
  try {
    if (Data !== undefined) return { dtype, shape: [...shape], data: new Data(length) };
  } catch (cause) {
    throw tooLarge(dtype, shape, length * Math.max(itemSize, 1), cause);
  }
  throw tooLarge(dtype, shape, length);
}

function tooLarge(dtype: DType, shape: Shape, bytes: number, cause?: unknown): ArrayError {
  const message = `a ${dtype} array of shape ${formatShape(shape)} needs ${bytes} bytes, more than one array can hold`;
  return new ArrayError('InvalidShape', message, { dtype, shape, bytes }, { cause });
}

const utf8 = new TextEncoder();

/**
 * The array itself, checked as by `ndArray`, or the values of a tensor as an array (a download from the backend; the tensor stays
 * the caller's). A tensor's bools become 0 and 1, its strings UTF-8 bytes.
 *
 * @throws {ArrayError} `UnknownDType` for a dtype that TensorFlow does not have; `WrongData` for what is neither array nor tensor;
 * `InvalidShape`, `WrongData`, `LengthMismatch` for an array that is not what it says
 */
export function toNdArray(source: ArrayLike): NdArray {
  if (typeof source !== 'object' || source === null || !('dtype' in source)) {
    throw new ArrayError('WrongData', `${classOf(source)} is neither an array {dtype, shape, data} nor a tensor`, {
      found: classOf(source),
    });
  }
  const dtype = known(source.dtype).name;
  if ('data' in source && typeof source.data !== 'function') {
    ndArray(dtype, source.shape, source.data);
    return source as NdArray;
  }
  if (typeof (source as { dataSync?: unknown }).dataSync !== 'function') {
    throw new ArrayError('WrongData', `an object with a dtype (${dtype}) has neither data nor dataSync()`, { dtype });
  }
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
