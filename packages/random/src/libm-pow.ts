// pow of glibc 2.28 and later for doubles, as its build for processors with FMA computes it.
// Method and constants: ARM optimized-routines (math/pow.c, math/pow_log_data.c, math/exp_data.c; MIT). Departures: only
// 0 <= x <= 1 with y > 0, all the tables are computed, and what would be denormal is 0, as it is in TensorFlow's threads.
import { fma } from './fma.js';

const LN2_HIGH = 0.6931471805598903;
const LN2_LOW = 5.497923018708371e-14;
const A = [
  -0.5, -0.6666666666666679, 0.5000000000000007, 0.7999999995323976, -0.6666666663487739, -1.142909628459501,
  1.0000415263675542,
] as const;
const PARTS_OF_LN2 = 184.6649652337873;
const MINUS_PART_HIGH = -0.005415212348111709;
const MINUS_PART_LOW = -1.2864023111638346e-14;
const TO_INTEGER = 6755399441055744;
const C2 = 0.49999999999996786;
const C3 = 0.16666666666665886;
const C4 = 0.0416666808410674;
const C5 = 0.008333335853059549;

const doubleView = new Float64Array(1);
const bitsView = new Int32Array(doubleView.buffer);

interface Tables {
  /** For 128 parts of an octave: 1/c, log(c) to a multiple of 2^-43, and the rest of log(c). */
  readonly log: Float64Array;
  /** For k = 0 … 127: 2^(k/128) as a double, and what is missing of it, relatively. */
  readonly exp: Float64Array;
}

let tables: Tables | undefined;

/** glibc's `pow` for 0 <= x <= 1 and y > 0. */
export function pow(x: number, y: number): number {
  if (x === 0 || x === 1 || !Number.isFinite(y)) return x ** y;
  tables ??= makeTables();
  doubleView[0] = x;
  const high = bitsView[1]!;
  const shifted = (high - 0x3fe69555) | 0;
  const i = 3 * ((shifted >> 13) & 127);
  const k = shifted >> 20;
  bitsView[1] = high - (shifted & 0xfff00000);
  const r = fma(doubleView[0]!, tables.log[i]!, -1);
  const t1 = k * LN2_HIGH + tables.log[i + 1]!;
  const t2 = r + t1;
  const ar = A[0] * r;
  const ar2 = r * ar;
  const sum = t2 + ar2;
  const q = fma(fma(r, A[6], A[5]), ar2, fma(r, A[4], A[3]));
  const p = fma(ar2, q, fma(r, A[2], A[1]));
  const lows = fma(k, LN2_LOW, tables.log[i + 2]!) + (t1 - t2 + r) + fma(ar, r, -ar2) + (t2 - sum + ar2);
  const rest = fma(r * ar2, p, lows);
  const logHigh = sum + rest;
  const logLow = sum - logHigh + rest;
  const exponent = y * logHigh;
  // Beyond this the result is denormal, and the products below would be.
  if (exponent < -750) return 0;
  return expOf(exponent, fma(y, logLow, fma(logHigh, y, -exponent)), tables.exp);
}

/** e^(x + rest). */
function expOf(x: number, rest: number, table: Float64Array): number {
  const parts = fma(x, PARTS_OF_LN2, TO_INTEGER) - TO_INTEGER;
  const r = rest + fma(parts, MINUS_PART_LOW, fma(parts, MINUS_PART_HIGH, x));
  const at = 2 * (parts & 127);
  const scale = table[at]!;
  const r2 = r * r;
  const t = fma(fma(r, C3, C2), r2, r + table[at + 1]!);
  const result = fma(scale, fma(fma(r, C5, C4), r2 * r2, t), scale) * 2 ** (parts >> 7);
  return result < 2 ** -1022 ? 0 : result;
}

const PLACES = 160n;
const ONE = 1n << PLACES;

function makeTables(): Tables {
  const log = new Float64Array(3 * 128);
  for (let i = 0; i < 128; i++) {
    // The middle of the i-th part, whose inverse is then rounded to 7 or 8 bits.
    bitsView[0] = 0;
    bitsView[1] = 0x3fe69555 + (i << 13) + 0x1000;
    const steps = doubleView[0]! < 1 ? 128 : 256;
    const inverse = Math.round(steps / doubleView[0]!);
    log[3 * i] = inverse / steps;
    const exact = logOfRatio(BigInt(steps), BigInt(inverse));
    const rounded = Math.round(Number(exact) * 2 ** (43 - 160));
    log[3 * i + 1] = rounded * 2 ** -43;
    log[3 * i + 2] = Number(exact - (BigInt(rounded) << (PLACES - 43n))) * 2 ** -160;
  }
  const exp = new Float64Array(2 * 128);
  const root = rootOfTwo();
  let power = ONE;
  for (let k = 0; k < 128; k++, power = (power * root) >> PLACES) {
    exp[2 * k] = Number(power) * 2 ** -160;
    const rounded = BigInt(exp[2 * k]! * 2 ** 52) << (PLACES - 52n);
    exp[2 * k + 1] = Number(((power - rounded) << PLACES) / rounded) * 2 ** -160;
  }
  return { log, exp };
}

/** log(a / b) with 160 places, by the series of the inverse hyperbolic tangent. */
function logOfRatio(a: bigint, b: bigint): bigint {
  let term = ((a - b) * ONE) / (a + b);
  const square = (term * term) >> PLACES;
  let sum = 0n;
  for (let n = 1n; term !== 0n && term !== -1n; n += 2n, term = (term * square) >> PLACES) sum += term / n;
  return 2n * sum;
}

/** 2^(1/128) with 160 places: seven square roots. */
function rootOfTwo(): bigint {
  let root = 2n * ONE;
  for (let i = 0; i < 7; i++) {
    const target = root << PLACES;
    let guess = root;
    for (;;) {
      const better = (guess + target / guess) >> 1n;
      if (better >= guess) break;
      guess = better;
    }
    root = guess;
  }
  return root;
}
