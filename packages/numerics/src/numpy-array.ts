// Ported from numpy._core.arrayprint (numpy 2.4): array_repr and its formatters, at the default print options
// (threshold 1000, three items at an edge, 75 columns). Departs: bfloat16 prints as a float dtype of that name.
import {
  DTYPES,
  type DType,
  formatShape,
  type NdArray,
  type NumericData,
  type Shape,
  sizeOf,
  stridesOf,
} from '@tfparity/array';
import { type DigitLayout, dragon4Positional, dragon4Scientific } from './numpy-number.js';
import { isComplex, valueAt } from './widen.js';

const WIDTH = 75;
const EDGE = 3;
const THRESHOLD = 1000;

/** Text of the element at an offset. */
type Formatter = (offset: number) => string;

/** Significant decimal digits that numpy's finfo gives a dtype. */
const FINFO_PRECISION: Partial<Record<DType, number>> = { float16: 3, bfloat16: 2, float32: 6, complex64: 6 };

/** `repr(array)` as numpy prints it: `array([1., 2.], dtype=float32)`. */
export function arrayRepr(array: NdArray<NumericData>, precision = 8): string {
  const size = sizeOf(array.shape);
  const prefix = 'array(';
  const text = size === 0 ? '[]' : arrayText(array, precision, prefix, WIDTH - 1);
  const extras: string[] = [];
  const emptyVector = array.shape.length === 1 && array.shape[0] === 0;
  if ((size === 0 && !emptyVector) || size > THRESHOLD) extras.push(`shape=${formatShape(array.shape)}`);
  const implied = ['float64', 'int64', 'bool', 'complex128'].includes(array.dtype);
  if (!implied || size === 0) extras.push(`dtype=${array.dtype}`);
  if (extras.length === 0) return `${prefix}${text})`;
  const head = `${prefix}${text},`;
  const tail = `${extras.join(', ')})`;
  const lastLine = head.length - (head.lastIndexOf('\n') + 1);
  const spacer = lastLine + tail.length + 1 > WIDTH ? `\n${' '.repeat(prefix.length)}` : ' ';
  return head + spacer + tail;
}

/** `array2string` of a 0-d value: a figure of the message. */
export function scalarText(value: number, dtype: DType): string {
  if (DTYPES[dtype].kind !== 'float') return String(value);
  return floatFormatter([value], dtype, 8)(value);
}

function arrayText(array: NdArray<NumericData>, precision: number, prefix: string, width: number): string {
  const { shape } = array;
  const summarize = sizeOf(shape) > THRESHOLD;
  const offsets = shownOffsets(shape, summarize);
  const format = formatterOf(array, offsets, precision);
  const strides = stridesOf(shape);
  const recurse = (axis: number, offset: number, hanging: string, current: number): string => {
    if (axis === shape.length) return format(offset);
    const length = shape[axis]!;
    const summary = summarize && 2 * EDGE < length;
    const lead = summary ? EDGE : 0;
    const trail = summary ? EDGE : length;
    const item = (i: number): string =>
      recurse(axis + 1, offset + (i < 0 ? length + i : i) * strides[axis]!, `${hanging} `, current - 1);
    let text = '';
    if (axis === shape.length - 1) {
      const room = current - 1;
      let line = hanging;
      const extend = (word: string): void => {
        if (line.length + word.length > room && line.length > hanging.length) {
          text += `${line.trimEnd()}\n`;
          line = hanging;
        }
        line += word;
      };
      for (let i = 0; i < lead; i++) {
        extend(item(i));
        line += ', ';
      }
      if (summary) {
        extend('...');
        line += ', ';
      }
      for (let i = trail; i > 1; i--) {
        extend(item(-i));
        line += ', ';
      }
      extend(item(-1));
      text += line;
    } else {
      const between = `,${'\n'.repeat(shape.length - axis - 1)}`;
      for (let i = 0; i < lead; i++) text += hanging + item(i) + between;
      if (summary) text += `${hanging}...${between}`;
      for (let i = trail; i > 1; i--) text += hanging + item(-i) + between;
      text += hanging + item(-1);
    }
    return `[${text.slice(hanging.length)}]`;
  };
  return recurse(0, 0, ` ${' '.repeat(prefix.length)}`, width);
}

/** Offsets of the elements that are printed: all, or the corners. */
function shownOffsets(shape: Shape, summarize: boolean): number[] {
  const strides = stridesOf(shape);
  let offsets = [0];
  shape.forEach((length, axis) => {
    const next: number[] = [];
    for (const offset of offsets) {
      for (let i = 0; i < length; i++) {
        if (summarize && length > 2 * EDGE && i >= EDGE && i < length - EDGE) continue;
        next.push(offset + i * strides[axis]!);
      }
    }
    offsets = next;
  });
  return offsets;
}

function formatterOf(array: NdArray<NumericData>, offsets: number[], precision: number): Formatter {
  const { data, dtype } = array;
  const { kind } = DTYPES[dtype];
  if (kind === 'bool') return (offset) => (data[offset] ? (array.shape.length > 0 ? ' True' : 'True') : 'False');
  if (isComplex(dtype)) {
    const real = floatFormatter(
      offsets.map((o) => Number(data[2 * o])),
      dtype,
      precision,
    );
    const imaginary = floatFormatter(
      offsets.map((o) => Number(data[2 * o + 1])),
      dtype,
      precision,
      true,
    );
    return (offset) => {
      const text = imaginary(Number(data[2 * offset + 1]));
      const end = text.trimEnd().length;
      return `${real(Number(data[2 * offset]))}${text.slice(0, end)}j${text.slice(end)}`;
    };
  }
  if (kind === 'float') {
    const format = floatFormatter(
      offsets.map((o) => valueAt(data, dtype, o)),
      dtype,
      precision,
    );
    return (offset) => format(valueAt(data, dtype, offset));
  }
  const width = offsets.reduce((most, o) => Math.max(most, String(data[o]).length), 0);
  return (offset) => String(data[offset]).padStart(width);
}

/** numpy's `FloatingFormat` with floatmode `maxprec`. */
function floatFormatter(values: number[], dtype: DType, precision: number, sign = false): (value: number) => string {
  const finite = values.filter(Number.isFinite);
  const sizes = finite.filter((v) => v !== 0).map(Math.abs);
  const most = sizes.reduce((m, v) => Math.max(m, v), 0);
  const least = sizes.reduce((m, v) => Math.min(m, v), Number.POSITIVE_INFINITY);
  const cutoff = 10 ** Math.min(8, FINFO_PRECISION[dtype] ?? 8);
  const exponential = sizes.length > 0 && (most >= cutoff || least < 0.0001 || most / least > 1000);
  let layout: DigitLayout = { precision, sign };
  let padLeft = 0;
  let padRight = 0;
  if (finite.length > 0) {
    const parts = finite.map((v) =>
      (exponential ? dragon4Scientific : dragon4Positional)(v, dtype, layout).split(/[.e]/),
    );
    padLeft = parts.reduce((m, p) => Math.max(m, p[0]!.length), 0);
    const digits = parts.reduce((m, p) => Math.max(m, p[1]!.length), 0);
    if (exponential) {
      const expDigits = parts.reduce((m, p) => Math.max(m, p[2]!.length), 0) - 1;
      padRight = expDigits + 2 + digits;
      layout = { precision: digits, minDigits: digits, keep: true, expDigits, sign };
    } else {
      padRight = digits;
      layout = { precision, padRight: digits, sign };
    }
  }
  if (finite.length < values.length) {
    const negative = sign || values.some((v) => v === Number.NEGATIVE_INFINITY) ? 1 : 0;
    padLeft = Math.max(padLeft, 3 - padRight - 1, 3 + negative - padRight - 1);
  }
  layout = { ...layout, padLeft };
  return (value) => {
    if (Number.isNaN(value)) return `${sign ? '+' : ''}nan`.padStart(padLeft + padRight + 1);
    if (!Number.isFinite(value)) return `${value < 0 ? '-' : sign ? '+' : ''}inf`.padStart(padLeft + padRight + 1);
    return (exponential ? dragon4Scientific : dragon4Positional)(value, dtype, layout);
  };
}
