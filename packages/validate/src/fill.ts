import * as tf from '@tensorflow/tfjs-core';
import { DTYPES, type DType, type NdArray, type NumericData, sizeOf } from '@tfparity/array';
import { normalizeName } from '@tfparity/inventory';
import { RandomOp } from '@tfparity/random/philox';
import { asFloat32, asInt32 } from './recorded-dtype.js';
import { ValidateError } from './validate-error.js';

/** A variable, as far as its values depend on it; a tfjs `Variable` is one. */
export interface FillVariable {
  /** With or without TensorFlow's `:0`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** How variables are filled. */
export type FillOptions =
  | {
      /** Every element the same: the guide's reset. It hides errors of order and place. */
      readonly mode: 'constant';
      /** 0.001 unless said, as in the guide. */
      readonly value?: number;
    }
  | {
      /** Values that depend on the variable's name, its shape and the seed alone, not on the order of creation. */
      readonly mode: 'byName';
      readonly seed?: number;
      /** The name that counts, where both sides name a variable differently. */
      readonly nameOf?: (name: string) => string;
    }
  | {
      /** Values that depend on the variable's place in the list and the seed: another order gives other values. */
      readonly mode: 'random';
      readonly seed?: number;
    };

/** FNV-1a over UTF-16 code units, 32 bits. */
function hash(text: string, basis: number): number {
  let h = basis;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/**
 * Least and greatest value. Weights keep the mean square of what goes through them under relu (He's variance, 2 / fan-in);
 * scales and variances stay near 1, which they must for the same reason; offsets and means are small but not 0.
 */
function rangeOf(name: string, shape: readonly number[]): readonly [number, number] {
  const last = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
  if (/variance|gamma|scale|stddev/.test(last)) return [0.5, 1.5];
  if (/mean|beta|bias|offset/.test(last) || shape.length < 2) return [-0.1, 0.1];
  const fanIn = /depthwise/.test(last) ? shape.slice(0, -2) : shape.slice(0, -1);
  const limit = Math.sqrt(6 / Math.max(1, sizeOf(fanIn)));
  return [-limit, limit];
}

/** Numbers in [0, 1), float32, as TensorFlow's RandomUniform draws them from these seeds. */
function uniforms(shape: readonly number[], seed: number, seed2: number): Float32Array {
  // The pair (0, 0) would be drawn from entropy.
  return new RandomOp('RandomUniform', { seed: seed + 1, seed2, dtype: 'float32' }).draw({ shape: [...shape] })
    .data as Float32Array;
}

/** Values of another dtype than float32 out of float32 ones: whole numbers from 0 to 9, or true and false. */
function convert(
  values: Float32Array,
  draws: Float32Array | undefined,
  dtype: DType,
  variable: FillVariable,
): NumericData {
  const { data: Data, kind } = DTYPES[dtype];
  if (Data === undefined || kind === 'complex' || dtype === 'float16' || dtype === 'bfloat16') {
    throw new ValidateError('InvalidArgument', `${variable.name}: variables of dtype ${dtype} can't be filled`, {
      variable: variable.name,
      dtype,
    });
  }
  const out = new Data(values.length);
  for (let i = 0; i < values.length; i++) {
    const value =
      kind === 'float' || draws === undefined ? values[i]! : Math.floor(draws[i]! * (kind === 'bool' ? 2 : 10));
    out[i] =
      dtype === 'int64' || dtype === 'uint64'
        ? BigInt(Math.trunc(value))
        : kind === 'float'
          ? value
          : Math.trunc(value);
  }
  return out;
}

/**
 * The values that `fill` gives a variable.
 *
 * @param place  its place in the list, which mode `random` goes by
 * @throws {ValidateError} `InvalidArgument` for another mode, and for dtypes that are neither float32, float64, whole nor bool
 */
export function fillValue(variable: FillVariable, options: FillOptions, place = 0): NdArray {
  const dtype = variable.dtype as DType;
  const shape = [...variable.shape];
  if (options.mode === 'constant') {
    const values = new Float32Array(sizeOf(shape)).fill(options.value ?? 0.001);
    return { dtype, shape, data: dtype === 'float32' ? values : convert(values, undefined, dtype, variable) };
  }
  if (options.mode !== 'byName' && options.mode !== 'random') {
    const { mode } = options as { mode: string };
    throw new ValidateError('InvalidArgument', `there is no fill '${mode}'; modes are constant, byName, random`, {
      mode,
    });
  }
  const name = normalizeName(variable.name);
  const named = options.mode === 'byName' ? (options.nameOf?.(name) ?? name) : '';
  const key = options.mode === 'byName' ? `${named} [${shape}]` : `#${place}`;
  const draws = uniforms(
    shape,
    (options.seed ?? 42) >>> 0,
    hash(key, 0x811c9dc5) * 2 ** 20 + (hash(key, 0x01234567) >>> 12),
  );
  const [low, high] = rangeOf(options.mode === 'byName' ? named : name, shape);
  if (dtype !== 'float32') {
    const values = draws.map((draw) => low + (high - low) * draw);
    return { dtype, shape, data: convert(values, draws, dtype, variable) };
  }
  for (let i = 0; i < draws.length; i++) draws[i] = low + (high - low) * draws[i]!;
  return { dtype, shape, data: draws };
}

/**
 * Gives variables values that both sides of a migration can be given alike.
 *
 * @param variables  tfjs variables; with `assign`, anything that has name, shape and dtype
 * @param assign  what takes the values, where the variables are not tfjs's own
 * @throws {ValidateError} `InvalidArgument`, as `fillValue`
 */
export function fill<V extends FillVariable>(
  variables: Iterable<V>,
  options: FillOptions & { readonly assign?: (variable: V, values: NdArray) => void },
): void {
  let place = 0;
  for (const variable of variables) {
    const values = fillValue(variable, options, place++);
    if (options.assign) options.assign(variable, values);
    else assignArray(variable as unknown as tf.Variable, values);
  }
}

/** Assigns an array to a tfjs variable in eager code, and frees the tensor that carried it. */
export function assignArray(variable: tf.Variable, values: NdArray): void {
  tf.tidy(() => variable.assign(tensorOf(values, variable.dtype)));
}

/**
 * A tensor with an array's values, of the tfjs dtype that can hold them.
 *
 * @throws {ValidateError} `InvalidArgument` for whole numbers beyond int32, complex numbers and strings
 */
export function tensorOf(values: NdArray, dtype?: tf.DataType): tf.Tensor {
  const { kind } = DTYPES[values.dtype];
  if (kind === 'complex' || kind === 'string') {
    throw new ValidateError('InvalidArgument', `${values.dtype} values can't be given to a model`, {
      dtype: values.dtype,
    });
  }
  const held = dtype ?? (kind === 'float' ? 'float32' : kind === 'bool' ? 'bool' : 'int32');
  return tf.tensor(heldValues(values, held), [...values.shape], held);
}

function heldValues(values: NdArray, held: tf.DataType): tf.TypedArray {
  const { kind } = DTYPES[values.dtype];
  if (kind === 'float' && values.dtype !== 'float32') return asFloat32(values);
  const whole = kind === 'int' || kind === 'uint';
  if (whole && values.dtype !== 'int32' && held !== 'float32') return asInt32(values);
  const wide = values.data instanceof BigInt64Array || values.data instanceof BigUint64Array;
  return (wide ? Float32Array.from(values.data as BigInt64Array, Number) : values.data) as tf.TypedArray;
}
