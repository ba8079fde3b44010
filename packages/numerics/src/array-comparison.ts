import { type DType, formatShape, type Shape, sameShape } from '@tfparity/array';
import type { ElementDifference, NonFiniteCounts } from './tally.js';
import type { AppliedTolerance } from './tolerance.js';

/** What is known of one side. */
export interface ArrayHeader {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** How one kind of error is distributed over the elements that are finite on both sides; all 0 where there are none. */
export interface ErrorDistribution {
  readonly count: number;
  readonly max: number;
  readonly mean: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
}

/** Elements whose distance in representable values is from `from` to `to`. */
export interface UlpBucket {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** The `k` greatest values of each side, by offset (complex: by lane), and how many of them are the same elements. */
export interface TopKAgreement {
  readonly k: number;
  readonly agreement: number;
  readonly sameOrder: boolean;
  readonly actual: readonly number[];
  readonly expected: readonly number[];
}

/** A reason to trust a pass less, or why a comparison proves little. */
export interface ComparisonWarning {
  readonly kind:
    | 'empty'
    | 'all-equal-values'
    | 'all-zero'
    | 'all-infinite'
    | 'all-nan'
    | 'nan-on-both-sides'
    | 'infinity-on-both-sides'
    | 'within-tolerance-of-zero';
  readonly message: string;
}

/** What makes a comparison fail. */
export interface ComparisonDifference {
  readonly kind: 'dtype' | 'shape' | 'values';
  readonly message: string;
}

/** Every figure of a numeric comparison; complex numbers count as two lanes. */
export interface Evidence {
  /** Lanes that are finite on both sides. */
  readonly finite: number;
  readonly equal: number;
  /** |actual - expected|: in float32 for two float32 arrays, as numpy's, else in double precision. */
  readonly absolute: ErrorDistribution;
  /** |actual - expected| / |expected|, where expected is not 0. */
  readonly relative: ErrorDistribution;
  /** How far a quantile above may be off, relative: 0 where they are exact. */
  readonly quantileResolution: number;
  /** Only for float and complex arrays of one dtype. */
  readonly ulps?: { readonly max: number; readonly mean: number; readonly histogram: readonly UlpBucket[] };
  /** Cosine of the angle between both; `null` where a side is all zero. */
  readonly cosine: number | null;
  /** Norm of the difference over norm of expected; `null` where expected is all zero and actual is not. */
  readonly relativeL2: number | null;
  readonly topK: TopKAgreement;
  /** The elements that are farthest apart, first those of which one side alone is NaN or infinite. */
  readonly worst: readonly ElementDifference[];
  readonly nonFinite: {
    readonly actual: NonFiniteCounts;
    readonly expected: NonFiniteCounts;
    /** The same kind at the same place. */
    readonly both: NonFiniteCounts;
  };
  readonly range: {
    readonly actual: readonly [min: number, max: number] | null;
    readonly expected: readonly [min: number, max: number] | null;
  };
}

/** How two arrays compare; plain data, which JSON keeps. */
export interface ArrayComparison {
  /** Same dtype, same shape, and no element outside the tolerance. */
  readonly passed: boolean;
  /** Same dtype, same shape, same bytes: +0 is not -0. */
  readonly bitIdentical: boolean;
  readonly differences: readonly ComparisonDifference[];
  readonly actual: ArrayHeader;
  readonly expected: ArrayHeader;
  readonly tolerance: AppliedTolerance;
  readonly total: number;
  readonly mismatched: number;
  /** The first mismatched elements, row-major. */
  readonly first: readonly ElementDifference[];
  /** Absent for strings, and where the shapes differ. */
  readonly evidence?: Evidence;
  readonly warnings: readonly ComparisonWarning[];
}

/** What differs between two headers. */
export function headerDifferences(actual: ArrayHeader, expected: ArrayHeader): ComparisonDifference[] {
  const differences: ComparisonDifference[] = [];
  if (actual.dtype !== expected.dtype) {
    differences.push({ kind: 'dtype', message: `dtype is ${actual.dtype}, expected ${expected.dtype}` });
  }
  if (!sameShape(actual.shape, expected.shape)) {
    const message = `shape is ${formatShape(actual.shape)}, expected ${formatShape(expected.shape)}`;
    differences.push({ kind: 'shape', message });
  }
  return differences;
}
