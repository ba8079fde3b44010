// Ported from tensorflow/python/ops/stateless_random_ops.py (2.21), algorithm Philox (what `auto_select` means on a CPU).
import * as tf from '@tensorflow/tfjs-core';
import { checkInt32Bounds } from './int32-bounds.js';
import { type RandomKernel, registerRandomKernels, type StatelessKernelAttrs } from './random-kernels.js';
import { checkResultShape } from './result-shape.js';
import { checkSeed, type Seed } from './seed-context.js';

/** The two integers that a stateless draw depends on, and on nothing else. */
export interface StatelessOptions {
  readonly seed: readonly [Seed, Seed];
}

function run(
  kernel: RandomKernel,
  shape: readonly number[],
  {
    seed,
    ...rest
  }: StatelessOptions & { readonly dtype: 'float32' | 'int32'; readonly minval?: number; readonly maxval?: number },
): tf.Tensor {
  registerRandomKernels();
  checkResultShape(kernel, shape);
  const attrs: StatelessKernelAttrs = { ...rest, shape, seed: [checkSeed(seed[0]), checkSeed(seed[1])] };
  return tf.engine().runKernel(kernel, {}, attrs as unknown as tf.NamedAttrMap);
}

function affine(drawn: tf.Tensor, scale: number, shift: number): tf.Tensor {
  const scaled = scale === 1 ? drawn : tf.mul(drawn, scale);
  return shift === 0 ? scaled : tf.add(scaled, shift);
}

/** `tf.random.stateless_uniform`, float32 from [minval, maxval), bit for bit. */
export function statelessUniform(
  shape: readonly number[],
  { minval = 0, maxval = 1, seed }: StatelessOptions & { readonly minval?: number; readonly maxval?: number },
): tf.Tensor {
  const low = Math.fround(minval);
  const range = Math.fround(Math.fround(maxval) - low);
  return tf.tidy(() => affine(run('StatelessRandomUniform', shape, { dtype: 'float32', seed }), range, low));
}

/** `tf.random.stateless_normal`, float32, bit for bit. */
export function statelessNormal(
  shape: readonly number[],
  { mean = 0, stddev = 1, seed }: StatelessOptions & { readonly mean?: number; readonly stddev?: number },
): tf.Tensor {
  return tf.tidy(() =>
    affine(run('StatelessRandomNormal', shape, { dtype: 'float32', seed }), Math.fround(stddev), Math.fround(mean)),
  );
}

/** `tf.random.stateless_truncated_normal`, float32, bit for bit. */
export function statelessTruncatedNormal(
  shape: readonly number[],
  { mean = 0, stddev = 1, seed }: StatelessOptions & { readonly mean?: number; readonly stddev?: number },
): tf.Tensor {
  return tf.tidy(() =>
    affine(run('StatelessTruncatedNormal', shape, { dtype: 'float32', seed }), Math.fround(stddev), Math.fround(mean)),
  );
}

/**
 * `tf.random.stateless_uniform(dtype=int32)`, from [minval, maxval), bit for bit.
 *
 * @throws {RandomError} `InvalidArgument` unless both bounds are int32 and minval < maxval
 */
export function statelessUniformInt(
  shape: readonly number[],
  { minval = 0, maxval, seed }: StatelessOptions & { readonly minval?: number; readonly maxval: number },
): tf.Tensor {
  checkInt32Bounds(minval, maxval);
  return run('StatelessRandomUniformInt', shape, { dtype: 'int32', minval, maxval, seed });
}
