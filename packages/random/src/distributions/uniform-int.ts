// Port of UniformDistribution for int32 and int64 (xla/tsl/lib/random/random_distributions.h, TensorFlow 2.21):
// lo + bits mod (hi - lo), with the slight bias that this has.
import type { DType, NumericData } from '@tfparity/array';
import type { Philox } from '../philox-generator.js';
import { RandomError } from '../random-error.js';
import { eachPiece } from './fill.js';

/**
 * Fills `data` with whole numbers of [minval, maxval), from where the generator is.
 *
 * @throws {RandomError} `InvalidArgument` unless both bounds are of the dtype and minval < maxval
 */
export function fillUniformInt(
  generator: Philox,
  dtype: DType,
  data: NumericData,
  { minval, maxval }: { minval?: number | bigint; maxval?: number | bigint },
  op = 'RandomUniformInt',
): void {
  const lo = bound(op, dtype, 'minval', minval);
  const hi = bound(op, dtype, 'maxval', maxval);
  // The kernel returns an empty result before it looks at the bounds.
  if (data.length === 0) return;
  if (lo >= hi) {
    throw new RandomError('InvalidArgument', `Need minval < maxval, got ${lo} >= ${hi}`, {
      op,
      minval: String(lo),
      maxval: String(hi),
    });
  }
  if (dtype === 'int32') fillUniformInt32(generator, data as Int32Array, Number(lo), Number(hi));
  else fillUniformInt64(generator, data as BigInt64Array, lo, hi);
}

function bound(op: string, dtype: DType, name: string, value: number | bigint | undefined): bigint {
  const width = dtype === 'int32' ? 32 : 64;
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value) ? BigInt(value!) : undefined;
  if (whole !== undefined && BigInt.asIntN(width, whole) === whole) return whole;
  throw new RandomError('InvalidArgument', `${op}: ${name} is ${String(value)}, which is not an ${dtype}`, {
    op,
    dtype,
    [name]: String(value),
  });
}

/** Fills `data` with int32 of [minval, maxval), which are int32 themselves. */
export function fillUniformInt32(generator: Philox, data: Int32Array, minval: number, maxval: number): void {
  const range = maxval - minval;
  eachPiece(generator, data.length, (words, from, count) => {
    for (let i = 0; i < count; i++) data[from + i] = minval + ((words[i]! >>> 0) % range);
  });
}

/** Fills `data` with int64 of [minval, maxval), which are int64 themselves. */
export function fillUniformInt64(generator: Philox, data: BigInt64Array, minval: bigint, maxval: bigint): void {
  const range = maxval - minval;
  // Up to 2^21, (high mod range) * 2^32 + low is exact in a double.
  if (range <= 0x200000n) {
    fillSmallRange(generator, data, minval, Number(range));
    return;
  }
  eachPiece(generator, 2 * data.length, (words, from, count) => {
    for (let i = 0, to = from / 2; i < count; i += 2) {
      const bits = (BigInt(words[i + 1]! >>> 0) << 32n) | BigInt(words[i]! >>> 0);
      data[to++] = minval + (bits % range);
    }
  });
}

function fillSmallRange(generator: Philox, data: BigInt64Array, minval: bigint, range: number): void {
  eachPiece(generator, 2 * data.length, (words, from, count) => {
    for (let i = 0, to = from / 2; i < count; i += 2) {
      const rest = (((words[i + 1]! >>> 0) % range) * 0x1_0000_0000 + (words[i]! >>> 0)) % range;
      data[to++] = minval + BigInt(rest);
    }
  });
}
