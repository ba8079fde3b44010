import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { backends, useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeterministicRandomTestTool, dropout, initializers, normal, truncatedNormal, uniform } from '../src/index.js';

const SHAPE: [number, number] = [4, 6];

/** A TensorFlow.js initializer, and what it must draw; the normals of TensorFlow.js have no correction for truncation. */
const INITIALIZERS: readonly (readonly [string, () => { apply(shape: number[]): tf.Tensor }, () => tf.Tensor])[] = [
  ['glorotUniform', () => layers.initializers.glorotUniform({}), () => initializers.glorotUniform()(SHAPE)],
  ['heUniform', () => layers.initializers.heUniform({ seed: 3 }), () => initializers.heUniform()(SHAPE)],
  ['leCunUniform', () => layers.initializers.leCunUniform({}), () => initializers.lecunUniform()(SHAPE)],
  [
    'glorotNormal',
    () => layers.initializers.glorotNormal({}),
    () => truncatedNormal(SHAPE, { stddev: Math.sqrt(1 / 5) }),
  ],
  [
    'randomUniform',
    () => layers.initializers.randomUniform({ minval: -2, maxval: 1 }),
    () => uniform(SHAPE, { minval: -2, maxval: 1 }),
  ],
  ['randomNormal', () => layers.initializers.randomNormal({ stddev: 0.3 }), () => normal(SHAPE, { stddev: 0.3 })],
  [
    'truncatedNormal',
    () => layers.initializers.truncatedNormal({ mean: 1 }),
    () => truncatedNormal(SHAPE, { mean: 1, stddev: 0.05 }),
  ],
];

describe.each(backends)('TensorFlow.js layers in a scope, on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const values = (tensor: tf.Tensor) => [...tensor.dataSync()];
  const scoped = <T>(body: () => T) => new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(body);

  it.each(INITIALIZERS)('initializer %s', (_, theirs, ours) => {
    expect(scoped(() => [1, 2].map(() => values(theirs().apply(SHAPE))))).toEqual(
      scoped(() => [1, 2].map(() => values(ours()))),
    );
  });

  it('a model: two kernels and a dropout take three seeds, in order', () => {
    const tool = new DeterministicRandomTestTool({ mode: 'num_random_ops' });
    const x = tf.ones([2, 4]);
    const run = () => {
      const model = layers.sequential();
      model.add(layers.layers.dense({ units: 6, inputShape: [4], kernelInitializer: 'glorotUniform' }));
      model.add(layers.layers.dropout({ rate: 0.5 }));
      model.add(layers.layers.dense({ units: 1, kernelInitializer: 'glorotUniform' }));
      const kernels = model.getWeights().filter((w) => w.rank === 2);
      const dropped = model.layers[1]!.apply(tf.ones([2, 6]), { training: true }) as tf.Tensor;
      const result = {
        kernels: kernels.map(values),
        dropped: values(dropped),
        out: values(model.predict(x) as tf.Tensor),
      };
      model.dispose();
      return result;
    };
    const { kernels, dropped, out } = tool.scope(run);
    const [first, second, mask] = scoped(() => [
      initializers.glorotUniform()([4, 6]),
      initializers.glorotUniform()([6, 1]),
      dropout(tf.ones([2, 6]), { rate: 0.5 }),
    ]);
    expect(kernels).toEqual([first, second].map((t) => values(t!)));
    expect(dropped).toEqual(values(mask!));
    expect(out).toEqual(values(tf.matMul(tf.matMul(x, first!), second!)));
    expect(tool.ledger.map((entry) => entry.op)).toEqual(['RandomUniform', 'RandomUniform', 'RandomUniform']);
    expect(tool.ledger.map((entry) => entry.shape)).toEqual([
      [4, 6],
      [6, 1],
      [2, 6],
    ]);
  });
});
