// Ported from tensorflow/python/ops/random_ops.py (2.21). Departure: dtypes are those that TensorFlow.js has.
import * as tf from '@tensorflow/tfjs-core';
import { entropy } from './entropy.js';
import { checkInt32Bounds } from './int32-bounds.js';
import { RandomError } from './random-error.js';
import { type RandomDType, type RandomKernelAttrs, registerRandomKernels } from './random-kernels.js';
import { checkResultShape } from './result-shape.js';
import { currentSeedContext, type Seed, takeSeed } from './seed-context.js';

/** What the functions that draw have in common. */
export interface SeedOptions {
  /** The op's own seed; see `getSeed` for what becomes of it. A test tool ignores it, as TensorFlow's does. */
  readonly seed?: Seed | null;
}

/** Options of `uniform`. */
export interface UniformOptions extends SeedOptions {
  readonly minval?: number;
  /** 1 where left out, but for `int32`, which must have one. */
  readonly maxval?: number | null;
  readonly dtype?: RandomDType;
}

/** Options of `normal` and `truncatedNormal`. */
export interface NormalOptions extends SeedOptions {
  readonly mean?: number;
  readonly stddev?: number;
  readonly dtype?: 'float32';
}

function checkDType(dtype: string, allowed: readonly string[], fn: string): void {
  if (!allowed.includes(dtype)) {
    throw new RandomError(
      'InvalidDType',
      `Argument \`dtype\` got invalid value ${dtype}. Accepted dtypes are ${allowed.join(', ')} in ${fn}, because TensorFlow.js has no others; RandomOp of '@tfparity/random/philox' draws the rest`,
      { dtype, allowed },
    );
  }
}

/** Takes the seeds for one op and runs its kernel. */
function run(
  op: string,
  kernel: string,
  inputs: tf.NamedTensorMap,
  attrs: Pick<RandomKernelAttrs, 'shape' | 'dtype' | 'minval' | 'maxval' | 'numSamples'>,
  resultShape: readonly number[],
  seed: Seed | null | undefined,
): tf.Tensor {
  registerRandomKernels();
  // Before the seed is taken: an op of no possible shape counts for nothing.
  checkResultShape(op, resultShape);
  const taken = takeSeed({ op, shape: resultShape, dtype: attrs.dtype, opSeed: seed ?? null });
  const pair = taken[0] === null ? entropy() : taken;
  const full: RandomKernelAttrs = { ...attrs, seed: pair[0], seed2: pair[1], stream: currentSeedContext().stream };
  return tf.engine().runKernel(kernel, inputs, full as unknown as tf.NamedAttrMap);
}

/**
 * Numbers of `tf.random.uniform`, bit for bit: float32 from [minval, maxval), int32 by `uniformInt`.
 *
 * @throws {RandomError} `InvalidDType`; `InvalidArgument` for int32 without `maxval`
 */
export function uniform(
  shape: readonly number[],
  { minval = 0, maxval, dtype = 'float32', seed }: UniformOptions = {},
): tf.Tensor {
  checkDType(dtype, ['float32', 'int32'], 'uniform');
  if (dtype === 'int32') {
    if (maxval === undefined || maxval === null) {
      throw new RandomError('InvalidArgument', `Must specify maxval for integer dtype ${dtype}`, { dtype });
    }
    return uniformInt(shape, { minval, maxval, seed });
  }
  return tf.tidy(() => {
    const drawn = run('RandomUniform', 'RandomUniform', {}, { shape, dtype }, shape, seed);
    // TensorFlow subtracts the bounds as float32 tensors; adding 0 and multiplying by 1 change no bit and are left out.
    const low = Math.fround(minval);
    const range = Math.fround(Math.fround(maxval ?? 1) - low);
    const scaled = range === 1 ? drawn : tf.mul(drawn, range);
    return low === 0 ? scaled : tf.add(scaled, low);
  });
}

/** Integers of `tf.random.uniform(dtype=int32)`, bit for bit: from [minval, maxval). */
export function uniformInt(
  shape: readonly number[],
  { minval = 0, maxval, seed }: SeedOptions & { readonly minval?: number; readonly maxval: number },
): tf.Tensor {
  checkInt32Bounds(minval, maxval);
  return run('RandomUniformInt', 'RandomUniformInt', {}, { shape, dtype: 'int32', minval, maxval }, shape, seed);
}

function scaleNormal(drawn: tf.Tensor, mean: number, stddev: number): tf.Tensor {
  const scaled = Math.fround(stddev) === 1 ? drawn : tf.mul(drawn, stddev);
  return Math.fround(mean) === 0 ? scaled : tf.add(scaled, mean);
}

/** Numbers of `tf.random.normal`, bit for bit: multiplied by `stddev`, then `mean` added, in float32. */
export function normal(
  shape: readonly number[],
  { mean = 0, stddev = 1, dtype = 'float32', seed }: NormalOptions = {},
): tf.Tensor {
  checkDType(dtype, ['float32'], 'normal');
  return tf.tidy(() =>
    scaleNormal(run('RandomStandardNormal', 'RandomStandardNormal', {}, { shape, dtype }, shape, seed), mean, stddev),
  );
}

/** Numbers of `tf.random.truncated_normal`, bit for bit: none further than two `stddev` from `mean`. */
export function truncatedNormal(
  shape: readonly number[],
  { mean = 0, stddev = 1, dtype = 'float32', seed }: NormalOptions = {},
): tf.Tensor {
  checkDType(dtype, ['float32'], 'truncatedNormal');
  return tf.tidy(() =>
    scaleNormal(run('TruncatedNormal', 'TruncatedNormal', {}, { shape, dtype }, shape, seed), mean, stddev),
  );
}

/** The rows of `value` in the order that `tf.random.shuffle` gives them. */
export function shuffle(value: tf.Tensor | tf.TensorLike, { seed }: SeedOptions = {}): tf.Tensor {
  return tf.tidy(() => {
    const tensor = asTensor(value);
    checkDType(tensor.dtype, ['float32', 'int32'], 'shuffle');
    const dtype = tensor.dtype as RandomDType;
    return run('RandomShuffle', 'RandomShuffle', { value: tensor }, { dtype }, tensor.shape, seed);
  });
}

/**
 * `tf.random.categorical`: `numSamples` classes per row of unnormalised log probabilities [batch, classes], as int32
 * (TensorFlow's default is int64, which TensorFlow.js lacks; the draws are the same).
 */
export function categorical(
  logits: tf.Tensor | tf.TensorLike,
  numSamples: number,
  { seed }: SeedOptions = {},
): tf.Tensor2D {
  return tf.tidy(() => {
    const tensor = asTensor(logits);
    if (tensor.rank !== 2) {
      throw new RandomError('InvalidShape', `logits should be a matrix, got shape [${tensor.shape}]`, {
        shape: tensor.shape,
      });
    }
    if (tensor.shape[1] === 0) {
      throw new RandomError('InvalidArgument', 'num_classes should be positive, got 0', { shape: tensor.shape });
    }
    if (!Number.isInteger(numSamples) || numSamples < 0) {
      throw new RandomError('InvalidShape', `num_samples should be non-negative, got ${numSamples}`, { numSamples });
    }
    const shape = [tensor.shape[0] as number, numSamples];
    const attrs = { dtype: 'int32', numSamples } as const;
    return run(
      'Multinomial',
      'RandomCategorical',
      { logits: tf.cast(tensor, 'float32') },
      attrs,
      shape,
      seed,
    ) as tf.Tensor2D;
  });
}

const TINY = 2 ** -126;

/**
 * `tf.random.gamma`: shape `shape + broadcast(alpha, beta)`, each number at least float32's smallest normal.
 *
 * @param alpha  the shape parameter
 */
export function gamma(
  shape: readonly number[],
  alpha: tf.Tensor | tf.TensorLike,
  { beta, seed }: SeedOptions & { readonly beta?: tf.Tensor | tf.TensorLike | null } = {},
): tf.Tensor {
  return tf.tidy(() => {
    const rate = asFloat(beta ?? 1);
    const given = asFloat(alpha);
    const broadcast = tf.broadcastTo(given, tf.broadcast_util.assertAndGetBroadcastShape(given.shape, rate.shape));
    const result = [...shape, ...broadcast.shape];
    const drawn = run('RandomGamma', 'RandomGamma', { alpha: broadcast }, { shape, dtype: 'float32' }, result, seed);
    return tf.maximum(tf.scalar(TINY), tf.div(drawn, rate));
  });
}

/**
 * `tf.random.poisson`: counts with the rates `lam`, of shape `shape + lam.shape`.
 *
 * @throws {RandomError} `InvalidArgument`, when drawn, for a rate that is NaN or beyond the dtype, with which TensorFlow
 * would not come to an end
 */
export function poisson(
  shape: readonly number[],
  lam: tf.Tensor | tf.TensorLike,
  { dtype = 'float32', seed }: SeedOptions & { readonly dtype?: RandomDType } = {},
): tf.Tensor {
  checkDType(dtype, ['float32', 'int32'], 'poisson');
  return tf.tidy(() => {
    const rate = asFloat(lam);
    return run('RandomPoissonV2', 'RandomPoissonV2', { rate }, { shape, dtype }, [...shape, ...rate.shape], seed);
  });
}

function asTensor(value: tf.Tensor | tf.TensorLike): tf.Tensor {
  return value instanceof tf.Tensor ? value : tf.tensor(value as tf.TensorLike);
}

function asFloat(value: tf.Tensor | tf.TensorLike): tf.Tensor {
  return tf.cast(asTensor(value), 'float32');
}
