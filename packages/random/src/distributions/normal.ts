// Port of NormalDistribution and BoxMullerFloat (xla/tsl/lib/random/random_distributions*.h, TensorFlow 2.21).
import { bfloat16Bits, type DType, float16Bits, type NumericData } from '@tfparity/array';
import { logf, scaledSincosf } from '../libm.js';
import type { Philox } from '../philox-generator.js';
import { boxMullerDouble } from './box-muller-double.js';
import { wrongDType } from './dtypes.js';
import { eachPiece } from './fill.js';

const EPSILON = Math.fround(1e-7);
const TWO_PI = 2 * Math.PI;
const TWO_POW_MINUS_23 = 2 ** -23;

/** Two normal float32 of two words, to `out[at]` and `out[at + 1]`. */
export function boxMullerFloat(x0: number, x1: number, out: Float32Array | Float64Array, at: number): void {
  const u = (x0 & 0x7fffff) * TWO_POW_MINUS_23;
  const v = Math.fround(TWO_PI * ((x1 & 0x7fffff) * TWO_POW_MINUS_23));
  const radius = Math.fround(Math.sqrt(-2 * logf(Math.max(u, EPSILON))));
  scaledSincosf(v, radius, out, at);
}

/**
 * Fills `data` with standard normal numbers of a real dtype, from where the generator is.
 *
 * @throws {RandomError} `InvalidDType` for a dtype that TensorFlow has no normal numbers of
 */
export function fillNormal(generator: Philox, dtype: DType, data: NumericData): void {
  switch (dtype) {
    case 'float32':
      fillNormalFloat(generator, data as Float32Array);
      break;
    case 'float64':
      fillNormalDouble(generator, data as Float64Array);
      break;
    case 'float16':
      fillNormalHalf(generator, data as Uint16Array, float16Bits);
      break;
    case 'bfloat16':
      fillNormalHalf(generator, data as Uint16Array, bfloat16Bits);
      break;
    default:
      throw wrongDType('RandomStandardNormal', dtype, ['float16', 'bfloat16', 'float32', 'float64']);
  }
}

const pair = new Float64Array(2);

/** Fills `data` with standard normal float32. */
export function fillNormalFloat(generator: Philox, data: Float32Array): void {
  eachPiece(generator, data.length, (words, from, count) => {
    const even = count & ~1;
    for (let i = 0; i < even; i += 2) boxMullerFloat(words[i]!, words[i + 1]!, data, from + i);
    if (even === count) return;
    boxMullerFloat(words[even]!, words[even + 1]!, pair, 0);
    data[from + even] = pair[0]!;
  });
}

function fillNormalHalf(generator: Philox, data: Uint16Array, toBits: (value: number) => number): void {
  eachPiece(generator, data.length, (words, from, count) => {
    for (let i = 0; i < count; i += 2) {
      boxMullerFloat(words[i]!, words[i + 1]!, pair, 0);
      data[from + i] = toBits(pair[0]!);
      if (i + 1 < count) data[from + i + 1] = toBits(pair[1]!);
    }
  });
}

function fillNormalDouble(generator: Philox, data: Float64Array): void {
  eachPiece(generator, 2 * data.length, (words, from, count) => {
    for (let i = 0, to = from / 2; i < count; i += 4, to += 2) {
      boxMullerDouble(words[i]!, words[i + 1]!, words[i + 2]!, words[i + 3]!, pair);
      data[to] = pair[0]!;
      if (to + 1 < data.length) data[to + 1] = pair[1]!;
    }
  });
}
