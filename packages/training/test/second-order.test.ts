// Gradients of gradients in a graph, as gradient penalties take them.
import * as tf from '@tensorflow/tfjs-core';
import { Graph, placeholder, Session } from '@tfparity/graph';
import { backends, useBackend } from '@tfparity/testing';
import { expect, it } from 'vitest';
import { gradients, softmaxCrossEntropyWithLogits, stopGradient } from '../src/index.js';
import { valuesOf } from './golden-optimizer.js';

/*
 * python: a = v1.gradients(f(x), x)[0]; v1.gradients(tf.reduce_sum(tf.square(a)), x)[0], x = [[1, 2], [-3, 4]],
 * with tf.nn.softmax_cross_entropy_with_logits(labels=[[0, 1], [1, 0]], logits=x); tf.square(tf.nn.relu(x) * x);
 * tf.nn.bias_add(tf.zeros([2, 2]), x[0]) ** 3; tf.nn.avg_pool2d(tf.reshape(x, [1, 2, 2, 1]), 2, 1, 'SAME') ** 2; tf.square(x) * tf.stop_gradient(x)
 */
const CASES: Readonly<Record<string, [f: (x: tf.Tensor) => tf.Tensor, expected: number[]]>> = {
  'cross entropy': [
    (x) =>
      softmaxCrossEntropyWithLogits(
        tf.tensor2d([
          [0, 1],
          [1, 0],
        ]),
        x as tf.Tensor2D,
      ),
    [0.2115083932876587, -0.2115083634853363, -0.0036375680938363075, 0.003637454239651561],
  ],
  relu: [(x) => tf.square(tf.mul(tf.relu(x), x)), [96, 3072, 0, 98304]],
  bias: [(x) => tf.pow(tf.add(tf.zeros([2, 2]), tf.reshape(tf.slice(x, [0, 0], [1, 2]), [2])), 3), [144, 1152, 0, 0]],
  'average pooling': [
    (x) => tf.square(tf.avgPool(tf.reshape(x, [1, 2, 2, 1]) as tf.Tensor4D, 2, 1, 'same')),
    [4.25, 19.75, 17.25, 80.75],
  ],
  'a stop': [(x) => tf.mul(tf.square(x), stopGradient(x)), [8, 64, -216, 512]],
};

it.each(backends.flatMap((backend) => Object.keys(CASES).map((name) => [backend, name] as const)))(
  '%s: %s',
  async (backend, name) => {
    await useBackend(backend);
    const [f, expected] = CASES[name]!;
    const graph = new Graph();
    using _graph = graph.asDefault();
    const x = placeholder('float32', [2, 2]);
    const [first] = gradients(f(x), [x]);
    const [second] = gradients(tf.sum(tf.square(first as tf.Tensor)), [x]);
    using session = new Session(graph, { engine: 'replay' });
    const values = valuesOf(
      session.run(second as tf.Tensor, [
        [
          x,
          [
            [1, 2],
            [-3, 4],
          ],
        ],
      ]),
    );
    // The curvature of a cross entropy is a difference of values that are nearly equal.
    for (const [i, value] of expected.entries())
      expect(Math.abs(values[i]! - value)).toBeLessThanOrEqual(2e-6 * Math.max(0.1, Math.abs(value)));
  },
);
