// Fused multiply-add, which JavaScript does not have: Dekker's exact product (Numerische Mathematik 18, 1971) and
// Knuth's exact sum.

const SPLITTER = 2 ** 27 + 1;

/**
 * `a * b + c` with one rounding, for numbers whose products and sums neither overflow nor underflow.
 *
 * The rest of the product and the rest of the sum are added with a rounding of their own, so that in about one of
 * 2^50 cases the last bit may be wrong.
 */
export function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const a1 = a * SPLITTER;
  const aHigh = a1 - (a1 - a);
  const aLow = a - aHigh;
  const b1 = b * SPLITTER;
  const bHigh = b1 - (b1 - b);
  const bLow = b - bHigh;
  const productRest = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  const sum = product + c;
  const part = sum - product;
  const sumRest = product - (sum - part) + (c - part);
  return sum + (productRest + sumRest);
}
