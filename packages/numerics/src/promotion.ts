// numpy's type promotion (NEP 50), as far as the arithmetic of isclose and assert_allclose needs it.
import { DTYPES, type DType, float16Bits, float16Value } from '@tfparity/array';

/** The precision an operation of numpy rounds to. */
export type Precision = 'half' | 'single' | 'double';

/** Rounds to float16 as numpy's half arithmetic does: the operation in float32 first. */
function roundHalf(value: number): number {
  return float16Value(float16Bits(Math.fround(value)));
}

const identity = (value: number): number => value;

/** The function that rounds a double to a precision. */
export function rounding(precision: Precision): (value: number) => number {
  return precision === 'double' ? identity : precision === 'single' ? Math.fround : roundHalf;
}

/** The precision of a dtype's values once numpy has made them inexact (`result_type(y, 1.)`); bfloat16 counts as float32. */
export function inexact(dtype: DType): Precision {
  if (dtype === 'float16') return 'half';
  return dtype === 'float32' || dtype === 'bfloat16' || dtype === 'complex64' ? 'single' : 'double';
}

/** The precision of `x - y`, where y is of floating precision already (complex as its parts). */
export function subtraction(x: DType, y: Precision): Precision {
  if (y === 'double') return 'double';
  const { kind, itemSize } = DTYPES[x];
  if (kind === 'float' || kind === 'complex') {
    const own = inexact(x);
    return own === 'double' || y === own ? own : 'single';
  }
  if (kind === 'bool' || itemSize === 1) return y;
  return itemSize === 2 ? 'single' : 'double';
}

/** The integer dtype of numpy's arithmetic on two integer (or bool) dtypes; `undefined` where it is float64 (uint64 with a signed one). */
export function integerResult(x: DType, y: DType): DType | undefined {
  const bits = (d: DType): number => (DTYPES[d].kind === 'bool' ? 0 : DTYPES[d].itemSize * 8);
  const signed = (d: DType): boolean => DTYPES[d].kind === 'int';
  if (bits(x) === 0 && bits(y) === 0) return 'bool';
  if (bits(x) === 0 || bits(y) === 0 || signed(x) === signed(y)) {
    const widest = bits(x) >= bits(y) ? x : y;
    return `${signed(widest) ? 'int' : 'uint'}${bits(widest)}` as DType;
  }
  const [s, u] = signed(x) ? [bits(x), bits(y)] : [bits(y), bits(x)];
  const size = s > u ? s : u * 2;
  return size > 64 ? undefined : (`int${size}` as DType);
}
