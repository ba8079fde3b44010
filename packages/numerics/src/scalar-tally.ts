import { type NdArray, type NumericData, unravelIndex } from '@tfparity/array';
import { CloseBlocks } from './isclose.js';
import { sketchBucket } from './sketch.js';
import type { ElementDifference, NonFiniteCounts, Tally, Value } from './tally.js';
import type { AppliedTolerance } from './tolerance.js';
import { hasUlps, ulpBucket, ulpDistances } from './ulp.js';
import { BLOCK, isComplex, widen } from './widen.js';

type Numeric = NdArray<NumericData>;

/** Tallies any two numeric arrays (or pieces of them), a block at a time; the values of one dtype at full precision. */
export class ScalarTally {
  readonly #lanes: 1 | 2;
  readonly #x = new Float64Array(2 * BLOCK);
  readonly #y = new Float64Array(2 * BLOCK);
  readonly #ulps = new Float64Array(2 * BLOCK);
  readonly #outside = new Uint8Array(BLOCK);
  readonly #close: CloseBlocks;
  readonly #hasUlps: boolean;
  readonly #integers: boolean;
  /** float32 differences are rounded to float32, as numpy's and the kernel's are. */
  readonly #single: boolean;

  /**
   * @param shape of the whole arrays, for indices
   * @param start offset of the piece's first element in the whole
   */
  constructor(
    private readonly tally: Tally,
    private readonly a: Numeric,
    private readonly b: Numeric,
    private readonly shape: readonly number[],
    private readonly start: number,
    private readonly tolerance: AppliedTolerance,
  ) {
    this.#lanes = isComplex(a.dtype) ? 2 : 1;
    this.#close = new CloseBlocks(a, b, tolerance);
    this.#hasUlps = a.dtype === b.dtype && hasUlps(a.dtype);
    this.#single = a.dtype === 'float32' && b.dtype === 'float32';
    this.#integers = isBig(a.data) && isBig(b.data);
  }

  /** Tallies elements `from … from + count` of the piece. */
  add(from: number, count: number): void {
    for (let at = from; at < from + count; at += BLOCK) this.#block(at, Math.min(BLOCK, from + count - at));
  }

  #block(from: number, count: number): void {
    const { tally, a, b } = this;
    const lanes = count * this.#lanes;
    const lane = from * this.#lanes;
    this.#read(lane, lanes);
    tally.total += count;
    tally.lanes += lanes;
    tally.bitsDiffer ||= a.dtype !== b.dtype || bitsDiffer(a.data, b.data, lane, lanes);
    this.tally.mismatched += this.#verdict(from, count);
    this.#evidence(lane, lanes);
  }

  /** Keeps the first mismatches among elements whose number is known. */
  keepFirst(from: number, count: number): void {
    const { first, kept } = this.tally;
    if (first.length >= kept && this.start + from > (first.at(-1)?.offset ?? -1)) return;
    for (let at = from; at < from + count; at += BLOCK) {
      const size = Math.min(BLOCK, from + count - at);
      if (this.tolerance.maxUlps > 0) this.#read(at, size);
      this.#verdict(at, size);
    }
  }

  /** Keeps the elements that are among the farthest apart; all finite. */
  keepWorst(from: number, count: number): void {
    const { worst } = this.tally;
    for (let i = from; i < from + count; i++) {
      const d = Math.abs(Math.fround((this.a.data[i] as number) - (this.b.data[i] as number)));
      if (d > 0 && worst.admits(d, this.start + i)) this.#addWorst(d, this.start + i);
    }
  }

  /** Keeps the elements that are among the greatest of their side; all finite. */
  keepTop(from: number, count: number): void {
    for (let i = from; i < from + count; i++) {
      this.tally.topActual.offer(this.a.data[i] as number, this.start + i);
      this.tally.topExpected.offer(this.b.data[i] as number, this.start + i);
    }
  }

  #read(lane: number, lanes: number): void {
    const { a, b } = this;
    widen(a.data, a.dtype, lane, lanes, this.#x);
    widen(b.data, b.dtype, lane, lanes, this.#y);
    if (this.#hasUlps) ulpDistances(a.data, b.data, a.dtype, lane, lanes, this.#ulps);
  }

  /** How many elements are outside the tolerance; the first of them are kept. */
  #verdict(from: number, count: number): number {
    const { maxUlps } = this.tolerance;
    let mismatched = 0;
    if (this.#integers) this.#compareIntegers(from, count);
    else if (this.#close.test(from, count) === 0) return 0;
    else this.#outside.set(this.#close.outside);
    for (let i = 0; i < count; i++) {
      if (!this.#outside[i]) continue;
      if (maxUlps > 0 && this.#hasUlps && this.#withinUlps(i, maxUlps)) continue;
      mismatched++;
      const offset = this.start + from + i;
      const { first, kept } = this.tally;
      if (first.length < kept || offset < first[kept - 1]!.offset) this.tally.addFirst(this.#difference(from + i));
    }
    return mismatched;
  }

  #withinUlps(i: number, maxUlps: number): boolean {
    for (let lane = i * this.#lanes; lane < (i + 1) * this.#lanes; lane++) {
      const finite = Number.isFinite(this.#x[lane]!) && Number.isFinite(this.#y[lane]!);
      if (!(finite ? this.#ulps[lane]! <= maxUlps : Object.is(this.#x[lane], this.#y[lane]))) return false;
    }
    return true;
  }

  /** 64-bit integers: the difference is taken exactly, so that two that differ beyond 2^53 are not equal. */
  #compareIntegers(from: number, count: number): void {
    const p = this.a.data as BigInt64Array;
    const q = this.b.data as BigInt64Array;
    const { rtol, atol } = this.tolerance;
    for (let i = 0; i < count; i++) {
      const x = p[from + i]!;
      const y = q[from + i]!;
      const far = x !== y && Math.abs(Number(x - y)) > atol + rtol * Math.abs(Number(y));
      this.#outside[i] = far ? 1 : 0;
    }
  }

  #evidence(lane: number, lanes: number): void {
    const { tally } = this;
    const x = this.#x;
    const y = this.#y;
    const start = this.start * this.#lanes + lane;
    for (let i = 0; i < lanes; i++) {
      const p = x[i]!;
      const q = y[i]!;
      if (!Number.isFinite(p) || !Number.isFinite(q)) {
        this.#nonFinite(p, q, start + i);
        continue;
      }
      const d = this.#distance(lane + i, p, q);
      tally.finite++;
      if (d === 0) tally.equal++;
      tally.sumAbsolute += d;
      tally.sumSquared += d * d;
      tally.squaredDifference += (p - q) * (p + q);
      tally.squaredExpected += q * q;
      tally.absolute[sketchBucket(d)]!++;
      if (d > tally.maxAbsolute) tally.maxAbsolute = d;
      if (q !== 0) this.#relative(d / Math.abs(q));
      if (this.#hasUlps) {
        const ulps = this.#ulps[i]!;
        tally.sumUlps += ulps;
        if (ulps > tally.maxUlps) tally.maxUlps = ulps;
        tally.ulps[ulpBucket(ulps)]!++;
      }
      this.#extremes(p, q);
      if (d > 0 && tally.worst.admits(d, start + i)) this.#addWorst(d, start + i);
      tally.topActual.offer(p, start + i);
      tally.topExpected.offer(q, start + i);
    }
  }

  #distance(lane: number, p: number, q: number): number {
    if (this.#integers) {
      const x = this.a.data[lane] as bigint;
      const y = this.b.data[lane] as bigint;
      return Math.abs(Number(x - y));
    }
    if (this.#single) {
      const d = Math.abs(Math.fround(p - q));
      if (d < Number.POSITIVE_INFINITY) return d;
    }
    // Two doubles of opposite sign can be farther apart than any double; the greatest stands for that.
    return Math.min(Math.abs(p - q), Number.MAX_VALUE);
  }

  #relative(relative: number): void {
    const { tally } = this;
    if (!(Math.fround(relative) < Number.POSITIVE_INFINITY)) return;
    tally.relatives++;
    tally.sumRelative += relative;
    tally.relative[sketchBucket(relative)]!++;
    if (relative > tally.maxRelative) tally.maxRelative = relative;
  }

  #extremes(p: number, q: number): void {
    const { tally } = this;
    if (p < tally.minActual) tally.minActual = p;
    if (p > tally.maxActual) tally.maxActual = p;
    if (q < tally.minExpected) tally.minExpected = q;
    if (q > tally.maxExpected) tally.maxExpected = q;
  }

  #nonFinite(p: number, q: number, lane: number): void {
    const { tally } = this;
    count(tally.nonFiniteActual, p);
    count(tally.nonFiniteExpected, q);
    // NaN of whatever bits is the same kind; an infinity must have the same sign.
    if (Object.is(p, q)) {
      count(tally.nonFiniteBoth, p);
      if (!Number.isNaN(p)) tally.equal++;
    } else if (tally.worst.admits(Number.POSITIVE_INFINITY, lane)) this.#addWorst(Number.POSITIVE_INFINITY, lane);
    if (!Number.isNaN(p)) tally.topActual.offer(p, lane);
    if (!Number.isNaN(q)) tally.topExpected.offer(q, lane);
  }

  #addWorst(key: number, lane: number): void {
    this.tally.worst.offer(key, lane);
    this.tally.worstValues.set(lane, this.#difference(Math.floor(lane / this.#lanes) - this.start));
    if (this.tally.worstValues.size <= 8 * this.tally.kept) return;
    for (const kept of this.tally.worstValues.keys()) {
      if (!this.tally.worst.indices.includes(kept)) this.tally.worstValues.delete(kept);
    }
  }

  #difference(element: number): ElementDifference {
    const offset = this.start + element;
    return {
      offset,
      index: unravelIndex(offset, this.shape),
      actual: shown(this.a, element),
      expected: shown(this.b, element),
    };
  }
}

function isBig(data: NumericData): boolean {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}

function count(counts: NonFiniteCounts, value: number): void {
  if (Number.isNaN(value)) counts.nan++;
  else if (value === Number.POSITIVE_INFINITY) counts.positiveInfinity++;
  else if (value === Number.NEGATIVE_INFINITY) counts.negativeInfinity++;
}

/** Whether any byte of the lanes differs: +0 and -0, and NaNs of different bits, do. */
function bitsDiffer(a: NumericData, b: NumericData, from: number, count: number): boolean {
  const size = a.BYTES_PER_ELEMENT;
  const p = new Uint8Array(a.buffer, a.byteOffset + from * size, count * size);
  const q = new Uint8Array(b.buffer, b.byteOffset + from * size, count * size);
  for (let i = 0; i < p.length; i++) if (p[i] !== q[i]) return true;
  return false;
}

const scratch = new Float64Array(2);

/** An element as JSON keeps it. */
export function shown({ data, dtype }: Numeric, element: number): Value {
  const value = data[element];
  if (typeof value === 'bigint') return String(value);
  if (dtype === 'bool') return Boolean(value);
  if (isComplex(dtype)) {
    const im = Number(data[2 * element + 1]);
    return `${data[2 * element]}${im < 0 || Object.is(im, -0) ? '-' : '+'}${Math.abs(im)}j`;
  }
  widen(data, dtype, element, 1, scratch);
  return Number.isFinite(scratch[0]!) ? scratch[0]! : String(scratch[0]);
}
