// TensorFlow.js has float32, int32, bool, complex64 and string. What TensorFlow has beside them is held in one of these.
import { bfloat16Value, DTYPES, type DType, float16Value, type NdArray, type NumericData } from '@tfparity/array';
import { ValidateError } from './validate-error.js';

const HALF: Partial<Record<DType, (bits: number) => number>> = { float16: float16Value, bfloat16: bfloat16Value };

/** Float values as float32: of half precision exactly, of double precision rounded. */
export function asFloat32({ dtype, data }: NdArray): Float32Array {
  const value = HALF[dtype];
  return value === undefined ? Float32Array.from(data as Float64Array) : Float32Array.from(data as Uint16Array, value);
}

/**
 * Whole numbers as int32.
 *
 * @throws {ValidateError} `InvalidArgument` for one that int32 has no room for
 */
export function asInt32({ dtype, data }: NdArray): Int32Array {
  const values = data as NumericData;
  const out = new Int32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const value = Number(values[i]!);
    out[i] = value;
    if (out[i] !== value) {
      const message = `element ${i} is ${values[i]}: TensorFlow.js has int32 for ${dtype}, whose range it is out of`;
      throw new ValidateError('InvalidArgument', message, { dtype, element: i });
    }
  }
  return out;
}

/**
 * Recorded outputs in the dtype that TensorFlow.js has for theirs, where the migrated side gave that one: halves and float64 as
 * float32, other integers as int32 if every value fits. All others keep theirs, and so fail against another dtype.
 */
export function inTensorFlowJs(
  recorded: Readonly<Record<string, NdArray>>,
  actual: Readonly<Record<string, NdArray>>,
): Record<string, NdArray> {
  return Object.fromEntries(
    Object.entries(recorded).map(([name, array]) => [name, held(array, actual[name]?.dtype)] as const),
  );
}

function held(array: NdArray, wanted: DType | undefined): NdArray {
  const { kind } = DTYPES[array.dtype];
  if (array.dtype === wanted || array.dtype === 'bool') return array;
  if (wanted === 'float32' && kind === 'float') return { dtype: wanted, shape: array.shape, data: asFloat32(array) };
  if (wanted !== 'int32' || (kind !== 'int' && kind !== 'uint')) return array;
  try {
    return { dtype: wanted, shape: array.shape, data: asInt32(array) };
  } catch {
    return array;
  }
}
