import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { batchNormalization, conv2d, dense, dropout, flatten, fusedBatchNorm, l2Loss } from '@tfparity/layers';
import { DeterministicRandomTestTool, setSeed, uniform } from '@tfparity/random';
import { backends, useBackend } from '@tfparity/testing';
import {
  GraphKeys,
  getCollection,
  getVariable,
  globalVariables,
  trackTf1StyleVariables,
  trainableVariables,
} from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  controlDependencies,
  Graph,
  GraphVariable,
  globalVariablesInitializer,
  identity,
  type Operation,
  placeholder,
  Session,
} from '../src/index.js';

const bytes = (tensor: tf.Tensor) => Buffer.from(new Uint8Array(tensor.dataSync().slice().buffer)).toString('hex');
const l2 = (w: tf.Tensor) => tf.mul(tf.sum(tf.square(w)), 0.01);

function net(x: tf.Tensor, training: boolean): tf.Tensor {
  let h = conv2d(x, { filters: 4, kernelSize: 3, padding: 'same', kernelRegularizer: l2, name: 'conv' });
  h = tf.relu(batchNormalization(h, { training, name: 'bn' }));
  h = dropout(flatten(h), { rate: 0.4, training });
  return dense(h, { units: 3, name: 'out' });
}

describe.each(backends)('layers in graphs on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it.each([true, false])('computes what eager code does, bit for bit (training %s)', (training) => {
    const image = uniform([2, 6, 6, 3], { seed: 9 });
    const tool = () => new DeterministicRandomTestTool({ seed: 3, mode: 'num_random_ops' });
    class Model extends tfl.layers.Layer {
      static className = 'GraphTestModel';
      override call = trackTf1StyleVariables(function (this: Model, x: tf.Tensor | tf.Tensor[]) {
        return net(Array.isArray(x) ? x[0]! : x, training);
      }) as unknown as tfl.layers.Layer['call'];
    }
    const model = new Model({});
    const eager = tool().scope(() => model.call(image, {}) as tf.Tensor);

    const graph = new Graph();
    tool().scope(() =>
      graph.asDefault(() => {
        const x = placeholder('float32', [2, 6, 6, 3], 'x');
        const logits = net(x, training);
        expect(globalVariables().map((v) => v.name)).toEqual([
          'conv/kernel',
          'conv/bias',
          'bn/gamma',
          'bn/beta',
          'bn/moving_mean',
          'bn/moving_variance',
          'out/kernel',
          'out/bias',
        ]);
        expect(trainableVariables()).toHaveLength(6);
        using session = new Session(graph);
        session.run(globalVariablesInitializer());
        expect(bytes(session.run(logits, [[x, image]]))).toBe(bytes(eager));
        const losses = getCollection<tf.Tensor>(GraphKeys.REGULARIZATION_LOSSES);
        expect(losses).toHaveLength(1);
        const mean = graph.getTensorByName('bn/moving_mean/Read/ReadVariableOp:0');
        expect(
          session
            .run(mean)
            .dataSync()
            .every((value) => value === 0),
        ).toBe(true);
        const updates = getCollection<Operation>(GraphKeys.UPDATE_OPS);
        expect(updates).toHaveLength(training ? 2 : 0);
        session.run(updates, [[x, image]]);
        expect(
          session
            .run(mean)
            .dataSync()
            .every((value) => value === 0),
        ).toBe(!training);
      }),
    );
  });

  it('trains to the same bits as eager code, slots included', () => {
    // As in TensorFlow, a test tool leaves its seed behind in eager code, and none in graphs.
    setSeed(null);
    const image = uniform([4, 5], { seed: 4 });
    const loss = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) =>
      tf.mean(tf.square(tf.sub(tf.tanh(tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), b)), 0.25))) as tf.Scalar;
    const w = tf.variable(uniform([5, 2], { seed: 1 }));
    const b = tf.variable(tf.zeros([2]));
    const optimizer = tf.train.momentum(0.1, 0.9);
    const eager: string[] = [];
    for (let step = 0; step < 5; step++) {
      eager.push(bytes(optimizer.minimize(() => loss(image, w, b), true, [w, b])!));
    }

    const graph = new Graph();
    const got = graph.asDefault(() => {
      const x = placeholder('float32', [4, 5], 'x');
      const gw = tf.variable(uniform([5, 2], { seed: 1 }), true, 'w');
      const gb = tf.variable(tf.zeros([2]), true, 'b');
      expect(gw).toBeInstanceOf(GraphVariable);
      const before = graph.operations.length;
      const value = tf.train.momentum(0.1, 0.9).minimize(() => loss(x, gw, gb), true, [gw, gb])!;
      const steps = graph.operations
        .slice(before)
        .filter((op) => op.type === 'AssignVariableOp' && op.name.startsWith('Assign'));
      expect(steps).toHaveLength(4);
      const train = controlDependencies(steps, () => identity(value));
      using session = new Session(graph);
      session.run(globalVariablesInitializer());
      return eager.map(() => bytes(session.run(train, [[x, image]])));
    });
    expect(got).toEqual(eager);
  });

  it('records gradients of kernels that this project adds, and methods with a shim', () => {
    setSeed(null);
    const image = uniform([2, 4, 4, 3], { seed: 5 });
    const gamma = uniform([3], { seed: 6 });
    const loss = (x: tf.Tensor, scale: tf.Tensor) => {
      const { y, mean, variance } = fusedBatchNorm(x, { scale, offset: tf.zeros([3]), isTraining: true });
      return tf.addN([l2Loss(y), tf.sum(tf.mul(mean, variance))]) as tf.Scalar;
    };
    const eager = tf.valueAndGrads(loss)([image, gamma]);
    class Scaled extends tfl.layers.Layer {
      static className = 'GraphTestScaled';
      override call = trackTf1StyleVariables(function (this: Scaled, x: tf.Tensor | tf.Tensor[]) {
        return tf.mul(x as tf.Tensor, getVariable('scale', { initializer: () => tf.tensor1d([1, 2, 3]) }));
      }) as unknown as tfl.layers.Layer['call'];
    }
    const graph = new Graph();
    using _ = graph.asDefault();
    const x = placeholder('float32', [2, 4, 4, 3], 'x');
    const { value, grads } = tf.valueAndGrads(loss)([x, tf.add(gamma, 0)]);
    const layer = new Scaled({});
    const scaled = layer.call(x, {}) as tf.Tensor;
    expect(graph.variables.map((v) => v.name)).toEqual(['scale']);
    using session = new Session(graph);
    session.run(graph.variables[0]!.initializer);
    const got = session.run({ value, grads, scaled } as { value: tf.Tensor; grads: tf.Tensor[]; scaled: tf.Tensor }, [
      [x, image],
    ]);
    expect(bytes(got.value)).toBe(bytes(eager.value));
    expect(got.grads.map(bytes)).toEqual(eager.grads.map(bytes));
    expect(got.scaled.dataSync()[2]).toBe(Math.fround(3 * image.dataSync()[2]!));
  });

  it('runs tf.layers models whose weights are variables of the graph', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const model = tfl.sequential({
      layers: [
        tfl.layers.dense({ units: 4, inputShape: [3], activation: 'relu', kernelInitializer: 'ones' }),
        tfl.layers.dense({ units: 1, kernelInitializer: 'ones', biasInitializer: 'ones' }),
      ],
    });
    const x = placeholder('float32', [2, 3], 'x');
    const y = model.apply(x) as tf.Tensor;
    expect(graph.variables).toHaveLength(4);
    using session = new Session(graph);
    session.run(globalVariablesInitializer());
    expect(
      Array.from(
        session
          .run(y, [
            [
              x,
              [
                [1, 2, 3],
                [0, 0, 1],
              ],
            ],
          ])
          .dataSync(),
      ),
    ).toEqual([25, 5]);
  });
});
