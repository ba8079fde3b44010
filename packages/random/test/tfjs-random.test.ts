import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  categorical,
  DeterministicRandomTestTool,
  dropout,
  gamma,
  normal,
  type RandomTestMode,
  truncatedNormal,
  uniform,
  uniformInt,
} from '../src/index.js';

const SHAPE = [3, 5];

/** What TensorFlow.js is asked for, and our function whose numbers it must then give. */
const PAIRS: readonly (readonly [string, () => tf.Tensor, () => tf.Tensor])[] = [
  ['randomUniform', () => tf.randomUniform(SHAPE), () => uniform(SHAPE)],
  [
    'randomUniform with bounds',
    () => tf.randomUniform(SHAPE, -0.3, 0.7),
    () => uniform(SHAPE, { minval: -0.3, maxval: 0.7 }),
  ],
  ['randomUniform with a seed', () => tf.randomUniform(SHAPE, 0, 1, 'float32', 17), () => uniform(SHAPE)],
  ['randomUniform with seed 0', () => tf.randomUniform(SHAPE, 0, 1, 'float32', 0), () => uniform(SHAPE)],
  ['randomUniform of one number', () => tf.randomUniform([1], 2, 5), () => uniform([1], { minval: 2, maxval: 5 })],
  ['randomUniform of none', () => tf.randomUniform([0, 2]), () => uniform([0, 2])],
  [
    'randomUniform of int32',
    () => tf.randomUniform(SHAPE, -5, 90, 'int32'),
    () => uniformInt(SHAPE, { minval: -5, maxval: 90 }),
  ],
  ['randomUniformInt', () => tf.randomUniformInt(SHAPE, 0, 100), () => uniformInt(SHAPE, { maxval: 100 })],
  ['randomNormal', () => tf.randomNormal(SHAPE), () => normal(SHAPE)],
  ['randomNormal moved', () => tf.randomNormal(SHAPE, 0.5, 2), () => normal(SHAPE, { mean: 0.5, stddev: 2 })],
  ['randomStandardNormal', () => tf.randomStandardNormal(SHAPE), () => normal(SHAPE)],
  ['truncatedNormal', () => tf.truncatedNormal(SHAPE, 0, 0.1), () => truncatedNormal(SHAPE, { stddev: 0.1 })],
  ['randomGamma', () => tf.randomGamma(SHAPE, 1.5, 3), () => gamma(SHAPE, 1.5, { beta: 3 })],
  ['rand', () => tf.rand(SHAPE, () => Math.random()), () => uniform(SHAPE)],
  ['rand of more than one block', () => tf.rand([150], Math.random), () => uniform([150])],
  ['multinomial', () => tf.multinomial([0.1, 0.2, 0.7], 6), () => tf.squeeze(categorical([[0.1, 0.2, 0.7]], 6))],
  [
    'multinomial of rows',
    () =>
      tf.multinomial(
        [
          [0.1, 3],
          [2, 1],
        ],
        4,
        5,
      ),
    () =>
      categorical(
        [
          [0.1, 3],
          [2, 1],
        ],
        4,
      ),
  ],
  ['dropout', () => tf.dropout(tf.ones(SHAPE), 0.4), () => dropout(tf.ones(SHAPE), { rate: 0.4 })],
  [
    'dropout with noiseShape',
    () => tf.dropout(tf.ones(SHAPE), 0.5, [3, 1], 9),
    () => dropout(tf.ones(SHAPE), { rate: 0.5, noiseShape: [3, 1] }),
  ],
];

describe.each(backends)('TensorFlow.js random functions in a scope, on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const draws = (mode: RandomTestMode, body: () => tf.Tensor) =>
    new DeterministicRandomTestTool({ mode }).scope(() => {
      uniform([2]);
      return [body(), body()].map((t) => ({ dtype: t.dtype, shape: t.shape, values: [...t.dataSync()] }));
    });

  describe.each<RandomTestMode>(['constant', 'num_random_ops'])('in mode %s', (mode) => {
    it.each(PAIRS)('%s draws what TensorFlow draws', (_, theirs, ours) => {
      expect(draws(mode, theirs)).toEqual(draws(mode, ours));
    });
  });

  it('leaves TensorFlow.js as it was', () => {
    const before = [
      tf.engine().startScope,
      tf.engine().endScope,
      tf.TensorBuffer.prototype.toTensor,
      Math.random,
      tf.getKernel('Multinomial', backend),
    ];
    new DeterministicRandomTestTool().scope(() => tf.multinomial([0.1, 0.9], 2));
    expect(() =>
      new DeterministicRandomTestTool().scope(() => {
        tf.randomUniform([-1]);
      }),
    ).toThrow();
    const after = [
      tf.engine().startScope,
      tf.engine().endScope,
      tf.TensorBuffer.prototype.toTensor,
      Math.random,
      tf.getKernel('Multinomial', backend),
    ];
    for (const [i, value] of after.entries()) expect(value).toBe(before[i]);
    expect(Object.keys(Object.getOwnPropertyDescriptors(Object.prototype))).not.toContain('min');
    expect(tf.randomUniform([8]).dataSync()).not.toEqual(tf.randomUniform([8]).dataSync());
  });

  it('leaves ordinary tensors and buffers alone', () => {
    new DeterministicRandomTestTool().scope(() => {
      const buffer = tf.buffer([2, 2]);
      buffer.set(7, 1, 1);
      expect([...buffer.toTensor().dataSync()]).toEqual([0, 0, 0, 7]);
      expect([...tf.truncatedNormal([0]).shape]).toEqual([0]);
      expect({ min: 1, stdDev: 2, alpha: 3 }).toEqual({ min: 1, stdDev: 2, alpha: 3 });
    });
  });

  it('keeps no tensors but the results', () => {
    new DeterministicRandomTestTool().scope(() => {
      for (const [name, theirs, ours] of PAIRS) {
        for (const draw of [theirs, ours]) {
          const before = tf.memory().numTensors;
          const made = tf.tidy(draw);
          expect([name, tf.memory().numTensors]).toEqual([name, before + 1]);
          expect(made.dataSync()).toHaveLength(made.size);
          made.dispose();
          expect(made.isDisposed).toBe(true);
        }
      }
      const before = tf.memory();
      tf.multinomial([0.5, 0.5], 4).dispose();
      tf.randomNormal([4]).dispose();
      dropout(tf.ones([2]), { rate: 0.5 }).dispose();
      expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers + 1);
    });
  });

  it('makes Math.random reproducible, and gives it back', () => {
    const run = () => new DeterministicRandomTestTool().scope(() => [Math.random(), Math.random()]);
    expect(run()).toEqual(run());
    expect(Math.random()).not.toBe(run()[0]);
  });

  it('can be told to leave TensorFlow.js alone', () => {
    const tool = new DeterministicRandomTestTool({ interceptTfjs: false });
    const [a, b] = tool.scope(() => [tf.randomUniform([8]).dataSync(), tf.randomUniform([8]).dataSync()]);
    expect(a).not.toEqual(b);
    expect(tool.ledger).toEqual([]);
  });

  it('passes gradients through tf.dropout', () => {
    const x = tf.ones([6]);
    const tool = () => new DeterministicRandomTestTool({ mode: 'num_random_ops' });
    const theirs = tool().scope(() =>
      tf
        .grad((v: tf.Tensor) => tf.dropout(v, 0.5))(x)
        .dataSync(),
    );
    const ours = tool().scope(() =>
      tf
        .grad((v: tf.Tensor) => dropout(v, { rate: 0.5 }))(x)
        .dataSync(),
    );
    expect(theirs).toEqual(ours);
  });

  it('leaves the engine as it found it', () => {
    const own = () => ['startScope', 'endScope'].map((name) => Object.hasOwn(tf.engine(), name));
    const before = own();
    new DeterministicRandomTestTool().scope(() => expect(own()).toEqual([true, true]));
    expect(own()).toEqual(before);
    expect(before).toEqual([false, false]);
  });
});
