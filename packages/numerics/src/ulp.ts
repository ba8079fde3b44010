// Distance in units in the last place: how many representable values lie between two, +0 and -0 being one. Bits of the same sign
// order as the numbers do, so the distance is that of the bits counted from zero.
import { DTYPES, type DType, type NumericData } from '@tfparity/array';

/** Whether a dtype has ulps. */
export function hasUlps(dtype: DType): boolean {
  return DTYPES[dtype].kind === 'float' || DTYPES[dtype].kind === 'complex';
}

/** Buckets of an ulp histogram: 0, 1, 2, 3–4, 5–8, … each twice as wide as the one before. */
export const ULP_BUCKETS = 66;

/** The bucket of a distance. */
export function ulpBucket(distance: number): number {
  if (distance <= 2) return distance;
  return distance <= 4294967296
    ? 33 - Math.clz32(distance - 1)
    : Math.min(ULP_BUCKETS - 1, 1 + Math.ceil(Math.log2(distance)));
}

/** Least and greatest distance of a bucket. */
export function ulpBucketRange(bucket: number): { from: number; to: number } {
  if (bucket <= 2) return { from: bucket, to: bucket };
  return { from: 2 ** (bucket - 2) + 1, to: 2 ** (bucket - 1) };
}

/**
 * Writes the distances of `count` lanes to `out`; meaningless where a value is NaN. float64 distances beyond 2^53 are
 * rounded, all others exact.
 */
export function ulpDistances(
  a: NumericData,
  b: NumericData,
  dtype: DType,
  from: number,
  count: number,
  out: Float64Array,
): void {
  if (dtype === 'float64' || dtype === 'complex128') doubleDistances(a, b, from, count, out);
  else if (dtype === 'float32' || dtype === 'complex64') {
    const p = new Int32Array(a.buffer, a.byteOffset + from * 4, count);
    const q = new Int32Array(b.buffer, b.byteOffset + from * 4, count);
    for (let i = 0; i < count; i++) {
      const x = p[i]!;
      const y = q[i]!;
      out[i] = Math.abs((x < 0 ? -(x & 0x7fffffff) : x) - (y < 0 ? -(y & 0x7fffffff) : y));
    }
  } else {
    const p = a as Uint16Array;
    const q = b as Uint16Array;
    for (let i = 0; i < count; i++) {
      const x = p[from + i]!;
      const y = q[from + i]!;
      out[i] = Math.abs((x > 0x7fff ? -(x & 0x7fff) : x) - (y > 0x7fff ? -(y & 0x7fff) : y));
    }
  }
}

function doubleDistances(a: NumericData, b: NumericData, from: number, count: number, out: Float64Array): void {
  const p = new Int32Array(a.buffer, a.byteOffset + from * 8, 2 * count);
  const q = new Int32Array(b.buffer, b.byteOffset + from * 8, 2 * count);
  for (let i = 0; i < count; i++) {
    const highX = p[2 * i + 1]!;
    const highY = q[2 * i + 1]!;
    const lowX = p[2 * i]! >>> 0;
    const lowY = q[2 * i]! >>> 0;
    const sizeX = highX & 0x7fffffff;
    const sizeY = highY & 0x7fffffff;
    // Halves are subtracted before they are put together, so that near values have an exact distance.
    out[i] =
      highX < 0 === highY < 0
        ? Math.abs((sizeX - sizeY) * 4294967296 + (lowX - lowY))
        : (sizeX + sizeY) * 4294967296 + (lowX + lowY);
  }
}
