// Fused multiply-add, which JavaScript does not have: Dekker's exact product (Numerische Mathematik 18, 1971) and
// Knuth's exact sum.

/**
 * `a * b + c` with one rounding, for numbers whose products and sums neither overflow nor underflow.
 *
 * The rest of the product and the rest of the sum are added with a rounding of their own, so that in about one of
 * 2^50 cases the last bit may be wrong.
 */
export function fma(a: number, b: number, c: number): number {
  // 2^27 + 1 splits a double into halves whose products are exact.
  const splitter = 134217729;
  const product = a * b;
  const a1 = a * splitter;
  const aHigh = a1 - (a1 - a);
  const aLow = a - aHigh;
  const b1 = b * splitter;
  const bHigh = b1 - (b1 - b);
  const bLow = b - bHigh;
  const productRest = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  const sum = product + c;
  const part = sum - product;
  const sumRest = product - (sum - part) + (c - part);
  return sum + (productRest + sumRest);
}
