// Port of log1p of glibc (sysdeps/ieee754/dbl-64/s_log1p.c), which is Sun's fdlibm (1993) with its polynomial summed in
// another order, as the build for processors with FMA computes it; for -1 < x <= 0 only. JavaScript's Math.log1p sums as
// Sun did, and differs in one of 1400 numbers.

import { fma } from './fma.js';

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const L1 = 0.6666666666666735;
const L2 = 0.3999999999940942;
const L3 = 0.2857142874366239;
const L4 = 0.22222198432149784;
const L5 = 0.1818357216161805;
const L6 = 0.15313837699209373;
const L7 = 0.14798198605116586;

const doubleView = new Float64Array(1);
const bitsView = new Int32Array(doubleView.buffer);

/** glibc's `log1p` of a double in (-1, 0]. */
export function log1p(x: number): number {
  if (x > -(2 ** -29)) return x > -(2 ** -54) ? x : x - x * x * 0.5;
  let f = x;
  let k = 0;
  let c = 0;
  let fraction = 1;
  doubleView[0] = x;
  if ((bitsView[1]! & 0x7fffffff) > 0x3fd2bec3) {
    const u = 1 + x;
    doubleView[0] = u;
    fraction = bitsView[1]!;
    k = (fraction >> 20) - 1023;
    c = (x - (u - 1)) / u;
    fraction &= 0xfffff;
    if (fraction < 0x6a09e) {
      bitsView[1] = fraction | 0x3ff00000;
    } else {
      k += 1;
      bitsView[1] = fraction | 0x3fe00000;
      fraction = (0x100000 - fraction) >> 2;
    }
    f = doubleView[0]! - 1;
  }
  const halfSquare = 0.5 * f * f;
  if (fraction === 0) {
    // |f| < 2^-20
    if (f === 0) return fma(k, LN2_HIGH, fma(k, LN2_LOW, c));
    const rest = halfSquare * fma(-0.6666666666666666, f, 1);
    return fma(k, LN2_HIGH, -(rest - fma(k, LN2_LOW, c) - f));
  }
  const s = f / (2 + f);
  const z = s * s;
  const z2 = z * z;
  const z4 = z2 * z2;
  const low = fma(z, L1, z2 * fma(z, L3, L2));
  const r = fma(z4 * z2, fma(z, L7, L6), fma(z4, fma(z, L5, L4), low));
  const product = s * (halfSquare + r);
  if (k === 0) return f - (halfSquare - product);
  return fma(k, LN2_HIGH, -(halfSquare - (product + fma(k, LN2_LOW, c)) - f));
}
