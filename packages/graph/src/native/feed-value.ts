import {
  type ArrayLike,
  bfloat16Bits,
  bfloat16Value,
  DTYPES,
  type DType,
  dtypeFromEnum,
  float16Bits,
  float16Value,
  type NdArray,
  type NumericData,
  ndArray,
  toNdArray,
  zeros,
} from '@tfparity/array';
import { GraphError } from '../graph-error.js';

/** What can be fed: an array, a tensor, or plain numbers, booleans and strings, nested as deep as the shape. */
export type FeedValue = ArrayLike | number | bigint | boolean | string | NumericData | readonly FeedValue[];

const encoder = new TextEncoder();

/**
 * The array to feed for a tensor of the graph's dtype: converted where no value changes but by rounding to the nearest
 * float, else an error. Whole numbers of an integer dtype are not rounded either.
 *
 * @throws {GraphError} `WrongValue` for values that the dtype cannot hold, with the first of them, or ragged lists
 */
export function feedArray(value: FeedValue, enumValue: number, name: string): NdArray {
  const dtype = dtypeFromEnum(enumValue)?.name;
  if (dtype === undefined)
    throw wrong(name, `a tensor of DataType ${enumValue} (a resource or a variant) cannot be fed`);
  if (isArrayLike(value)) return converted(toNdArray(value), dtype, name);
  if (ArrayBuffer.isView(value)) return converted(arrayOf(value, name), dtype, name);
  return fromNested(value as FeedValue, dtype, name);
}

function isArrayLike(value: FeedValue): value is ArrayLike {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value;
}

const CLASSES: Readonly<Record<string, DType>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int8Array: 'int8',
  Int16Array: 'int16',
  Int32Array: 'int32',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Uint16Array: 'uint16',
  Uint32Array: 'uint32',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64',
};

/** A typed array as it is: one axis, the dtype of its class. */
function arrayOf(data: NumericData, name: string): NdArray {
  const dtype = CLASSES[data.constructor.name];
  if (dtype === undefined) throw wrong(name, `a ${data.constructor.name} was fed`);
  const held = data.constructor.name === 'Uint8ClampedArray' ? Uint8Array.from(data as Uint8Array) : data;
  return ndArray(dtype, [held.length], held);
}

function fromNested(value: FeedValue, dtype: DType, name: string): NdArray {
  const shape: number[] = [];
  let level: unknown = value;
  for (; isList(level); level = level[0]) shape.push(level.length);
  const flat: unknown[] = [];
  collect(value, shape, 0, flat, name);
  if (dtype !== 'string') return cast({ shape, data: flat as Source['data'], exact: false }, dtype, name);
  const other = flat.find((text) => typeof text !== 'string');
  if (other !== undefined) throw wrong(name, `is string, but ${shown(other)} was fed`);
  const bytes = flat.map((text) => encoder.encode(text as string));
  return ndArray('string', shape, bytes);
}

const isList = (value: unknown): value is { readonly length: number; readonly [i: number]: unknown } =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

function collect(value: unknown, shape: readonly number[], depth: number, into: unknown[], name: string): void {
  if (!isList(value)) {
    if (depth !== shape.length) throw wrong(name, 'a ragged list was fed');
    into.push(value);
    return;
  }
  if (value.length !== shape[depth]) throw wrong(name, 'a ragged list was fed');
  for (let i = 0; i < value.length; i++) collect(value[i], shape, depth + 1, into, name);
}

function converted(array: NdArray, dtype: DType, name: string): NdArray {
  if (array.dtype === dtype) return array;
  const from = DTYPES[array.dtype];
  const other = DTYPES[dtype];
  const cannot = [from, other].some(({ kind, data }) => data === undefined || kind === 'complex');
  if (cannot) throw wrong(name, `is ${dtype}, but ${array.dtype} was fed; feed an NdArray of its dtype`);
  const half = array.dtype === 'float16' ? float16Value : array.dtype === 'bfloat16' ? bfloat16Value : undefined;
  const data = half ? Array.from(array.data as Uint16Array, half) : (array.data as NumericData);
  return cast({ shape: array.shape, data, exact: from.kind !== 'float' }, dtype, name);
}

/** Values to convert; `exact` where rounding would change them, because they are no floats. */
interface Source {
  readonly shape: readonly number[];
  readonly data: NumericData | readonly (number | bigint | boolean)[];
  readonly exact: boolean;
}

function cast({ shape, data, exact }: Source, dtype: DType, name: string): NdArray {
  const { kind, itemSize } = DTYPES[dtype];
  if (kind === 'complex') throw wrong(name, `is ${dtype}; feed an NdArray of its dtype`);
  const result = zeros(dtype, shape);
  const into = result.data as NumericData;
  const big = kind !== 'float' && itemSize === 8;
  const half = dtype === 'float16' ? float16 : dtype === 'bfloat16' ? bfloat16 : undefined;
  for (let i = 0; i < data.length; i++) {
    const value = numberOf(data[i], dtype, name);
    if (kind === 'float') {
      const wide = Number(value);
      if (half) into[i] = half.bits(wide);
      else into[i] = wide;
      const held = half ? half.value(Number(into[i])) : Number(into[i]);
      const lost =
        held !== wide && !Number.isNaN(wide) && (exact || typeof value === 'bigint' || !Number.isFinite(held));
      if (lost || (typeof value === 'bigint' && BigInt(wide) !== value)) throw cannotHold(name, dtype, value);
      continue;
    }
    if (typeof value === 'number' && !Number.isInteger(value)) throw wrong(name, `is ${dtype}, but ${value} was fed`);
    if (kind === 'bool' && Number(value) !== 0 && Number(value) !== 1) throw cannotHold(name, dtype, value);
    into[i] = (big ? BigInt(value) : Number(value)) as never;
    if (big ? BigInt(into[i]!) !== BigInt(value) : Number(into[i]) !== Number(value))
      throw cannotHold(name, dtype, value);
  }
  return result;
}

const float16 = { bits: float16Bits, value: float16Value };
const bfloat16 = { bits: bfloat16Bits, value: bfloat16Value };

function numberOf(value: unknown, dtype: DType, name: string): number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string') throw wrong(name, `is ${dtype}; strings were fed ('${value.slice(0, 40)}')`);
  throw wrong(name, `is ${dtype}, but ${shown(value)} was fed`);
}

const shown = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? `an object (${value.constructor?.name ?? 'of no class'})`
    : String(value);

function cannotHold(name: string, dtype: DType, value: unknown): GraphError {
  return wrong(name, `is ${dtype}, which cannot hold ${String(value)}`);
}

function wrong(name: string, what: string): GraphError {
  return new GraphError('WrongValue', `feed of '${name}': ${what}`, { name });
}
