import { float32Kernel, KERNEL_BLOCK } from './float32-kernel.js';
import type { ResolvedClose } from './isclose.js';

/** Below this many elements copying to the kernel costs more than it saves. */
const SMALL = 256;

/** Whether two float32 arrays of the same length are close by numpy's rule, in float32 arithmetic as numpy's. */
export function float32AllClose(a: Float32Array, b: Float32Array, close: ResolvedClose): boolean {
  const kernel = a.length < SMALL ? undefined : float32Kernel();
  if (kernel === undefined) return scalarAllClose(a, b, 0, close);
  const whole = a.length - (a.length % 4);
  for (let from = 0; from < whole; from += KERNEL_BLOCK) {
    kernel.load(a, b, from, Math.min(KERNEL_BLOCK, whole - from));
    if (kernel.outside(close.rtol, close.atol, close.equalNan) > 0) return false;
  }
  return scalarAllClose(a, b, whole, close);
}

/** The same in plain JavaScript, from an element on. */
export function scalarAllClose(a: Float32Array, b: Float32Array, from: number, close: ResolvedClose): boolean {
  const { equalNan } = close;
  const rtol = Math.fround(close.rtol);
  const atol = Math.fround(close.atol);
  for (let i = from; i < a.length; i++) {
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
