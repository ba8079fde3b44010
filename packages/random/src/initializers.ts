// Ported from tensorflow/python/ops/init_ops.py (2.21, compat.v1) and tf_slim/layers/initializers.py (git 1287b1ef).
// Departure: factories take one object of options; `partition_info` is not there.
import * as tf from '@tensorflow/tfjs-core';
import { orthogonalMatrix } from './orthogonal.js';
import { RandomError } from './random-error.js';
import type { RandomDType } from './random-kernels.js';
import { truncatedNormal as drawTruncatedNormal, normal, type SeedOptions, uniform } from './random-ops.js';

/** Makes the initial value of a variable of that shape; random ones take one op's seed for each call. */
export type Initializer = (shape: readonly number[], dtype?: tf.DataType) => tf.Tensor;

/** Options of `varianceScaling`. */
export interface VarianceScalingOptions extends SeedOptions {
  readonly scale?: number;
  readonly mode?: 'fan_in' | 'fan_out' | 'fan_avg';
  /** `normal` is `truncated_normal`, whose stddev is corrected for what truncation takes away. */
  readonly distribution?: 'normal' | 'truncated_normal' | 'untruncated_normal' | 'uniform';
}

/** Options of slim's `varianceScaling`, whose normal is corrected by the rounder factor 1.3. */
export interface SlimVarianceScalingOptions extends SeedOptions {
  readonly factor?: number;
  readonly mode?: 'FAN_IN' | 'FAN_OUT' | 'FAN_AVG';
  readonly uniform?: boolean;
}

/** The standard deviation of a standard normal truncated at ±2. */
const TRUNCATED_STDDEV = 0.8796256610342398;

function float(dtype: tf.DataType = 'float32'): 'float32' {
  if (dtype !== 'float32') {
    throw new RandomError('InvalidDType', `Argument \`dtype\` is expected to be floating point. Received: ${dtype}.`, {
      dtype,
    });
  }
  return dtype;
}

function argument(name: string, expected: string, received: unknown): RandomError {
  return new RandomError('InvalidArgument', `Argument \`${name}\` ${expected}. Received: ${String(received)}`, {
    [name]: received,
  });
}

function computeFans(shape: readonly number[]): [fanIn: number, fanOut: number] {
  if (shape.length === 0) return [1, 1];
  const last = shape[shape.length - 1] as number;
  if (shape.length === 1) return [last, last];
  const receptive = shape.slice(0, -2).reduce((product, length) => product * length, 1);
  return [(shape[shape.length - 2] as number) * receptive, last * receptive];
}

/** Zeros (false, 0) of the dtype asked for. */
function zeros(): Initializer {
  return (shape, dtype = 'float32') => tf.zeros([...shape], dtype);
}

/** Ones (true, 1) of the dtype asked for. */
function ones(): Initializer {
  return (shape, dtype = 'float32') => tf.ones([...shape], dtype);
}

/**
 * One value everywhere, or a list of values in row-major order whose last one fills what is left, as TF1 does.
 *
 * @param options.verifyShape  the value must have the very shape asked for
 */
function constant(value: number | boolean | tf.TensorLike = 0, { verifyShape = false } = {}): Initializer {
  return (shape, dtype = 'float32') => {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = tf.util.flatten(value as number[]) as number[];
    if (
      verifyShape &&
      !tf.util.arraysEqual(tf.util.isTypedArray(value) ? [value.length] : inferShape(value), [...shape])
    ) {
      throw new RandomError('InvalidShape', `Expected Tensor's shape: [${shape}], got [${inferShape(value)}].`, {
        shape,
      });
    }
    if (values.length > size) {
      throw new RandomError(
        'InvalidShape',
        `Too many elements provided. Takes at most ${size}, but got ${values.length}`,
        { shape, expected: size, actual: values.length },
      );
    }
    if (values.length === 0 && size > 0) {
      throw new RandomError('InvalidShape', `an empty constant can't fill shape [${shape}]`, { shape });
    }
    if (values.length === 1) return tf.fill([...shape], values[0] as number, dtype as 'float32');
    const last = values.at(-1) as number;
    return tf.tensor(
      Array.from({ length: size }, (_, i) => values[i] ?? last),
      [...shape],
      dtype,
    );
  };
}

function inferShape(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...(value.length > 0 ? inferShape(value[0]) : [])] : [];
}

/** compat.v1 `random_uniform_initializer`. */
function randomUniform({
  minval = 0,
  maxval,
  seed,
}: SeedOptions & { minval?: number; maxval?: number | null } = {}): Initializer {
  return (shape, dtype = 'float32') => uniform(shape, { minval, maxval, seed, dtype: dtype as RandomDType });
}

/** compat.v1 `random_normal_initializer`. */
function randomNormal({
  mean = 0,
  stddev = 1,
  seed,
}: SeedOptions & { mean?: number; stddev?: number } = {}): Initializer {
  return (shape, dtype) => normal(shape, { mean, stddev, seed, dtype: float(dtype) });
}

/** compat.v1 `truncated_normal_initializer`. */
function truncatedNormal({
  mean = 0,
  stddev = 1,
  seed,
}: SeedOptions & { mean?: number; stddev?: number } = {}): Initializer {
  return (shape, dtype) => drawTruncatedNormal(shape, { mean, stddev, seed, dtype: float(dtype) });
}

/** compat.v1 `uniform_unit_scaling_initializer`: uniform within ±sqrt(3 / input size) * factor. */
function uniformUnitScaling({ factor = 1, seed }: SeedOptions & { factor?: number } = {}): Initializer {
  return (shape, dtype) => {
    const inputs = Math.max(
      shape.slice(0, -1).reduce((product, length) => product * length, 1),
      1,
    );
    const limit = Math.sqrt(3 / inputs) * factor;
    return uniform(shape, { minval: -limit, maxval: limit, seed, dtype: float(dtype) });
  };
}

/** compat.v1 `variance_scaling_initializer`. @throws {RandomError} `InvalidArgument`, in TensorFlow's words */
function varianceScaling({
  scale = 1,
  mode = 'fan_in',
  distribution = 'truncated_normal',
  seed,
}: VarianceScalingOptions = {}): Initializer {
  if (!(scale > 0)) throw argument('scale', 'must be a positive float', scale);
  if (!['fan_in', 'fan_out', 'fan_avg'].includes(mode)) {
    throw argument('mode', "should be one of ('fan_in', 'fan_out', 'fan_avg')", mode);
  }
  if (!['normal', 'truncated_normal', 'untruncated_normal', 'uniform'].includes(distribution)) {
    throw argument(
      'distribution',
      "should be one of ('normal', uniform', 'truncated_normal', 'untruncated_normal')",
      distribution,
    );
  }
  return (shape, dtype) => {
    const [fanIn, fanOut] = computeFans(shape);
    const fan = mode === 'fan_in' ? fanIn : mode === 'fan_out' ? fanOut : (fanIn + fanOut) / 2;
    const variance = scale / Math.max(1, fan);
    const options = { seed, dtype: float(dtype) };
    if (distribution === 'uniform') {
      const limit = Math.sqrt(3 * variance);
      return uniform(shape, { minval: -limit, maxval: limit, ...options });
    }
    if (distribution === 'untruncated_normal') return normal(shape, { stddev: Math.sqrt(variance), ...options });
    return drawTruncatedNormal(shape, { stddev: Math.sqrt(variance) / TRUNCATED_STDDEV, ...options });
  };
}

/** slim's `variance_scaling_initializer`. @throws {RandomError} `InvalidArgument`, in slim's words */
function slimVarianceScaling({
  factor = 2,
  mode = 'FAN_IN',
  uniform: isUniform = false,
  seed,
}: SlimVarianceScalingOptions = {}): Initializer {
  if (!['FAN_IN', 'FAN_OUT', 'FAN_AVG'].includes(mode)) {
    throw new RandomError('InvalidArgument', `Unknown mode ${mode} [FAN_IN, FAN_OUT, FAN_AVG]`, { mode });
  }
  return (shape, dtype) => {
    // slim takes the only length of a vector for both fans, as compat.v1 does.
    const [fanIn, fanOut] = computeFans(shape);
    const n = mode === 'FAN_IN' ? fanIn : mode === 'FAN_OUT' ? fanOut : (fanIn + fanOut) / 2;
    const options = { seed, dtype: float(dtype) };
    if (isUniform) {
      const limit = Math.sqrt((3 * factor) / n);
      return uniform(shape, { minval: -limit, maxval: limit, ...options });
    }
    return drawTruncatedNormal(shape, { stddev: Math.sqrt((1.3 * factor) / n), ...options });
  };
}

/** slim's `xavier_initializer` (`xavier_initializer_conv2d`): uniform unless told otherwise. */
function xavier({ uniform: isUniform = true, seed }: SeedOptions & { uniform?: boolean } = {}): Initializer {
  return slimVarianceScaling({ factor: 1, mode: 'FAN_AVG', uniform: isUniform, seed });
}

/**
 * compat.v1 `orthogonal_initializer`: the sign-fixed Q of a normal matrix, times `gain`. TensorFlow's QR is Eigen's or
 * LAPACK's; this one agrees with it within 1e-6, not to the bit.
 */
function orthogonal({ gain = 1, seed }: SeedOptions & { gain?: number } = {}): Initializer {
  return (shape, dtype) => {
    float(dtype);
    if (shape.length < 2) {
      throw new RandomError(
        'InvalidShape',
        `The tensor to initialize, specified by argument \`shape\` must be at least two-dimensional. Received shape=[${shape}]`,
        { shape },
      );
    }
    const columns = shape[shape.length - 1] as number;
    const rows = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const flat: [number, number] = rows < columns ? [columns, rows] : [rows, columns];
    return tf.tidy(() => {
      const q = orthogonalMatrix(normal(flat, { seed }));
      return tf.mul(tf.reshape(rows < columns ? tf.transpose(q) : q, [...shape]), gain);
    });
  };
}

/** compat.v1 `convolutional_delta_orthogonal`: an orthogonal matrix at the centre of the kernel, zeros around it. */
function convolutionalDeltaOrthogonal({ gain = 1, seed }: SeedOptions & { gain?: number } = {}): Initializer {
  return (shape, dtype) => {
    float(dtype);
    if (shape.length < 3 || shape.length > 5) {
      throw new RandomError(
        'InvalidShape',
        `The tensor to initialize, specified by argument \`shape\` must be at least three-dimensional and at most five-dimensional. Received shape=[${shape}]`,
        { shape },
      );
    }
    const [filtersIn, filtersOut] = shape.slice(-2) as [number, number];
    if (filtersIn > filtersOut) {
      throw new RandomError(
        'InvalidShape',
        `In_filters, specified by shape[-2]=${filtersIn} cannot be greater than out_filters, specified by shape[-1]=${filtersOut}.`,
        { shape },
      );
    }
    return tf.tidy(() => {
      const q = tf.slice(orthogonalMatrix(normal([filtersOut, filtersOut], { seed })), [0, 0], [filtersIn, filtersOut]);
      const spatial = shape.slice(0, -2);
      const centre = tf.reshape(tf.mul(q, gain), [...spatial.map(() => 1), filtersIn, filtersOut]);
      const paddings = spatial.map((length): [number, number] => [
        Math.floor((length - 1) / 2),
        length - 1 - Math.floor((length - 1) / 2),
      ]);
      return tf.pad(centre, [...paddings, [0, 0], [0, 0]]);
    });
  };
}

/** compat.v1 `identity_initializer`: `gain` on the diagonal of a matrix. */
function identity({ gain = 1 }: { gain?: number } = {}): Initializer {
  return (shape, dtype) => {
    float(dtype);
    if (shape.length !== 2) {
      throw new RandomError(
        'InvalidShape',
        `The tensor to initialize, specified by argument \`shape\` must be at least two-dimensional. Received shape=[${shape}]`,
        { shape },
      );
    }
    return tf.tidy(() => tf.mul(tf.eye(shape[0] as number, shape[1] as number), gain));
  };
}

/**
 * The initializers of compat.v1 and slim: each a factory of functions `(shape, dtype) => tf.Tensor`, whose values are
 * TensorFlow's bit for bit (`orthogonal` within 1e-6).
 */
export const initializers = {
  zeros,
  ones,
  constant,
  randomUniform,
  randomNormal,
  truncatedNormal,
  uniformUnitScaling,
  varianceScaling,
  glorotUniform: ({ seed }: SeedOptions = {}) => varianceScaling({ mode: 'fan_avg', distribution: 'uniform', seed }),
  glorotNormal: ({ seed }: SeedOptions = {}) => varianceScaling({ mode: 'fan_avg', seed }),
  lecunUniform: ({ seed }: SeedOptions = {}) => varianceScaling({ distribution: 'uniform', seed }),
  lecunNormal: ({ seed }: SeedOptions = {}) => varianceScaling({ seed }),
  heUniform: ({ seed }: SeedOptions = {}) => varianceScaling({ scale: 2, distribution: 'uniform', seed }),
  heNormal: ({ seed }: SeedOptions = {}) => varianceScaling({ scale: 2, seed }),
  slimVarianceScaling,
  xavier,
  orthogonal,
  convolutionalDeltaOrthogonal,
  identity,
} as const;
