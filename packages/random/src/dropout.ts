// Ported from tensorflow/python/ops/nn_ops.py `_dropout` (2.21). compat.v1, Keras and slim dropout end in the same code.
import * as tf from '@tensorflow/tfjs-core';
import { RandomError } from './random-error.js';
import { type SeedOptions, uniform } from './random-ops.js';
import { getSeed, type Seed } from './seed-context.js';
import { statelessUniform } from './stateless-ops.js';

/** Options of `dropout`. */
export interface DropoutOptions extends SeedOptions {
  /** The share that is dropped, in [0, 1). slim's `keep_prob` is `1 - rate`. */
  readonly rate: number;
  /** The shape of the mask, broadcast to x; null stands for x's own length of that axis. */
  readonly noiseShape?: readonly (number | null)[] | null;
}

function maskShape(x: tf.Tensor, noiseShape: DropoutOptions['noiseShape']): number[] {
  if (noiseShape === undefined || noiseShape === null) return x.shape;
  return noiseShape.map((length, axis) => {
    const filled = length ?? (noiseShape.length === x.rank ? x.shape[axis] : undefined);
    if (filled === undefined) {
      throw new RandomError(
        'InvalidShape',
        `noiseShape[${axis}] is null, which needs the ${x.rank} axes of x; it has ${noiseShape.length}`,
        {
          noiseShape,
          shape: x.shape,
        },
      );
    }
    return filled;
  });
}

function dropWith(x: tf.Tensor, rate: number, noise: tf.Tensor): tf.Tensor {
  // In Python's double precision, then rounded once: 1 / float32(1 - rate) is another number for some rates.
  const scale = 1 / (1 - rate);
  const masked = tf.customGrad((input: tf.Tensor | tf.GradSaveFunc, save: tf.Tensor | tf.GradSaveFunc) => {
    const keep = tf.greaterEqual(noise, tf.scalar(rate));
    (save as tf.GradSaveFunc)([keep]);
    const value = tf.where(keep, tf.mul(input as tf.Tensor, scale), tf.scalar(0));
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      // Select's own gradient multiplies by the mask, which makes -0 and NaN where TensorFlow puts 0.
      return tf.mul(tf.where(saved[0] as tf.Tensor, dy, tf.scalar(0)), scale);
    };
    return { value, gradFunc };
  });
  return masked(x);
}

function check(x: tf.Tensor, rate: number): void {
  if (!(rate >= 0 && rate < 1)) {
    throw new RandomError(
      'InvalidArgument',
      `\`rate\` must be a scalar tensor or a float in the range [0, 1). Received: rate=${rate}`,
      { rate },
    );
  }
  if (x.dtype !== 'float32') {
    throw new RandomError(
      'InvalidDType',
      `\`x.dtype\` must be a floating point tensor as \`x\` will be scaled. Received: x_dtype=${x.dtype}`,
      { dtype: x.dtype },
    );
  }
}

/**
 * `tf.nn.dropout`, bit for bit: draws uniform numbers, keeps x / (1 - rate) where they are at least `rate`, 0 elsewhere;
 * the gradient takes the same mask. Takes one op's seed, with rate 0 too.
 *
 * @throws {RandomError} `InvalidArgument` for a rate outside [0, 1), `InvalidDType` unless x is float32
 */
export function dropout(x: tf.Tensor, { rate, noiseShape, seed }: DropoutOptions): tf.Tensor {
  check(x, rate);
  if (rate === 0) {
    getSeed(seed);
    return tf.clone(x);
  }
  return tf.tidy(() => dropWith(x, rate, uniform(maskShape(x, noiseShape), { seed })));
}

/** `tf.nn.experimental.stateless_dropout`: the draw is `statelessUniform`'s for `seed`. */
export function statelessDropout(
  x: tf.Tensor,
  { rate, noiseShape, seed }: Omit<DropoutOptions, 'seed'> & { readonly seed: readonly [Seed, Seed] },
): tf.Tensor {
  check(x, rate);
  if (rate === 0) return tf.clone(x);
  return tf.tidy(() => dropWith(x, rate, statelessUniform(maskShape(x, noiseShape), { seed })));
}
