// Ported from numpy._core.numeric.isclose (numpy 2.4), with its rounding per dtype. Departs: bfloat16, which numpy lacks, is
// compared in float32.
import { formatShape, type NdArray, type NumericData, type Shape, sameShape, sizeOf } from '@tfparity/array';
import { NumericsError } from './errors.js';
import { float32AllClose } from './float32-verdict.js';
import { numeric, type Operand, toArray } from './operand.js';
import { inexact, rounding, subtraction } from './promotion.js';
import { checkLimits } from './tolerance.js';
import { BLOCK, isComplex, widen } from './widen.js';

/** numpy's tolerances: an element is close where |actual - expected| <= atol + rtol * |expected|. */
export interface CloseOptions {
  readonly rtol?: number;
  readonly atol?: number;
  /** Whether NaN is close to NaN. */
  readonly equalNan?: boolean;
}

/** The options with numpy's defaults filled in. */
export type ResolvedClose = Required<CloseOptions>;

/**
 * Whether every element of `actual` is close to that of `expected`, as `numpy.allclose` says: the same rule, the same
 * rounding in each dtype, the same broadcasting, the same defaults (rtol 1e-5, atol 1e-8, NaN not equal to NaN).
 *
 * As in numpy, integers are compared as float64, so 64-bit ones beyond 2^53 may pass where they differ; `compareArrays`
 * compares them exactly.
 *
 * @throws {NumericsError} `NotBroadcastable` where the shapes cannot be broadcast, `NotNumeric` for strings,
 * `InvalidTolerance` for a limit below 0 or NaN, at which numpy warns
 */
export function allclose(actual: Operand, expected: Operand, options: CloseOptions = {}): boolean {
  const a = numeric(toArray(actual));
  const b = numeric(toArray(expected));
  checkLimits({ rtol: options.rtol, atol: options.atol });
  const close = { rtol: options.rtol ?? 1e-5, atol: options.atol ?? 1e-8, equalNan: options.equalNan ?? false };
  if (sameShape(a.shape, b.shape)) {
    if (a.dtype === 'float32' && b.dtype === 'float32') {
      return float32AllClose(a.data as Float32Array, b.data as Float32Array, close);
    }
    return everyClose(a, b, sizeOf(a.shape), close);
  }
  const shape = broadcastShape(a.shape, b.shape);
  return everyClose(broadcast(a, shape), broadcast(b, shape), sizeOf(shape), close);
}

function everyClose(a: NdArray<NumericData>, b: NdArray<NumericData>, count: number, close: ResolvedClose): boolean {
  const step = new CloseBlocks(a, b, close);
  for (let from = 0; from < count; from += BLOCK) {
    if (step.test(from, Math.min(BLOCK, count - from)) > 0) return false;
  }
  return true;
}

/** numpy's rule over two arrays of the same element count, a block at a time. */
export class CloseBlocks {
  /** 1 where the element of the last tested block is not close. */
  readonly outside = new Uint8Array(BLOCK);
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #complex: boolean;

  constructor(
    private readonly a: NdArray<NumericData>,
    private readonly b: NdArray<NumericData>,
    private readonly close: ResolvedClose,
  ) {
    this.#complex = isComplex(a.dtype) || isComplex(b.dtype);
    this.#x = new Float64Array(this.#complex ? 2 * BLOCK : BLOCK);
    this.#y = new Float64Array(this.#complex ? 2 * BLOCK : BLOCK);
  }

  /** How many of `count` (at most `BLOCK`) elements from `from` on are not close. */
  test(from: number, count: number): number {
    if (this.#complex) return this.#testComplex(from, count);
    const x = this.#x;
    const y = this.#y;
    widen(this.a.data, this.a.dtype, from, count, x);
    widen(this.b.data, this.b.dtype, from, count, y);
    const limits = inexact(this.b.dtype);
    const inDouble = limits === 'double';
    const difference = subtraction(this.a.dtype, limits);
    const round = rounding(limits);
    const roundDifference = rounding(difference);
    const rtol = round(this.close.rtol);
    const atol = round(this.close.atol);
    const { equalNan } = this.close;
    let failed = 0;
    for (let i = 0; i < count; i++) {
      const p = x[i]!;
      const q = y[i]!;
      let close = p === q;
      if (!close) {
        const d = difference === 'double' ? Math.abs(p - q) : Math.abs(roundDifference(p - q));
        const limit = inDouble ? atol + rtol * Math.abs(q) : round(atol + round(rtol * Math.abs(q)));
        // biome-ignore lint/suspicious/noSelfCompare: the fastest test for NaN
        close = (d <= limit && Number.isFinite(q)) || (equalNan && p !== p && q !== q);
      }
      this.outside[i] = close ? 0 : 1;
      if (!close) failed++;
    }
    return failed;
  }

  #testComplex(from: number, count: number): number {
    const x = complexBlock(this.a, from, count, this.#x);
    const y = complexBlock(this.b, from, count, this.#y);
    const limits = inexact(this.b.dtype);
    const round = rounding(limits);
    const roundDifference = rounding(subtraction(this.a.dtype, limits));
    const rtol = round(this.close.rtol);
    const atol = round(this.close.atol);
    let failed = 0;
    for (let i = 0; i < count; i++) {
      const re = roundDifference(x[2 * i]! - y[2 * i]!);
      const im = roundDifference(x[2 * i + 1]! - y[2 * i + 1]!);
      const magnitude = round(Math.hypot(y[2 * i]!, y[2 * i + 1]!));
      const finite = Number.isFinite(y[2 * i]!) && Number.isFinite(y[2 * i + 1]!);
      const within = roundDifference(Math.hypot(re, im)) <= round(atol + round(rtol * magnitude)) && finite;
      const nanX = Number.isNaN(x[2 * i]!) || Number.isNaN(x[2 * i + 1]!);
      const nanY = Number.isNaN(y[2 * i]!) || Number.isNaN(y[2 * i + 1]!);
      const equal = x[2 * i] === y[2 * i] && x[2 * i + 1] === y[2 * i + 1];
      const close = equal || within || (this.close.equalNan && nanX && nanY);
      this.outside[i] = close ? 0 : 1;
      if (!close) failed++;
    }
    return failed;
  }
}

/** Elements as (real, imaginary) pairs, whatever the dtype. */
function complexBlock(array: NdArray<NumericData>, from: number, count: number, out: Float64Array): Float64Array {
  if (isComplex(array.dtype)) widen(array.data, array.dtype, 2 * from, 2 * count, out);
  else {
    widen(array.data, array.dtype, from, count, out);
    for (let i = count - 1; i >= 0; i--) {
      out[2 * i] = out[i]!;
      out[2 * i + 1] = 0;
    }
  }
  return out;
}

/** The shape numpy broadcasts two to. @throws {NumericsError} `NotBroadcastable`, in numpy's words */
export function broadcastShape(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) {
    const p = a[axis - rank + a.length] ?? 1;
    const q = b[axis - rank + b.length] ?? 1;
    if (p !== q && p !== 1 && q !== 1) {
      throw new NumericsError(
        'NotBroadcastable',
        `operands could not be broadcast together with shapes ${formatShape(a).replaceAll(' ', '')} ${formatShape(b).replaceAll(' ', '')} `,
        { actual: a, expected: b },
      );
    }
    shape[axis] = p === 1 ? q : p;
  }
  return shape;
}

/** The array copied out to a broadcast shape; the array itself where it has that shape. */
export function broadcast(array: NdArray<NumericData>, shape: Shape): NdArray<NumericData> {
  if (sameShape(array.shape, shape)) return array;
  const lanes = isComplex(array.dtype) ? 2 : 1;
  const size = sizeOf(shape);
  const Data = array.data.constructor as new (length: number) => NumericData;
  const data = new Data(size * lanes);
  const rank = shape.length;
  const pad = rank - array.shape.length;
  const strides = new Array<number>(rank).fill(0);
  for (let axis = rank - 1, stride = lanes; axis >= pad; axis--) {
    const own = array.shape[axis - pad]!;
    strides[axis] = own === 1 ? 0 : stride;
    stride *= own;
  }
  const index = new Array<number>(rank).fill(0);
  for (let i = 0, from = 0; i < size; i++) {
    for (let lane = 0; lane < lanes; lane++) data[i * lanes + lane] = array.data[from + lane]!;
    for (let axis = rank - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { dtype: array.dtype, shape, data };
}
