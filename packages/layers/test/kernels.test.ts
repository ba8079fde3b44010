import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  averagePooling1d,
  averagePooling3d,
  conv1d,
  conv2d,
  conv3d,
  fusedBatchNorm,
  isLayersError,
  l2Loss,
  maxPooling2d,
  separableConv1d,
  separableConv2d,
} from '../src/index.js';

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

  it('refuses operands that do not fit, before any kernel sees them', () => {
    const x = ramp([1, 2, 2, 2]);
    const two = { scale: tf.ones([2]), offset: tf.zeros([2]) };
    const moments = { mean: tf.zeros([2]), variance: tf.ones([2]) };
    const before = tf.memory().numTensors;
    const code = (body: () => unknown) => {
      try {
        body();
      } catch (error) {
        return isLayersError(error) ? error.code : error;
      }
      return null;
    };
    tf.tidy(() => {
      const three = tf.ones([3]);
      expect(() => fusedBatchNorm(x, { ...two, scale: three })).toThrow(
        'scale must have the same number of elements as the channels of x, got 3 and 2',
      );
      expect(code(() => fusedBatchNorm(x, { ...two, offset: three }))).toBe('ValueError');
      for (const isTraining of [true, false]) {
        expect(code(() => fusedBatchNorm(x, { ...two, ...moments, variance: three, isTraining }))).toBe('ValueError');
      }
      expect(code(() => fusedBatchNorm(x, { ...two, scale: tf.ones([1, 2]) }))).toBe('ValueError');
      expect(code(() => fusedBatchNorm(tf.ones([1, 2, 3, 3]), { ...two, dataFormat: 'NCHW' }))).toBeNull();
      expect(code(() => fusedBatchNorm(tf.cast(x, 'int32'), two))).toBe('TypeError');
      expect(code(() => fusedBatchNorm(x, { ...two, scale: tf.ones([2], 'int32') }))).toBe('TypeError');
      expect(code(() => l2Loss(tf.tensor1d([1, 2], 'int32')))).toBe('TypeError');
      expect(code(() => l2Loss(tf.tensor1d([true, false], 'bool')))).toBe('TypeError');
      expect(code(() => l2Loss([1, 2] as unknown as tf.Tensor))).toBe('TypeError');
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each<[string, string, number[], (x: tf.Tensor) => tf.Tensor]>([
    ['MaxPool', '5 from 2', [1, 2, 2, 1], (x) => maxPooling2d(x, { poolSize: 5, strides: 1 })],
    [
      'MaxPool',
      '4 from 3',
      [1, 2, 9, 3],
      (x) => maxPooling2d(x, { poolSize: [1, 4], strides: 1, dataFormat: 'channels_first' }),
    ],
    ['AvgPool', '3 from 2', [1, 2, 1], (x) => averagePooling1d(x, { poolSize: 3, strides: 2 })],
    ['AvgPool3D', '3 from 2', [1, 4, 2, 4, 1], (x) => averagePooling3d(x, { poolSize: 3, strides: 1 })],
    ['Conv1D', '5 from 4', [1, 4, 1], (x) => conv1d(x, { filters: 1, kernelSize: 3, dilationRate: 2 })],
    ['Conv2D', '5 from 2', [1, 2, 2, 1], (x) => conv2d(x, { filters: 1, kernelSize: 5 })],
    ['Conv3D', '3 from 2', [1, 2, 4, 4, 1], (x) => conv3d(x, { filters: 1, kernelSize: 3 })],
    [
      'DepthwiseConv2dNative',
      '5 from 4',
      [1, 9, 4, 1],
      (x) => separableConv2d(x, { filters: 1, kernelSize: 3, dilationRate: 2 }),
    ],
    ['DepthwiseConv2dNative', '3 from 2', [1, 2, 1], (x) => separableConv1d(x, { filters: 1, kernelSize: 3 })],
  ])('%s: a window that does not fit (%s)', (op, numbers, shape, run) => {
    const x = tf.ones(shape);
    let caught: unknown;
    try {
      run(x);
    } catch (error) {
      caught = error;
    }
    expect(isLayersError(caught)).toBe(true);
    expect(String(caught)).toContain(`Negative dimension size caused by subtracting ${numbers} for '${op}'`);
    x.dispose();
  });

  it('takes windows that just fit, and larger ones where the input is padded', () => {
    const x = tf.ones([1, 5, 5, 1]);
    expect(maxPooling2d(x, { poolSize: 5, strides: 1 }).shape).toEqual([1, 1, 1, 1]);
    expect(conv2d(x, { filters: 1, kernelSize: 3, dilationRate: 2 }).shape).toEqual([1, 1, 1, 1]);
    expect(maxPooling2d(x, { poolSize: 7, strides: 1, padding: 'same' }).shape).toEqual([1, 5, 5, 1]);
    expect(conv1d(tf.ones([1, 2, 1]), { filters: 1, kernelSize: 4, padding: 'causal' }).shape).toEqual([1, 2, 1]);
  });
});
