import { DTYPES, type DType, type NdArray, type NumericData } from '@tfparity/array';
import type { ErrorDistribution, Evidence, TopKAgreement } from './array-comparison.js';
import { SKETCH_RESOLUTION, sketchQuantiles } from './sketch.js';
import type { Tally } from './tally.js';
import { hasUlps, ulpBucketRange } from './ulp.js';
import { widen } from './widen.js';

const SHARES = [0.5, 0.9, 0.99, 0.999] as const;

/** The figures of a finished tally. */
export function summarize(tally: Tally, actual: DType, expected: DType): Evidence {
  const ulps = actual === expected && hasUlps(actual);
  const { squaredExpected, sumSquared } = tally;
  const cosine = cosineOf(tally);
  const ratio = sumSquared === 0 ? 0 : Math.sqrt(sumSquared) / Math.sqrt(squaredExpected);
  return {
    finite: tally.finite,
    equal: tally.equal,
    absolute: distribution(tally.finite, tally.sumAbsolute, tally.maxAbsolute, tally.absolute),
    relative: distribution(tally.relatives, tally.sumRelative, tally.maxRelative, tally.relative),
    quantileResolution: SKETCH_RESOLUTION,
    ...(ulps ? { ulps: ulpFigures(tally) } : {}),
    cosine,
    relativeL2: Number.isFinite(ratio) ? ratio : null,
    topK: topK(tally),
    worst: tally.worst.indices.map((lane) => tally.worstValues.get(lane)!),
    nonFinite: {
      actual: { ...tally.nonFiniteActual },
      expected: { ...tally.nonFiniteExpected },
      both: { ...tally.nonFiniteBoth },
    },
    range: {
      actual: tally.finite > 0 ? [tally.minActual, tally.maxActual] : null,
      expected: tally.finite > 0 ? [tally.minExpected, tally.maxExpected] : null,
    },
  };
}

/** 1 - (|a - b|² - (|a| - |b|)²) / 2|a||b|: near 1 it keeps the digits that a quotient of sums would lose. */
function cosineOf({ squaredExpected, squaredDifference, sumSquared }: Tally): number | null {
  const expected = Math.sqrt(squaredExpected);
  const actual = Math.sqrt(Math.max(0, squaredExpected + squaredDifference));
  if (!(actual * expected > 0) || !Number.isFinite(actual * expected)) return null;
  const lengths = squaredDifference / (actual + expected);
  return Math.max(-1, Math.min(1, 1 - (sumSquared - lengths * lengths) / (2 * actual * expected)));
}

function distribution(count: number, sum: number, max: number, sketch: Float64Array): ErrorDistribution {
  const [median, p90, p99, p999] = sketchQuantiles(sketch, count, SHARES, max) as [number, number, number, number];
  const mean = count === 0 ? 0 : Math.min(sum / count, max);
  return { count, max, mean, median, p90, p99, p999 };
}

function ulpFigures(tally: Tally): NonNullable<Evidence['ulps']> {
  const histogram = Array.from(tally.ulps, (count, bucket) => ({ ...ulpBucketRange(bucket), count })).filter(
    (b) => b.count > 0,
  );
  return { max: tally.maxUlps, mean: tally.finite === 0 ? 0 : tally.sumUlps / tally.finite, histogram };
}

function topK({ topActual, topExpected, k }: Tally): TopKAgreement {
  const actual = [...topActual.indices];
  const expected = [...topExpected.indices];
  const shared = actual.filter((index) => expected.includes(index)).length;
  const size = Math.min(k, Math.max(actual.length, expected.length));
  const sameOrder = actual.length === expected.length && actual.every((index, i) => index === expected[i]);
  return { k: size, agreement: size === 0 ? 1 : shared / size, sameOrder, actual, expected };
}

/** The distributions of arrays that are small enough to sort their errors: exact quantiles. */
export function exactDistributions(
  evidence: Evidence,
  a: NdArray<NumericData>,
  b: NdArray<NumericData>,
): Pick<Evidence, 'absolute' | 'relative' | 'quantileResolution'> {
  if (DTYPES[a.dtype].lanes !== DTYPES[b.dtype].lanes) return { ...evidence };
  // Nothing to sort: all quantiles are 0, which a sketch gives exactly.
  if (evidence.equal === evidence.finite) return { ...evidence, quantileResolution: 0 };
  const count = b.data.length;
  const x = new Float64Array(count);
  const y = new Float64Array(count);
  widen(a.data, a.dtype, 0, count, x);
  widen(b.data, b.dtype, 0, count, y);
  const single = a.dtype === 'float32' && b.dtype === 'float32';
  const absolute: number[] = [];
  const relative: number[] = [];
  for (let i = 0; i < count; i++) {
    const q = y[i]!;
    if (!Number.isFinite(x[i]!) || !Number.isFinite(q)) continue;
    const rounded = single ? Math.abs(Math.fround(x[i]! - q)) : Number.POSITIVE_INFINITY;
    const d = Number.isFinite(rounded) ? rounded : Math.min(Math.abs(x[i]! - q), Number.MAX_VALUE);
    absolute.push(d);
    const ratio = d / Math.abs(q);
    if (q !== 0 && Math.fround(ratio) < Number.POSITIVE_INFINITY) relative.push(ratio);
  }
  return {
    absolute: { ...evidence.absolute, ...exactQuantiles(absolute) },
    relative: { ...evidence.relative, ...exactQuantiles(relative) },
    quantileResolution: 0,
  };
}

/** Quantiles as numpy interpolates them (linear). */
function exactQuantiles(values: number[]): Partial<ErrorDistribution> {
  if (values.length === 0) return {};
  const sorted = Float64Array.from(values).sort();
  const [median, p90, p99, p999] = SHARES.map((share) => {
    const at = share * (sorted.length - 1);
    const low = sorted[Math.floor(at)]!;
    const high = sorted[Math.ceil(at)]!;
    return low + (high - low) * (at - Math.floor(at));
  }) as [number, number, number, number];
  return { max: sorted.at(-1)!, median, p90, p99, p999 };
}
