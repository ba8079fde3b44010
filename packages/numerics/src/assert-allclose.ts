// Ported from numpy.testing._private.utils.assert_array_compare and assert_allclose (numpy 2.4). Departs: bfloat16 is compared in
// float32, and the error carries the figures as fields.
import {
  bfloat16Bits,
  bfloat16Value,
  DTYPES,
  type DType,
  formatShape,
  type NdArray,
  type NumericData,
  sameShape,
  sizeOf,
  unravelIndex,
} from '@tfparity/array';
import { NumericsError } from './errors.js';
import { float32AllClose } from './float32-verdict.js';
import { broadcast, CloseBlocks, type CloseOptions, type ResolvedClose } from './isclose.js';
import { arrayRepr, scalarText } from './numpy-array.js';
import { general, pythonFloat } from './numpy-number.js';
import { numeric, type Operand, toArray } from './operand.js';
import { inexact, integerResult, rounding, subtraction } from './promotion.js';
import { checkLimits } from './tolerance.js';
import { BLOCK, isComplex, valueAt } from './widen.js';

type Numeric = NdArray<NumericData>;

/**
 * Returns where `numpy.testing.assert_allclose(actual, expected)` does, and throws numpy's message where it raises: count and
 * share of the mismatched elements, the first of them with their indices, greatest absolute and relative difference. A
 * scalar fits any shape; other shapes must be equal. Defaults are numpy's: rtol 1e-7, atol 0, NaN equal to NaN.
 *
 * @throws {NumericsError} `NotClose`, with `details` {mismatched, total}; `NotNumeric` for strings, `InvalidTolerance`
 */
export function assertAllclose(
  actual: Operand,
  expected: Operand,
  options: CloseOptions & { readonly message?: string } = {},
): void {
  const failure = allcloseFailure(actual, expected, options);
  if (failure !== undefined) throw failure;
}

/** The error that `assertAllclose` would throw, or `undefined` where it would return. */
export function allcloseFailure(
  actual: Operand,
  expected: Operand,
  options: CloseOptions & { readonly message?: string } = {},
): NumericsError | undefined {
  const x = numeric(toArray(actual));
  const y = numeric(toArray(expected));
  checkLimits({ rtol: options.rtol, atol: options.atol });
  const close = { rtol: options.rtol ?? 1e-7, atol: options.atol ?? 0, equalNan: options.equalNan ?? true };
  const fail = (remark: string, shown: readonly [Numeric, Numeric] = [x, y], details = {}): NumericsError => {
    const header = `\nNot equal to tolerance rtol=${general(close.rtol)}, atol=${general(close.atol)}`;
    const arrays = [` ACTUAL: ${shortRepr(shown[0])}`, ` DESIRED: ${shortRepr(shown[1])}`];
    return new NumericsError('NotClose', [header, (options.message ?? '') + remark, ...arrays].join('\n'), details);
  };
  if (!sameShape(x.shape, y.shape) && x.shape.length > 0 && y.shape.length > 0) {
    return fail(`\n(shapes ${formatShape(x.shape)}, ${formatShape(y.shape)} mismatch)`);
  }
  if (x.dtype === 'float32' && y.dtype === 'float32' && sameShape(x.shape, y.shape)) {
    if (float32AllClose(x.data as Float32Array, y.data as Float32Array, close)) return undefined;
  }
  const shape = x.shape.length > 0 ? x.shape : y.shape;
  const pair = new Pair(broadcast(x, shape), broadcast(y, shape), close);
  const location = pair.nonFiniteMismatch();
  if (location === 'values') return fail('\ninf values mismatch:', pair.infinities(x, y));
  if (location !== undefined) return fail(`\n${location} location mismatch:`);
  const found = pair.mismatches();
  if (found.count === 0) return undefined;
  const percent = `${general((100 * found.count) / pair.size, 3)}%`;
  const remarks = [`Mismatched elements: ${found.count} / ${pair.size} (${percent})`];
  if (shape.length > 0) remarks.push(mismatchLines(found, x, y, shape));
  if (found.figures !== undefined) {
    remarks.push(`Max absolute difference among violations: ${found.figures.absolute}`);
    remarks.push(`Max relative difference among violations: ${found.figures.relative}`);
  }
  const details = { mismatched: found.count, total: pair.size, first: found.first.map((o) => unravelIndex(o, shape)) };
  return fail(`\n${remarks.join('\n')}`, [x, y], details);
}

function shortRepr(array: Numeric): string {
  const lines = arrayRepr(array, 6).split('\n');
  return lines.length > 4 ? `${lines.slice(0, 3).join('\n')}...` : lines.join('\n');
}

function mismatchLines(found: Mismatches, x: Numeric, y: Numeric, shape: readonly number[]): string {
  const lines = found.first.map((offset) => {
    const index = `[${unravelIndex(offset, shape).join(', ')}]`;
    const text = (array: Numeric): string => elementText(array, array.shape.length === 0 ? 0 : offset);
    return ` ${index}: ${text(x)} (ACTUAL), ${text(y)} (DESIRED)`;
  });
  const head =
    found.count === 1
      ? 'Mismatch at index:'
      : found.count <= 5
        ? 'Mismatch at indices:'
        : 'First 5 mismatches are at indices:';
  return [head, ...lines].join('\n');
}

/** An element as Python's f-string prints a numpy scalar. */
function elementText({ data, dtype }: Numeric, offset: number): string {
  const { kind } = DTYPES[dtype];
  if (kind === 'bool') return data[offset] ? 'True' : 'False';
  if (kind === 'int' || kind === 'uint') return String(data[offset]);
  if (kind === 'float') return pythonFloat(valueAt(data, dtype, offset));
  const part = (value: number): string => pythonFloat(value).replace(/\.0$/, '');
  const re = Number(data[2 * offset]);
  const im = Number(data[2 * offset + 1]);
  const sign = im < 0 || Object.is(im, -0) ? '' : '+';
  return Object.is(re, 0) ? `${part(im)}j` : `(${part(re)}${sign}${part(im)}j)`;
}

interface Mismatches {
  count: number;
  readonly first: number[];
  figures?: { readonly absolute: string; readonly relative: string };
}

/** Two arrays of one shape, under numpy's comparison. */
class Pair {
  readonly size: number;

  constructor(
    private readonly x: Numeric,
    private readonly y: Numeric,
    private readonly close: ResolvedClose,
  ) {
    this.size = sizeOf(x.shape);
  }

  /** What lies where on one side only: NaN, an infinity, or infinities of different sign. */
  nonFiniteMismatch(): 'nan' | 'inf' | 'values' | undefined {
    const { x, y, size } = this;
    let infinite = false;
    let values = false;
    for (let i = 0; i < size; i++) {
      const nanX = isNan(x, i);
      const nanY = isNan(y, i);
      if (this.close.equalNan && nanX !== nanY) return 'nan';
      const flagged = this.close.equalNan && nanY;
      const infX = !flagged && isInf(x, i);
      const infY = !flagged && isInf(y, i);
      infinite ||= infX !== infY;
      values ||= infX && infY && !equal(x, y, i);
    }
    return infinite ? 'inf' : values ? 'values' : undefined;
  }

  /** The infinities alone, as numpy shows them; scalars are shown as they are. */
  infinities(shownX: Numeric, shownY: Numeric): readonly [Numeric, Numeric] {
    if (shownX.shape.length === 0 || shownY.shape.length === 0) return [shownX, shownY];
    const flagged = (i: number): boolean => this.close.equalNan && isNan(this.y, i);
    const at = Array.from({ length: this.size }, (_, i) => i).filter((i) => isInf(this.y, i) && !flagged(i));
    return [take(this.x, at), take(this.y, at)];
  }

  /** Elements that are not close, after those that are NaN or infinite on both sides. */
  mismatches(): Mismatches {
    const found: Mismatches = { count: 0, first: [] };
    const figures = new Figures(this.x, this.y);
    const blocks = new CloseBlocks(this.x, this.y, this.close);
    for (let from = 0; from < this.size; from += BLOCK) {
      const count = Math.min(BLOCK, this.size - from);
      if (blocks.test(from, count) === 0) continue;
      for (let i = 0; i < count; i++) {
        if (!blocks.outside[i]) continue;
        found.count++;
        if (found.first.length < 5) found.first.push(from + i);
        figures.add(from + i);
      }
    }
    if (found.count > 0) found.figures = figures.text();
    return found;
  }
}

const parts = (array: Numeric, i: number): readonly number[] =>
  isComplex(array.dtype)
    ? [Number(array.data[2 * i]), Number(array.data[2 * i + 1])]
    : [valueAt(array.data, array.dtype, i)];

const isNan = (array: Numeric, i: number): boolean => parts(array, i).some(Number.isNaN);
const isInf = (array: Numeric, i: number): boolean =>
  parts(array, i).some((v) => v === Number.POSITIVE_INFINITY || v === Number.NEGATIVE_INFINITY);

function equal(x: Numeric, y: Numeric, i: number): boolean {
  const p = parts(x, i);
  const q = parts(y, i);
  return p[0] === q[0] && (p[1] ?? 0) === (q[1] ?? 0);
}

function take(array: Numeric, offsets: number[]): Numeric {
  const lanes = isComplex(array.dtype) ? 2 : 1;
  const Data = array.data.constructor as new (length: number) => NumericData;
  const data = new Data(offsets.length * lanes);
  offsets.forEach((offset, i) => {
    for (let lane = 0; lane < lanes; lane++) data[i * lanes + lane] = array.data[offset * lanes + lane]!;
  });
  return { dtype: array.dtype, shape: [offsets.length], data };
}

/** The greatest differences among the violations, in numpy's arithmetic for the two dtypes. */
class Figures {
  #absolute = Number.NEGATIVE_INFINITY;
  #absoluteText: bigint | undefined;
  #relative = Number.NEGATIVE_INFINITY;
  #anyNonzero = false;
  readonly #integer: DType | undefined;

  constructor(
    private readonly x: Numeric,
    private readonly y: Numeric,
  ) {
    const whole = (d: DType): boolean => ['int', 'uint', 'bool'].includes(DTYPES[d].kind);
    this.#integer = whole(x.dtype) && whole(y.dtype) ? integerResult(x.dtype, y.dtype) : undefined;
  }

  /** numpy subtracts two scalars of which the first is unsigned, then fails to take the lesser difference, and says nothing. */
  #silent(): boolean {
    return DTYPES[this.x.dtype].kind === 'uint' && this.x.shape.length === 0 && this.y.shape.length === 0;
  }

  add(i: number): void {
    if (this.#integer !== undefined) this.#addInteger(i, this.#integer);
    else this.#addFloat(i);
  }

  #addFloat(i: number): void {
    const p = parts(this.x, i);
    const q = parts(this.y, i);
    const round = rounding(this.#precision());
    const re = Math.abs(round(p[0]! - q[0]!));
    const im = (p[1] ?? 0) - (q[1] ?? 0);
    const error = isComplex(this.x.dtype) || isComplex(this.y.dtype) ? round(Math.hypot(re, round(im))) : re;
    this.#absolute = greater(this.#absolute, error);
    const size = q.length === 2 ? rounding(inexact(this.y.dtype))(Math.hypot(q[0]!, q[1]!)) : this.#size(q[0]!);
    this.#divide(error, size, round);
  }

  /** The magnitude of an expected value; that of the least integer of a dtype wraps to itself. */
  #size(value: number): number {
    const { kind, itemSize } = DTYPES[this.y.dtype];
    return kind === 'int' && value === -(2 ** (8 * itemSize - 1)) ? value : Math.abs(value);
  }

  #addInteger(i: number, result: DType): void {
    const wrap = (value: bigint): bigint => {
      const bits = DTYPES[result].itemSize * 8;
      return DTYPES[result].kind === 'int' ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
    };
    const magnitude = (value: bigint): bigint => wrap(value < 0n ? -value : value);
    const p = BigInt(this.x.data[i]!);
    const q = BigInt(this.y.data[i]!);
    let error = magnitude(wrap(p - q));
    if (DTYPES[this.x.dtype].kind === 'uint') {
      const other = magnitude(wrap(q - p));
      if (other < error) error = other;
    }
    if (this.#absoluteText === undefined || error > this.#absoluteText) this.#absoluteText = error;
    const bits = DTYPES[this.y.dtype].itemSize * 8;
    const size = DTYPES[this.y.dtype].kind === 'int' ? BigInt.asIntN(bits, q < 0n ? -q : q) : q;
    this.#divide(Number(error), Number(size), (v) => v);
  }

  #divide(error: number, size: number, round: (v: number) => number): void {
    // NaN counts as nonzero, as in numpy (nan != 0).
    if (size === 0) return;
    this.#anyNonzero = true;
    this.#relative = greater(this.#relative, round(error / size));
  }

  #precision(): 'half' | 'single' | 'double' {
    const kind = DTYPES[this.y.dtype].kind;
    if (kind === 'float' || kind === 'complex') return subtraction(this.x.dtype, inexact(this.y.dtype));
    // y is an integer, x a float (or both integers whose result is float64).
    return DTYPES[this.x.dtype].kind === 'float' || isComplex(this.x.dtype)
      ? subtraction(this.y.dtype, inexact(this.x.dtype))
      : 'double';
  }

  /** The two figures as numpy prints them; none for bools, which numpy cannot subtract. */
  text(): { absolute: string; relative: string } | undefined {
    if (this.#integer === 'bool' || this.#silent()) return undefined;
    const precision = this.#integer === undefined ? this.#precision() : 'double';
    const dtype = precision === 'half' ? 'float16' : precision === 'single' ? 'float32' : 'float64';
    const absolute =
      this.#absoluteText === undefined ? scalarText(this.#asShown(this.#absolute), dtype) : String(this.#absoluteText);
    const relative = this.#anyNonzero ? scalarText(this.#asShown(this.#relative), dtype) : 'inf';
    return { absolute, relative };
  }

  #asShown(value: number): number {
    const both = this.x.dtype === 'bfloat16' && this.y.dtype === 'bfloat16';
    return both && Number.isFinite(value) ? bfloat16Value(bfloat16Bits(value)) : value;
  }
}

/** numpy's maximum: NaN wins. */
function greater(a: number, b: number): number {
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b);
}
