import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { useBackend } from '@tfparity/testing';
import { MomentumOptimizer, RMSPropOptimizer } from '@tfparity/training';
import { getVariable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatAnnotations, formatValidation, type Migration, validateMigration } from '../src/index.js';

const inputs = { dtype: 'float32' as const, shape: [1, 2], data: Float32Array.of(1, -1) };
const legacy = (x: unknown, _: object) => tf.matMul(x as tf.Tensor, getVariable('dense/kernel', { shape: [2, 3] }));
const compiled = (optimizer: tf.Optimizer | null) => () => {
  const model = tfl.sequential({
    layers: [tfl.layers.dense({ units: 3, useBias: false, inputShape: [2], name: 'dense' })],
  });
  if (optimizer !== null) model.compile({ optimizer, loss: 'meanSquaredError' });
  return model;
};

/** Where and of what the report warns. */
async function warnings(migration: Partial<Migration>, steps: readonly ('reset' | 'training')[] = ['reset']) {
  const report = await validateMigration({ legacy, migrated: compiled(null), inputs, ...migration }, { steps });
  expect(report.verdict).not.toBe('cannot-tell');
  const found = report.steps.flatMap(({ id, warnings: all }) =>
    all.filter(({ kind }) => kind === 'stock-optimizer').map(({ message }) => ({ id, message })),
  );
  for (const { message } of found) {
    expect(formatValidation(report)).toContain(message);
    expect(formatAnnotations(report)).toContain('::warning');
  }
  return found;
}

describe('a stock optimizer that stands for a TF1 one', () => {
  beforeAll(() => useBackend('cpu'));

  it.each([
    ['rmsprop', () => tf.train.rmsprop(0.1), /RMSProp .*start at 0, not 1.*use RMSPropOptimizer/],
    ['adam', () => tf.train.adam(0.1), /Adam .*epsilon.*use AdamOptimizer/],
    ['momentum', () => tf.train.momentum(0.1, 0.9), /Momentum .*rows.*use MomentumOptimizer/],
    ['adagrad', () => tf.train.adagrad(0.1), /Adagrad .*use AdagradOptimizer/],
    ['adadelta', () => tf.train.adadelta(0.1), /Adadelta .*use AdadeltaOptimizer/],
    ['adamax', () => tf.train.adamax(0.1), /Adamax .*TF1's tf.train has none/],
  ])('is named with what differs, compiled or handed in: %s', async (_, make, words) => {
    for (const migration of [{ migrated: compiled(make()) }, { optimizer: make() }, { migrated: compiled(make())() }]) {
      const [first, ...more] = await warnings(migration);
      expect(first?.id).toBe('reset');
      expect(first?.message).toMatch(words);
      expect(more).toEqual([]);
    }
  });

  it('is warned of at step training, where that ran', async () => {
    const migrated = compiled(tf.train.adam(0.1));
    expect((await warnings({ migrated }, ['reset', 'training'])).map(({ id }) => id)).toEqual(['training']);
  });

  it("is nothing to warn of where it takes the same steps, is ours, or is the legacy side's too", async () => {
    const ours = [
      new MomentumOptimizer({ learningRate: 0.1, momentum: 0.9 }),
      new RMSPropOptimizer({ learningRate: 0.1 }),
    ];
    for (const optimizer of [...ours, tf.train.sgd(0.1)]) {
      expect(await warnings({ migrated: compiled(optimizer) })).toEqual([]);
      expect(await warnings({ optimizer })).toEqual([]);
    }
    expect(await warnings({})).toEqual([]);
    const both = { legacy: compiled(tf.train.adam(0.1)), migrated: compiled(tf.train.adam(0.1)) };
    expect(await warnings(both)).toEqual([]);
    const other = { legacy: compiled(tf.train.sgd(0.1)), migrated: compiled(tf.train.adam(0.1)) };
    expect(await warnings(other)).toHaveLength(1);
  });
});
