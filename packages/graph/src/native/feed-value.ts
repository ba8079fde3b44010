import {
  type ArrayLike,
  DTYPES,
  type DType,
  dtypeFromEnum,
  type NdArray,
  ndArray,
  toNdArray,
  zeros,
} from '@tfparity/array';
import { GraphError } from '../graph-error.js';

/** What can be fed: an array, a tensor, or plain numbers, booleans and strings, nested as deep as the shape. */
export type FeedValue = ArrayLike | number | bigint | boolean | string | readonly FeedValue[];

const encoder = new TextEncoder();

/**
 * The array to feed for a tensor of the graph's dtype: converted where no value changes, else an error.
 *
 * @throws {GraphError} `WrongValue` for values that the dtype cannot hold, or ragged lists
 */
export function feedArray(value: FeedValue, enumValue: number, name: string): NdArray {
  const dtype = dtypeFromEnum(enumValue)?.name;
  if (dtype === undefined)
    throw wrong(name, `a tensor of DataType ${enumValue} (a resource or a variant) cannot be fed`);
  const array = isArrayLike(value) ? toNdArray(value) : fromNested(value, dtype, name);
  return array.dtype === dtype ? array : convert(array, dtype, name);
}

function isArrayLike(value: FeedValue): value is ArrayLike {
  return typeof value === 'object' && 'dtype' in value && 'shape' in value;
}

function fromNested(value: FeedValue, dtype: DType, name: string): NdArray {
  const shape: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0] as FeedValue) shape.push(level.length);
  const flat: unknown[] = [];
  collect(value, shape, 0, flat, name);
  const text = flat.length > 0 ? typeof flat[0] === 'string' : dtype === 'string';
  if (text !== (dtype === 'string'))
    throw wrong(name, `is ${dtype}; ${text ? 'strings were' : 'something else was'} fed`);
  if (text)
    return ndArray(
      'string',
      shape,
      flat.map((s) => encoder.encode(s as string)),
    );
  if (DTYPES[dtype].data === BigInt64Array || DTYPES[dtype].data === BigUint64Array) {
    const Data = dtype === 'int64' ? BigInt64Array : BigUint64Array;
    return ndArray(dtype, shape, Data.from(flat.map((n) => BigInt(n as number))));
  }
  return convert(ndArray('float64', shape, Float64Array.from(flat as number[], Number)), dtype, name);
}

function collect(value: FeedValue, shape: readonly number[], depth: number, into: unknown[], name: string): void {
  if (!Array.isArray(value)) {
    if (depth !== shape.length) throw wrong(name, 'a ragged list was fed');
    into.push(value);
    return;
  }
  if (value.length !== shape[depth]) throw wrong(name, 'a ragged list was fed');
  for (const item of value as FeedValue[]) collect(item, shape, depth + 1, into, name);
}

function convert(array: NdArray, dtype: DType, name: string): NdArray {
  const to = DTYPES[dtype];
  const from = DTYPES[array.dtype];
  const halves = [dtype, array.dtype].some((d) => d === 'float16' || d === 'bfloat16');
  if (
    Array.isArray(array.data) ||
    to.data === undefined ||
    halves ||
    to.kind === 'complex' ||
    from.kind === 'complex'
  ) {
    throw wrong(name, `is ${dtype}, but ${array.dtype} was fed; feed an NdArray of its dtype`);
  }
  const whole = to.kind !== 'float';
  const big = whole && to.itemSize === 8;
  const result = zeros(dtype, array.shape);
  const into = result.data as (number | bigint)[] | NdArray['data'];
  for (let i = 0; i < array.data.length; i++) {
    const v = array.data[i]!;
    if (whole && typeof v === 'number' && !Number.isInteger(v)) throw wrong(name, `is ${dtype}, but ${v} was fed`);
    into[i] = (big ? BigInt(v) : Number(v)) as never;
    if (whole && Number(into[i]) !== Number(v)) throw wrong(name, `is ${dtype}, which cannot hold ${v}`);
  }
  return result;
}

function wrong(name: string, what: string): GraphError {
  return new GraphError('WrongValue', `feed of '${name}': ${what}`, { name });
}
