import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { backends, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { Graph, globalVariablesInitializer, placeholder, Session } from '../src/index.js';

describe.each(backends)('replay on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('computes a fed placeholder times a variable', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const x = placeholder('float32', [2, 2], 'x');
    const w = getVariable('w', { shape: [2, 2], initializer: (shape: readonly number[]) => tf.ones([...shape]) });
    const y = tf.relu(tf.matMul(x, w as unknown as tf.Tensor2D));
    using session = new Session(graph);
    expect(session.run(globalVariablesInitializer())).toBeNull();
    const out = session.run({ y, w: [w] }, [
      [
        x,
        [
          [1, 2],
          [3, -9],
        ],
      ],
    ]);
    expect(Array.from(out.y.dataSync())).toEqual([3, 3, 0, 0]);
    expect(Array.from(out.w[0].dataSync())).toEqual([1, 1, 1, 1]);
  });

  it('runs the example of the README', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const x = placeholder('float32', [null, 3], 'x');
    const w = getVariable('w', { shape: [3, 2] });
    const y = tf.relu(tf.matMul(x, w));
    using session = new Session(graph);
    session.run(globalVariablesInitializer());
    const { value, weights } = session.run({ value: y, weights: w }, [[x, [[1, 0, 0]]]]);
    expect(value.shape).toEqual([1, 2]);
    expect(Array.from(value.dataSync())).toEqual(Array.from(weights.dataSync().slice(0, 2), (v) => Math.max(v, 0)));
  });

  it('gives the same bits as eager code for a net with gradients', () => {
    // tfjs's wasm backend has no gradient of a convolution's filter.
    const convolution = tf.getKernel('Conv2DBackpropFilter', backend) !== undefined;
    const net = (x: tf.Tensor4D, w: tf.Tensor4D, g: tf.Tensor1D) => {
      const h = convolution
        ? tf.relu(tf.conv2d(x, w, 1, 'same'))
        : tf.reshape(tf.matMul(tf.reshape(x, [-1, 27]), tf.reshape(w, [27, 4])), [2, 1, -1, 4]);
      const { mean, variance } = tf.moments(h, [0, 1, 2]);
      const n = tf.batchNorm(h, mean as tf.Tensor1D, variance as tf.Tensor1D, g, g, 0.001);
      return tf.mean(tf.square(tf.softmax(tf.reshape(n, [2, -1])))) as tf.Scalar;
    };
    const xs = tf.randomNormal<tf.Rank.R4>([2, 9, 9, 3]);
    const ws = tf.randomNormal<tf.Rank.R4>([3, 3, 3, 4]);
    const gs = tf.randomNormal<tf.Rank.R1>([4]);
    const eager = tf.valueAndGrads(net as (...args: tf.Tensor[]) => tf.Scalar)([xs, ws, gs]);
    const graph = new Graph();
    const { fetches, x, w, g } = graph.asDefault(() => {
      const x = placeholder('float32', [2, 9, 9, 3], 'x');
      const w = placeholder('float32', [3, 3, 3, 4], 'w');
      const g = placeholder('float32', [4], 'g');
      return { fetches: tf.valueAndGrads(net as (...args: tf.Tensor[]) => tf.Scalar)([x, w, g]), x, w, g };
    });
    using session = new Session(graph);
    const got = session.run(fetches as { value: tf.Tensor; grads: tf.Tensor[] }, [
      [x, xs],
      [w, ws],
      [g, gs],
    ]);
    expect(got.value.dataSync()).toEqual(eager.value.dataSync());
    got.grads.forEach((grad, i) => {
      expect(grad.dataSync()).toEqual(eager.grads[i]!.dataSync());
    });
  });
});
