// Ported from tensorflow/python/ops/nn_ops.py `_dropout` (2.21). compat.v1, Keras and slim dropout end in the same code.
import * as tf from '@tensorflow/tfjs-core';
import { RandomError } from './random-error.js';
import { type SeedOptions, uniform } from './random-ops.js';
import { getSeed, type Seed } from './seed-context.js';
import { statelessUniform } from './stateless-ops.js';

/** Options of `dropout`. */
export interface DropoutOptions extends SeedOptions {
  /**
   * The share that is dropped, in [0, 1); slim's and compat.v1's `keep_prob` is `1 - rate`. A scalar tensor (a
   * placeholder) is not checked, and divides x by `1 - rate` in float32 where a number multiplies, as in TensorFlow.
   */
  readonly rate: number | tf.Scalar;
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

/** x where `keep`, else 0. Select's own gradient multiplies by the mask, which makes -0 and NaN where TensorFlow puts 0. */
function select(keep: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const selected = tf.customGrad((input: tf.Tensor | tf.GradSaveFunc, save: tf.Tensor | tf.GradSaveFunc) => {
    (save as tf.GradSaveFunc)([keep]);
    const value = tf.where(keep, input as tf.Tensor, tf.scalar(0));
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => select(saved[0] as tf.Tensor, dy) };
  });
  return selected(x);
}

function dropWith(x: tf.Tensor, rate: number | tf.Scalar, noise: tf.Tensor): tf.Tensor {
  const keep = tf.greaterEqual(noise, typeof rate === 'number' ? tf.scalar(rate) : rate);
  // A number's scale is computed in Python's double precision, then rounded once: 1 / float32(1 - rate) is another number for some rates.
  const scaled = typeof rate === 'number' ? tf.mul(x, 1 / (1 - rate)) : tf.div(x, tf.sub(1, rate));
  return select(keep, scaled);
}

function check(x: tf.Tensor, rate: number | tf.Scalar): void {
  if (typeof rate === 'number' && !(rate >= 0 && rate < 1)) {
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
