import { SKETCH_BUCKETS } from './sketch.js';
import { TopList } from './top-list.js';
import { ULP_BUCKETS } from './ulp.js';

/** Two values at one place, as text or number that JSON keeps: 64-bit integers and non-finite values are strings. */
export interface ElementDifference {
  /** Row-major offset of the element. */
  readonly offset: number;
  readonly index: readonly number[];
  readonly actual: Value;
  readonly expected: Value;
}

/** A value as JSON keeps it: 'NaN', 'Infinity', '-Infinity' and 64-bit integers as strings; `Number(value)` gives it back. */
export type Value = number | string | boolean;

/** NaN and infinities, counted. */
export interface NonFiniteCounts {
  nan: number;
  positiveInfinity: number;
  negativeInfinity: number;
}

const noCounts = (): NonFiniteCounts => ({ nan: 0, positiveInfinity: 0, negativeInfinity: 0 });

/** Running sums of a comparison. Everything in it adds up, so pieces can be tallied apart and merged in any order. */
export class Tally {
  /** Elements seen. */
  total = 0;
  /** Lanes seen (two to a complex element). */
  lanes = 0;
  mismatched = 0;
  /** Lanes whose values are equal. */
  equal = 0;
  bitsDiffer = false;
  /** Lanes that are finite on both sides; the sums below are over these. */
  finite = 0;
  sumAbsolute = 0;
  maxAbsolute = 0;
  sumSquared = 0;
  squaredExpected = 0;
  /** Sum of actual² - expected², which keeps what a difference of two sums would lose. */
  squaredDifference = 0;
  /** Lanes with a relative error: expected is not 0. */
  relatives = 0;
  sumRelative = 0;
  maxRelative = 0;
  sumUlps = 0;
  maxUlps = 0;
  minActual = Number.POSITIVE_INFINITY;
  maxActual = Number.NEGATIVE_INFINITY;
  minExpected = Number.POSITIVE_INFINITY;
  maxExpected = Number.NEGATIVE_INFINITY;
  readonly ulps = new Float64Array(ULP_BUCKETS);
  readonly absolute = new Float64Array(SKETCH_BUCKETS);
  readonly relative = new Float64Array(SKETCH_BUCKETS);
  readonly nonFiniteActual = noCounts();
  readonly nonFiniteExpected = noCounts();
  readonly nonFiniteBoth = noCounts();
  /** The first mismatches, by element offset. */
  first: ElementDifference[] = [];
  readonly worst: TopList;
  readonly topActual: TopList;
  readonly topExpected: TopList;
  /** The values at `worst`, by lane. */
  readonly worstValues = new Map<number, ElementDifference>();

  constructor(
    readonly kept: number,
    readonly k: number,
  ) {
    this.worst = new TopList(kept);
    this.topActual = new TopList(k);
    this.topExpected = new TopList(k);
  }

  /** Keeps a mismatch if it is one of the first. */
  addFirst(difference: ElementDifference): void {
    const { first, kept } = this;
    if (first.length >= kept && difference.offset > (first.at(-1)?.offset ?? -1)) return;
    first.push(difference);
    first.sort((a, b) => a.offset - b.offset);
    if (first.length > kept) first.pop();
  }

  /** Adds what another tally of other elements of the same arrays has counted. */
  merge(other: Tally): void {
    this.total += other.total;
    this.lanes += other.lanes;
    this.mismatched += other.mismatched;
    this.equal += other.equal;
    this.bitsDiffer ||= other.bitsDiffer;
    this.finite += other.finite;
    this.sumAbsolute += other.sumAbsolute;
    this.sumSquared += other.sumSquared;
    this.squaredDifference += other.squaredDifference;
    this.squaredExpected += other.squaredExpected;
    this.relatives += other.relatives;
    this.sumRelative += other.sumRelative;
    this.sumUlps += other.sumUlps;
    this.maxAbsolute = Math.max(this.maxAbsolute, other.maxAbsolute);
    this.maxRelative = Math.max(this.maxRelative, other.maxRelative);
    this.maxUlps = Math.max(this.maxUlps, other.maxUlps);
    this.minActual = Math.min(this.minActual, other.minActual);
    this.maxActual = Math.max(this.maxActual, other.maxActual);
    this.minExpected = Math.min(this.minExpected, other.minExpected);
    this.maxExpected = Math.max(this.maxExpected, other.maxExpected);
    for (const field of ['ulps', 'absolute', 'relative'] as const) {
      for (let i = 0; i < this[field].length; i++) this[field][i]! += other[field][i]!;
    }
    for (const side of ['nonFiniteActual', 'nonFiniteExpected', 'nonFiniteBoth'] as const) {
      this[side].nan += other[side].nan;
      this[side].positiveInfinity += other[side].positiveInfinity;
      this[side].negativeInfinity += other[side].negativeInfinity;
    }
    for (const difference of other.first) this.addFirst(difference);
    this.worst.merge(other.worst);
    this.topActual.merge(other.topActual);
    this.topExpected.merge(other.topExpected);
    for (const [lane, difference] of other.worstValues) this.worstValues.set(lane, difference);
  }
}
