// Values of every numeric dtype as doubles, a block at a time, so that no whole array is ever copied.
import { bfloat16Value, DTYPES, type DType, float16Value, type NumericData } from '@tfparity/array';

/** How many elements the scalar comparisons widen at once. */
export const BLOCK = 4096;

let float16Table: Float64Array | undefined;

/** The value of each of the 65,536 float16 bit patterns; made on first use. */
function float16Values(): Float64Array {
  if (float16Table === undefined) {
    float16Table = new Float64Array(65536);
    for (let bits = 0; bits < 65536; bits++) float16Table[bits] = float16Value(bits);
  }
  return float16Table;
}

/** Writes lanes `from … from + count` of `data` to `out` as doubles; 64-bit integers are rounded to nearest, the rest is exact. */
export function widen(data: NumericData, dtype: DType, from: number, count: number, out: Float64Array): void {
  if (dtype === 'float16') {
    const table = float16Values();
    for (let i = 0; i < count; i++) out[i] = table[(data as Uint16Array)[from + i]!]!;
  } else if (dtype === 'bfloat16') {
    for (let i = 0; i < count; i++) out[i] = bfloat16Value((data as Uint16Array)[from + i]!);
  } else if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < count; i++) out[i] = Number(data[from + i]!);
  } else if (dtype === 'bool') {
    for (let i = 0; i < count; i++) out[i] = data[from + i] ? 1 : 0;
  } else {
    for (let i = 0; i < count; i++) out[i] = (data as Float64Array)[from + i]!;
  }
}

/** One value as a double (for complex: one lane). */
export function valueAt(data: NumericData, dtype: DType, lane: number): number {
  if (dtype === 'float16') return float16Value((data as Uint16Array)[lane]!);
  if (dtype === 'bfloat16') return bfloat16Value((data as Uint16Array)[lane]!);
  const value = data[lane]!;
  return dtype === 'bool' ? (value ? 1 : 0) : Number(value);
}

/** Whether a dtype's values are complex. */
export function isComplex(dtype: DType): boolean {
  return DTYPES[dtype].kind === 'complex';
}
