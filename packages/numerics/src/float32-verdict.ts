import type { ResolvedClose } from './isclose.js';

/** Whether two float32 arrays of the same length are close by numpy's rule, in float32 arithmetic as numpy's. */
export function float32AllClose(a: Float32Array, b: Float32Array, close: ResolvedClose): boolean {
  const { equalNan } = close;
  const rtol = Math.fround(close.rtol);
  const atol = Math.fround(close.atol);
  for (let i = 0; i < a.length; i++) {
    const p = a[i]!;
    const q = b[i]!;
    if (p === q) continue;
    const d = Math.abs(Math.fround(p - q));
    if (d <= Math.fround(atol + Math.fround(rtol * Math.abs(q))) && Number.isFinite(q)) continue;
    // biome-ignore lint/suspicious/noSelfCompare: the fastest test for NaN
    if (equalNan && p !== p && q !== q) continue;
    return false;
  }
  return true;
}
