import { DTYPES, formatShape, type NdArray, type NumericData, sameShape, sizeOf } from '@tfparity/array';
import { type ArrayComparison, type ArrayHeader, headerDifferences } from './array-comparison.js';
import { Coverage } from './coverage.js';
import { NumericsError } from './errors.js';
import { exactDistributions, summarize } from './evidence.js';
import { float32Kernel } from './float32-kernel.js';
import { tallyFloat32 } from './float32-tally.js';
import { numeric, type Operand, toArray } from './operand.js';
import { ScalarTally } from './scalar-tally.js';
import { compareStrings } from './string-comparison.js';
import { Tally } from './tally.js';
import { type AppliedTolerance, applyTolerance, type Tolerance } from './tolerance.js';
import { findWarnings } from './warnings.js';
import { isComplex } from './widen.js';

/** How `compareArrays` compares: the tolerance, and how much evidence it keeps. */
export interface CompareOptions extends Tolerance {
  /** How many of the first and of the worst mismatches are kept; 5. */
  readonly keep?: number;
  /** How many of the greatest values are matched; 5. */
  readonly topK?: number;
}

/**
 * How many elements a comparison keeps, with the defaults filled in.
 *
 * @throws {NumericsError} `InvalidOption` for what is not a whole number of 0 or more
 */
export function checkCounts({ keep = 5, topK = 5 }: CompareOptions): { keep: number; topK: number } {
  for (const [name, count] of Object.entries({ keep, topK })) {
    if (count >= 0 && (Number.isInteger(count) || count === Number.POSITIVE_INFINITY)) continue;
    throw new NumericsError('InvalidOption', `${name} is ${count}; it is a whole number of 0 or more`, {
      [name]: count,
    });
  }
  return { keep, topK };
}

/** Up to this many elements, quantiles are exact. */
const EXACT_LIMIT = 65_536;

/**
 * Compares two arrays and returns all there is to know of their difference. Fails closed: another dtype or another shape is a
 * difference, also where the values are equal. The rule is numpy's (|actual - expected| <= atol + rtol * |expected|, in the
 * dtype's own arithmetic), with `torch.testing`'s tolerance for the dtype where none is given; 64-bit integers are compared exactly;
 * strings byte by byte.
 *
 * @throws {NumericsError} `NotAnArray`, `InvalidTolerance`, `InvalidOption`
 */
export function compareArrays(actual: Operand, expected: Operand, options: CompareOptions = {}): ArrayComparison {
  const a = toArray(actual);
  const b = toArray(expected);
  if (Array.isArray(a.data) || Array.isArray(b.data)) {
    const { keep } = checkCounts(options);
    return compareStrings(a, b, applyTolerance(options, b.dtype), keep);
  }
  const comparator = new ArrayComparator(a, b, options);
  if (sameShape(a.shape, b.shape)) comparator.push(a.data, b.data);
  const result = comparator.result();
  const small =
    result.evidence !== undefined &&
    result.total <= EXACT_LIMIT &&
    !(a.data instanceof BigInt64Array || a.data instanceof BigUint64Array);
  return small
    ? { ...result, evidence: { ...result.evidence!, ...exactDistributions(result.evidence!, numeric(a), numeric(b)) } }
    : result;
}

/** Elements' data of a piece, in the dtype that the comparator was told. */
export type PieceData = NumericData;

/**
 * Compares arrays that arrive in pieces, so that neither has to be in memory: tell it both headers, push pieces in any order, take
 * the result. Comparators of different pieces of the same arrays merge. Every element counts once: pieces must not overlap.
 */
export class ArrayComparator {
  readonly tolerance: AppliedTolerance;
  readonly #tally: Tally;
  readonly #size: number;
  readonly #seen = new Coverage();
  #next = 0;

  /** @throws {NumericsError} `InvalidTolerance`, `InvalidOption`, `NotNumeric` for strings */
  constructor(
    readonly actual: ArrayHeader,
    readonly expected: ArrayHeader,
    options: CompareOptions = {},
  ) {
    if (actual.dtype === 'string' || expected.dtype === 'string') {
      throw new NumericsError('NotNumeric', 'strings are compared whole, by compareArrays');
    }
    this.tolerance = applyTolerance(options, expected.dtype);
    this.#size = sizeOf(expected.shape);
    const { keep, topK } = checkCounts(options);
    this.#tally = new Tally(keep, topK);
  }

  /**
   * Compares the next elements, or those from `offset` on.
   *
   * @throws {NumericsError} `InvalidPiece` for pieces of different length, beyond the end, of elements that were compared
   * before, of arrays of different shapes, or of another class than their dtype's
   */
  push(actual: PieceData, expected: PieceData, offset: number = this.#next): void {
    const lanes = isComplex(this.expected.dtype) ? 2 : 1;
    const count = expected.length / lanes;
    const lengths = actual.length / (isComplex(this.actual.dtype) ? 2 : 1) === count && Number.isInteger(count);
    if (!lengths || offset < 0 || offset + count > this.#size || !sameShape(this.actual.shape, this.expected.shape)) {
      throw new NumericsError(
        'InvalidPiece',
        `a piece of ${actual.length} and ${expected.length} values at element ${offset} does not fit arrays of shapes ${formatShape(this.actual.shape)} and ${formatShape(this.expected.shape)}`,
        { offset, actual: actual.length, expected: expected.length },
      );
    }
    this.#refuseOverlap(this.#seen.overlap(offset, offset + count), 'pushed');
    for (const [{ dtype }, piece] of [[this.actual, actual] as const, [this.expected, expected] as const]) {
      if (piece instanceof DTYPES[dtype].data!) continue;
      const message = `a piece of ${dtype} keeps its values in ${DTYPES[dtype].data!.name}, not in ${piece.constructor.name}`;
      throw new NumericsError('InvalidPiece', message, { dtype, offset });
    }
    const { shape } = this.expected;
    const a: NdArray<NumericData> = { dtype: this.actual.dtype, shape: [count], data: actual };
    const b: NdArray<NumericData> = { dtype: this.expected.dtype, shape: [count], data: expected };
    const scalar = new ScalarTally(this.#tally, a, b, shape, offset, this.tolerance);
    const kernel = a.dtype === 'float32' && b.dtype === 'float32' ? float32Kernel() : undefined;
    if (kernel !== undefined) {
      const [p, q] = [actual as Float32Array, expected as Float32Array];
      tallyFloat32(kernel, this.#tally, scalar, p, q, offset, this.tolerance);
    } else if (isComplex(a.dtype) === isComplex(b.dtype)) scalar.add(0, count);
    else this.#tally.total += count;
    this.#seen.add(offset, offset + count);
    this.#next = offset + count;
  }

  /**
   * Adds the pieces that another comparator of the same arrays was given.
   *
   * @throws {NumericsError} `InvalidPiece` for one of other dtypes, shapes, tolerance or `keep` and `topK`, and for elements that both
   * have compared
   */
  merge(other: ArrayComparator): void {
    const [ours, theirs] = [this.#facts(), other.#facts()];
    if (ours !== theirs) {
      throw new NumericsError('InvalidPiece', `a comparator of ${theirs} cannot be merged into one of ${ours}`);
    }
    for (const [from, to] of other.#seen.ranges) this.#refuseOverlap(this.#seen.overlap(from, to), 'merged');
    this.#tally.merge(other.#tally);
    for (const [from, to] of other.#seen.ranges) this.#seen.add(from, to);
  }

  /** What comparators that merge have in common. */
  #facts(): string {
    const { rtol, atol, maxUlps, equalNan } = this.tolerance;
    const headers = [this.actual, this.expected].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`);
    const { kept, k } = this.#tally;
    return `${headers.join(' against ')}, rtol ${rtol}, atol ${atol}, ${maxUlps} ulps, equalNan ${equalNan}, keep ${kept}, topK ${k}`;
  }

  #refuseOverlap(range: readonly [from: number, to: number] | undefined, how: string): void {
    if (range === undefined) return;
    const [from, to] = range;
    const message = `elements ${from} to ${to - 1} are ${how} a second time; every element is compared once`;
    throw new NumericsError('InvalidPiece', message, { from, to });
  }

  /** The comparison so far. Fails if not every element was pushed. */
  result(): ArrayComparison {
    const tally = this.#tally;
    const differences = headerDifferences(this.actual, this.expected);
    const comparable = sameShape(this.actual.shape, this.expected.shape);
    const gap = comparable ? this.#seen.gap(this.#size) : undefined;
    if (tally.mismatched > 0) {
      const percent = ((100 * tally.mismatched) / tally.total).toPrecision(3);
      differences.push({
        kind: 'values',
        message: `${tally.mismatched} of ${tally.total} elements (${Number(percent)}%) are outside ${this.tolerance.name} (rtol ${this.tolerance.rtol}, atol ${this.tolerance.atol}${this.tolerance.maxUlps > 0 ? `, ${this.tolerance.maxUlps} ulps` : ''})`,
      });
    }
    if (gap !== undefined) {
      const message = `${tally.total} of ${this.#size} elements were compared: the first that were not are ${gap[0]} to ${gap[1] - 1}`;
      differences.push({ kind: 'values', message });
    }
    const evidence = comparable ? summarize(tally, this.actual.dtype, this.expected.dtype) : undefined;
    return {
      passed: differences.length === 0,
      bitIdentical: differences.length === 0 && !tally.bitsDiffer,
      differences,
      actual: { dtype: this.actual.dtype, shape: [...this.actual.shape] },
      expected: { dtype: this.expected.dtype, shape: [...this.expected.shape] },
      tolerance: this.tolerance,
      total: this.#size,
      mismatched: tally.mismatched,
      first: [...tally.first],
      ...(evidence ? { evidence } : {}),
      warnings: evidence ? findWarnings(evidence, this.#size, this.tolerance) : [],
    };
  }
}
