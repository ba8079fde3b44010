// Numbers as Python and numpy print them. Ported from numpy's dragon4 use in _core/arrayprint.py (numpy 2.4): shortest digits
// that identify the value in its dtype, cut to a precision.
import { bfloat16Bits, bfloat16Value, type DType, float16Bits, float16Value } from '@tfparity/array';

/** Python's `repr` of a float. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const exponent = Number(value.toExponential().split('e')[1]);
  if (exponent < -4 || exponent >= 16) {
    const [digits, power] = value.toExponential().split('e') as [string, string];
    return `${digits}e${power[0]}${power.slice(1).padStart(2, '0')}`;
  }
  const text = String(value);
  if (text.includes('e')) return positionalFromExponential(value.toExponential());
  return text.includes('.') ? text : `${text}.0`;
}

function positionalFromExponential(text: string): string {
  const [mantissa, power] = text.split('e') as [string, string];
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace('-', '').replace('.', '');
  const point = Number(power) + 1;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  const padded = digits.padEnd(point, '0');
  return `${sign}${padded.slice(0, point)}.${padded.slice(point)}`;
}

/** C's `%.{digits}g`, as Python's `:g` and `:.3g` print. */
export function general(value: number, digits = 6): string {
  if (!Number.isFinite(value)) return pythonFloat(value);
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, power] = value.toExponential(digits - 1).split('e') as [string, string];
  const exponent = Number(power);
  const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent < -4 || exponent >= digits) return `${trim(mantissa)}e${power[0]}${power.slice(1).padStart(2, '0')}`;
  return trim(value.toFixed(digits - 1 - exponent));
}

/** Rounds to the dtype's precision, for the search of the shortest digits. */
function nearest(dtype: DType): (value: number) => number {
  if (dtype === 'float16') return (value) => float16Value(float16Bits(value));
  if (dtype === 'bfloat16') return (value) => bfloat16Value(bfloat16Bits(value));
  return dtype === 'float32' || dtype === 'complex64' ? Math.fround : (value) => value;
}

/** The shortest digits, in exponential notation, that identify a finite value among those of its dtype. */
function shortest(value: number, dtype: DType): string {
  const round = nearest(dtype);
  if (dtype === 'float64' || dtype === 'complex128' || value === 0) return value.toExponential();
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits);
    if (round(Number(text)) === value) return text;
  }
  return value.toExponential();
}

/** How `dragon4Positional` and `dragon4Scientific` lay a number out. */
export interface DigitLayout {
  readonly precision: number;
  readonly minDigits?: number;
  readonly padLeft?: number;
  readonly padRight?: number;
  readonly expDigits?: number;
  /** Whether trailing zeros stay, up to `minDigits`. */
  readonly keep?: boolean;
  readonly sign?: boolean;
}

const trimZeros = (fraction: string, least: number): string => {
  let end = fraction.length;
  while (end > least && fraction[end - 1] === '0') end--;
  return fraction.slice(0, end);
};

const signOf = (value: number, always: boolean): string =>
  value < 0 || Object.is(value, -0) ? '-' : always ? '+' : '';

/** JavaScript rounds a value halfway between two texts up; dragon4 rounds it to the even digit. */
function toEven(size: number, rounded: string): string {
  const [mantissa, power] = rounded.split('e') as [string, string?];
  const last = Number(mantissa.at(-1));
  if (last % 2 === 0) return rounded;
  const digits = (mantissa.split('.')[1] ?? '').length;
  const exact =
    power === undefined ? size.toFixed(Math.min(100, digits + 60)) : size.toExponential(Math.min(100, digits + 60));
  const rest = exact.split('e')[0]!.slice(mantissa.length + (digits === 0 ? 1 : 0));
  // The exact text is cut where the rounded one ends: on a tie it is one less in the last digit, and '5' then zeros follow.
  return /^50*$/.test(rest) ? `${mantissa.slice(0, -1)}${last - 1}${power === undefined ? '' : `e${power}`}` : rounded;
}

/** numpy's `dragon4_positional(unique=True, fractional=True)`; the point always stays. */
export function dragon4Positional(value: number, dtype: DType, layout: DigitLayout): string {
  const size = Math.abs(value);
  let [whole, fraction = ''] = positionalFromExponential(shortest(size, dtype)).split('.') as [string, string?];
  if (fraction.length > layout.precision)
    [whole, fraction = ''] = toEven(size, size.toFixed(layout.precision)).split('.') as [string, string?];
  fraction = trimZeros(fraction, 0);
  if (layout.keep) fraction = fraction.padEnd(layout.minDigits ?? 0, '0');
  const left = (signOf(value, layout.sign ?? false) + whole).padStart(layout.padLeft ?? 0);
  return `${left}.${fraction.padEnd(layout.padRight ?? 0)}`;
}

/** numpy's `dragon4_scientific(unique=True)`; the point always stays. */
export function dragon4Scientific(value: number, dtype: DType, layout: DigitLayout): string {
  const size = Math.abs(value);
  let text = shortest(size, dtype);
  const digits = (text.split('e')[0]!.split('.')[1] ?? '').length;
  const { precision, keep = false, minDigits = 0 } = layout;
  if (digits > precision) text = toEven(size, size.toExponential(precision));
  // What is asked for beyond the digits that identify the value are its own, not zeros: 6.5504e+04 of a float16.
  else if (keep && digits < minDigits) text = toEven(size, size.toExponential(minDigits));
  const [mantissa, power] = text.split('e') as [string, string];
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
  let kept = trimZeros(fraction, 0);
  if (keep) kept = kept.padEnd(minDigits, '0');
  const left = (signOf(value, layout.sign ?? false) + whole).padStart(layout.padLeft ?? 0);
  return `${left}.${kept}e${power[0]}${power.slice(1).padStart(layout.expDigits ?? 2, '0')}`;
}
