import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { fusedBatchNorm, l2Loss } from '../src/index.js';

const ramp = (shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7) * 3 + (i % 5)),
    shape,
  );
};

/** The textbook formula from tfjs's elementary ops, whose gradients tfjs knows: the reference for ours. */
function plainBatchNorm(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, mean?: tf.Tensor, variance?: tf.Tensor) {
  const axes = x.shape.slice(0, -1).map((_, i) => i);
  const m = mean ?? tf.mean(x, axes);
  const v = variance ?? tf.mean(tf.square(tf.sub(x, m)), axes);
  return tf.add(tf.mul(tf.mul(tf.sub(x, m), tf.rsqrt(tf.add(v, 0.001))), scale), offset);
}

const close = (actual: tf.Tensor, expected: tf.Tensor, tolerance = 2e-5) => {
  expect(actual.shape).toEqual(expected.shape);
  const a = actual.dataSync();
  const e = expected.dataSync();
  for (let i = 0; i < e.length; i++) expect(Math.abs(a[i]! - e[i]!)).toBeLessThan(tolerance * (1 + Math.abs(e[i]!)));
};

describe.each(backends)('kernels on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('l2Loss is half the sum of squares, with gradient x', () => {
    const x = tf.tensor2d([
      [1, -2],
      [3, 0.5],
    ]);
    expect(l2Loss(x).shape).toEqual([]);
    expect(l2Loss(x).dataSync()[0]).toBe(7.125);
    close(tf.grad((t: tf.Tensor) => l2Loss(t))(x), x);
    expect(l2Loss(tf.zeros([0, 3])).dataSync()[0]).toBe(0);
  });

  it('fusedBatchNorm in training: output, moments with n / (n - 1), and gradients', () => {
    const x = ramp([2, 3, 4, 3]);
    const scale = tf.tensor1d([1, 0.5, -2]);
    const offset = tf.tensor1d([0, 1, 0.25]);
    const result = fusedBatchNorm(x, { scale, offset });
    close(result.y, plainBatchNorm(x, scale, offset));
    close(result.mean, tf.mean(x, [0, 1, 2]));
    close(result.variance, tf.mul(tf.moments(x, [0, 1, 2]).variance, 24 / 23));
    const weights = ramp([2, 3, 4, 3]);
    const ours = tf.grads((a: tf.Tensor, s: tf.Tensor, o: tf.Tensor) =>
      tf.sum(tf.mul(weights, fusedBatchNorm(a, { scale: s, offset: o }).y)),
    )([x, scale, offset]);
    const plain = tf.grads((a: tf.Tensor, s: tf.Tensor, o: tf.Tensor) =>
      tf.sum(tf.mul(weights, plainBatchNorm(a, s, o))),
    )([x, scale, offset]);
    for (const [i, gradient] of ours.entries()) close(gradient, plain[i]!);
  });

  it('fusedBatchNorm in inference: output and gradients with the given moments', () => {
    const x = ramp([1, 2, 2, 3]);
    const options = { scale: tf.tensor1d([1, 0.5, -2]), offset: tf.tensor1d([0, 1, 0.25]) };
    const given = { mean: tf.tensor1d([0.5, 1, -1]), variance: tf.tensor1d([1, 4, 0.25]), isTraining: false };
    const result = fusedBatchNorm(x, { ...options, ...given });
    close(result.y, plainBatchNorm(x, options.scale, options.offset, given.mean, given.variance));
    close(result.mean, given.mean);
    const ours = tf.grads((a: tf.Tensor, s: tf.Tensor) =>
      tf.sum(tf.square(fusedBatchNorm(a, { ...options, ...given, scale: s }).y)),
    )([x, options.scale]);
    const plain = tf.grads((a: tf.Tensor, s: tf.Tensor) =>
      tf.sum(tf.square(plainBatchNorm(a, s, options.offset, given.mean, given.variance))),
    )([x, options.scale]);
    for (const [i, gradient] of ours.entries()) close(gradient, plain[i]!);
  });

  it('fusedBatchNorm takes channels first, 5-D input and an averaging factor', () => {
    const x = ramp([2, 3, 4, 3]);
    const options = { scale: tf.ones([3]), offset: tf.zeros([3]) };
    const last = fusedBatchNorm(x, options);
    const first = fusedBatchNorm(tf.transpose(x, [0, 3, 1, 2]), { ...options, dataFormat: 'NCHW' });
    close(tf.transpose(first.y, [0, 2, 3, 1]), last.y);
    const volume = fusedBatchNorm(tf.reshape(x, [2, 3, 2, 2, 3]), { ...options, dataFormat: 'NDHWC' });
    close(tf.reshape(volume.y, x.shape), last.y);
    const given = { mean: tf.ones([3]), variance: tf.fill([3], 2) };
    const mixed = fusedBatchNorm(x, { ...options, ...given, exponentialAvgFactor: 0.25 });
    close(mixed.mean, tf.add(tf.mul(last.mean, 0.25), 0.75));
    close(mixed.variance, tf.add(tf.mul(last.variance, 0.25), 1.5));
    close(mixed.y, last.y);
  });

  it('does not leak, and refuses what it cannot do', () => {
    const x = ramp([1, 2, 2, 3]);
    const options = { scale: tf.ones([3]), offset: tf.zeros([3]) };
    fusedBatchNorm(x, options);
    const before = tf.memory().numTensors;
    tf.dispose({ ...fusedBatchNorm(x, options) });
    expect(tf.memory().numTensors).toBe(before);
    expect(() => fusedBatchNorm(x, { ...options, isTraining: false })).toThrow(/must be a 1D tensor/);
    expect(() => fusedBatchNorm(tf.ones([2, 3]), options)).toThrow(/rank 2/);
  });
});
