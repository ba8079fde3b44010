/**
 * A histogram of magnitudes by the upper half of their float32 bits: 128 buckets for every power of two, so a quantile read from it is
 * within 1/256 of the value, relative. Two histograms merge by addition. Magnitudes below 9e-41 count as 0, those beyond
 * 3.4e38 as the greatest.
 */
export const SKETCH_BUCKETS = 0x7f80 + 1;

/** Relative width of a bucket: what a quantile that was read from a sketch may be off by. */
export const SKETCH_RESOLUTION = 1 / 256;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The bucket of a magnitude (0 or more, not NaN). */
export function sketchBucket(value: number): number {
  float[0] = value;
  return bits[0]! >>> 16;
}

/** The middle of a bucket. */
function bucketValue(bucket: number): number {
  if (bucket === 0) return 0;
  if (bucket >= 0x7f80) return Number.POSITIVE_INFINITY;
  bits[0] = (bucket << 16) | 0x8000;
  return float[0]!;
}

/**
 * The values at the given ascending shares (0 … 1) of all counts, each at least one of `share * total` from below; none for
 * no counts. `total` is the sum of the counts.
 */
export function sketchQuantiles(counts: Float64Array, total: number, shares: readonly number[], max: number): number[] {
  if (total === 0) return shares.map(() => 0);
  let bucket = 0;
  let seen = counts[0]!;
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(share * total));
    while (seen < rank && bucket < counts.length - 1) seen += counts[++bucket]!;
    return seen < rank ? max : Math.min(bucketValue(bucket), max);
  });
}
