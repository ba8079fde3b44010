// How golden/recipes/checkpoints.py writes a tensor into expected.json, and the bytes that it stands for.
import { bfloat16Bits, DTYPES, type DType, float16Bits, type NdArray } from '@tfparity/array';

export interface ExpectedTensor {
  readonly dtype: DType;
  readonly shape: number[];
  readonly values: (number | string | boolean | [number, number])[];
}

/** A checkpoint of expected.json. */
export interface ExpectedCheckpoint {
  readonly format?: string;
  readonly sliced?: string[];
  readonly names?: Record<string, number[]>;
  readonly tensors?: Record<string, ExpectedTensor>;
  readonly variables?: Record<string, ExpectedTensor>;
}

const NAMED: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

/** The array that an expected tensor stands for. */
export function expectedArray({ dtype, shape, values }: ExpectedTensor): NdArray {
  if (dtype === 'string') {
    return { dtype, shape, data: values.map((v) => Uint8Array.from(v as string, (c) => c.charCodeAt(0))) };
  }
  const { data: Data, kind, itemSize } = DTYPES[dtype];
  const flat = kind === 'complex' ? (values as [number, number][]).flat() : values;
  const wide = itemSize === 8 && (kind === 'int' || kind === 'uint');
  const numbers = flat.map((v) => {
    if (wide) return BigInt(v as string);
    const number = typeof v === 'string' ? NAMED[v]! : Number(v);
    return dtype === 'float16' ? float16Bits(number) : dtype === 'bfloat16' ? bfloat16Bits(number) : number;
  });
  return { dtype, shape, data: (Data as unknown as { from(v: unknown[]): Float32Array }).from(numbers) };
}
