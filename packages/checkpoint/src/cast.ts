import {
  bfloat16Bits,
  bfloat16Value,
  DTYPES,
  type DType,
  float16Bits,
  float16Value,
  type NdArray,
  type NumericData,
  zeros,
} from '@tfparity/array';
import { CheckpointError, type Where } from './errors.js';

/**
 * The values in another dtype: floats are rounded to the nearest, towards whole numbers they are cut off, as tf.cast does.
 *
 * @throws {CheckpointError} `Mismatch` for strings, for complex to real, and for a value that the dtype cannot hold
 */
export function castArray(array: NdArray, dtype: DType, where: Where = {}): NdArray {
  if (array.dtype === dtype) return array;
  const [from, to] = [DTYPES[array.dtype], DTYPES[dtype]];
  if (Array.isArray(array.data) || to.kind === 'string' || (from.kind === 'complex' && to.kind !== 'complex')) {
    throw new CheckpointError('Mismatch', `${array.dtype} cannot be cast to ${dtype}`, where);
  }
  const result = zeros(dtype, array.shape);
  const source = array.data;
  const target = result.data as NumericData;
  const step = to.lanes / from.lanes;
  for (let i = 0; i < source.length; i++) {
    const value = source[i]!;
    const plain =
      array.dtype === 'float16'
        ? float16Value(Number(value))
        : array.dtype === 'bfloat16'
          ? bfloat16Value(Number(value))
          : value;
    store(target, i * step, plain, dtype, where);
  }
  return result;
}

function store(target: NumericData, at: number, value: number | bigint, dtype: DType, where: Where): void {
  const { kind } = DTYPES[dtype];
  if (kind === 'bool') target[at] = Number(value) !== 0 ? 1 : 0;
  else if (dtype === 'float16') target[at] = float16Bits(Number(value));
  else if (dtype === 'bfloat16') target[at] = bfloat16Bits(Number(value));
  else if (kind === 'float' || kind === 'complex') target[at] = Number(value);
  else {
    const whole = typeof value === 'bigint' ? value : Math.trunc(value);
    if (typeof whole === 'number' && !Number.isFinite(whole)) throw cannot(value, dtype, where);
    if (target instanceof BigInt64Array || target instanceof BigUint64Array) target[at] = BigInt(whole);
    else target[at] = Number(whole);
    // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number of one value are equal only so
    if (target[at] != whole) throw cannot(value, dtype, where);
  }
}

const cannot = (value: number | bigint, dtype: DType, where: Where): CheckpointError =>
  new CheckpointError('Mismatch', `the value ${value} cannot be a ${dtype}`, where, { value: String(value), dtype });
