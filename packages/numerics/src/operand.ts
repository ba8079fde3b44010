import {
  ArrayError,
  type ArrayLike,
  DTYPES,
  type DType,
  type NdArray,
  type NumericData,
  toNdArray,
} from '@tfparity/array';
import { NumericsError } from './errors.js';

/** Nested lists of numbers, read as numpy reads Python's: whole array `float64` (`bool`, `int64` for all-boolean, all-bigint). */
export type NestedList = readonly (number | boolean | bigint | NestedList)[];

/** What can be compared: an `NdArray`, a tensor, a typed array (one axis), a number, or nested lists of numbers. */
export type Operand = ArrayLike | NumericData | number | bigint | boolean | NestedList;

/** numpy's greatest number of axes; lists nested deeper, or in themselves, are no arrays. */
export const MOST_AXES = 64;

const BY_CLASS: Readonly<Record<string, DType>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int8Array: 'int8',
  Int16Array: 'int16',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Uint16Array: 'uint16',
  Uint32Array: 'uint32',
  BigUint64Array: 'uint64',
};

/** Whether `value` can be read by `toArray`; lists are looked at no deeper than their first element. */
export function isOperand(value: unknown): value is Operand {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return true;
  if (typeof value !== 'object' || value === null) return false;
  return ArrayBuffer.isView(value) ? classOf(value) !== undefined : isArrayLike(value) || isNumberList(value);
}

/** Whether `value` is an `NdArray` or a tensor. */
export function isArrayLike(value: unknown): value is ArrayLike {
  if (typeof value !== 'object' || value === null || !('dtype' in value) || !('shape' in value)) return false;
  return typeof value.dtype === 'string' && Array.isArray(value.shape) && ('data' in value || 'dataSync' in value);
}

function classOf(value: object): DType | undefined {
  return BY_CLASS[value.constructor.name];
}

function isNumberList(value: unknown): value is NestedList {
  if (!Array.isArray(value)) return false;
  let first: unknown = value;
  for (let depth = 0; Array.isArray(first); depth++) {
    if (first.length === 0) return true;
    if (depth === MOST_AXES) return false;
    first = first[0];
  }
  return typeof first === 'number' || typeof first === 'bigint' || typeof first === 'boolean';
}

/**
 * The operand as an array, without a copy where it is one already.
 *
 * @throws {NumericsError} `NotAnArray` for anything else, for arrays that are not what they say, and for lists that are ragged
 */
export function toArray(value: Operand): NdArray {
  if (typeof value === 'object' && value !== null) {
    if (isArrayLike(value)) return checked(value);
    if (value instanceof Uint8ClampedArray)
      return toArray(new Uint8Array(value.buffer, value.byteOffset, value.length));
    if (ArrayBuffer.isView(value)) {
      const dtype = classOf(value);
      if (dtype !== undefined) return { dtype, shape: [(value as NumericData).length], data: value as NumericData };
    } else if (Array.isArray(value)) return listToArray(value as NestedList);
  }
  if (typeof value === 'number') return { dtype: 'float64', shape: [], data: Float64Array.of(value) };
  if (typeof value === 'boolean') return { dtype: 'bool', shape: [], data: Uint8Array.of(value ? 1 : 0) };
  if (typeof value === 'bigint') return bigints([value], []);
  throw new NumericsError(
    'NotAnArray',
    `${describe(value)} cannot be compared as an array; give {dtype, shape, data}, a tensor, a typed array, numbers or lists of them`,
  );
}

function checked(value: ArrayLike): NdArray {
  try {
    return toNdArray(value);
  } catch (cause) {
    if (!(cause instanceof ArrayError)) throw cause;
    throw new NumericsError('NotAnArray', cause.message, cause.details, { cause });
  }
}

function describe(value: unknown): string {
  return value === null
    ? 'null'
    : typeof value === 'object'
      ? `an object of class ${value.constructor?.name}`
      : typeof value;
}

function bigints(values: bigint[], shape: number[]): NdArray {
  const unsigned = values.some((v) => v >= 1n << 63n);
  return unsigned
    ? { dtype: 'uint64', shape, data: BigUint64Array.from(values) }
    : { dtype: 'int64', shape, data: BigInt64Array.from(values) };
}

function listToArray(list: NestedList): NdArray {
  const shape: number[] = [];
  for (let at: unknown = list; Array.isArray(at); at = at[0]) {
    if (shape.push(at.length) > MOST_AXES) {
      throw new NumericsError('NotAnArray', `the lists are nested deeper than ${MOST_AXES} axes; numpy has no more`);
    }
  }
  const flat: (number | boolean | bigint)[] = [];
  const walk = (item: unknown, depth: number): void => {
    const isList = Array.isArray(item);
    if (isList !== depth < shape.length || (isList && item.length !== shape[depth])) {
      throw new NumericsError(
        'NotAnArray',
        `the lists are ragged at depth ${depth}; every list of a depth needs the same length`,
      );
    }
    if (isList) for (const inner of item as readonly unknown[]) walk(inner, depth + 1);
    else if (typeof item === 'number' || typeof item === 'boolean' || typeof item === 'bigint') flat.push(item);
    else throw new NumericsError('NotAnArray', `a list of numbers holds ${describe(item)}, which is no number`);
  };
  walk(list, 0);
  if (flat.length > 0 && flat.every((v) => typeof v === 'boolean')) {
    return { dtype: 'bool', shape, data: Uint8Array.from(flat, Number) };
  }
  if (flat.length > 0 && flat.every((v) => typeof v === 'bigint')) return bigints(flat as bigint[], shape);
  return { dtype: 'float64', shape, data: Float64Array.from(flat, Number) };
}

/**
 * The array, if its values are numbers.
 *
 * @throws {NumericsError} `NotNumeric` for strings
 */
export function numeric(array: NdArray): NdArray<NumericData> {
  if (Array.isArray(array.data) || DTYPES[array.dtype].kind === 'string') {
    throw new NumericsError(
      'NotNumeric',
      'strings have no distance; compareArrays and compareTrees compare them byte by byte',
      {
        dtype: array.dtype,
      },
    );
  }
  return array as NdArray<NumericData>;
}
