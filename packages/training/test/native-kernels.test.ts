// TensorFlow's own kernels against our arithmetic, on random values, step by step from the same state.
import * as tf from '@tensorflow/tfjs-core';
import { RandomOp } from '@tfparity/random/philox';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { runUpdate } from '../src/update-kernel.js';
import type { UpdateRule } from '../src/update-rule.js';
import * as rules from '../src/update-rules.js';

const SHAPE = [7, 13];
const SCALARS: Readonly<Record<string, number>> = {
  lr: 0.05,
  momentum: 0.9,
  rho: 0.9,
  epsilon: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  beta1_power: 0.81,
  beta2_power: 0.998,
  l1: 0.01,
  l2: 0.02,
  l2_shrinkage: 0.1,
  lr_power: -0.5,
  global_step: 3,
};

function normal(seed: number, shape: readonly number[]): Float32Array {
  const op = new RandomOp('RandomStandardNormal', { seed: 7, seed2: seed, dtype: 'float32' });
  return op.draw({ shape }).data as Float32Array;
}

interface Call {
  readonly rule: UpdateRule;
  readonly attributes: Readonly<Record<string, boolean>>;
  readonly indices: number[] | null;
  readonly seed: number;
}

function run({ rule, attributes, indices, seed }: Call): Float32Array[] {
  return tf.tidy(() => {
    // Slots that hold squares are positive; every slot may be. The third is small: a mean whose square is under the squares'.
    const slot = (x: number, i: number) => (Math.abs(x) + 1) / (i === 2 ? 10 : 1);
    const state = Array.from({ length: rule.slots + 1 }, (_, i) =>
      tf.tensor(
        normal(seed + i, SHAPE).map((x) => (i === 0 ? x : slot(x, i))),
        SHAPE,
      ),
    );
    const shape = indices === null ? SHAPE : [indices.length, SHAPE[1]!];
    const grad = tf.tensor(normal(seed + 50, shape), shape);
    const hyper = Object.fromEntries(
      Object.entries(SCALARS).map(([name, value]) => [
        name,
        tf.scalar(value, name === rule.int64 ? 'int32' : 'float32'),
      ]),
    );
    const gradient = { grad, indices: indices === null ? undefined : tf.tensor1d(indices, 'int32') };
    return runUpdate(rule, state, gradient, hyper, attributes).map((value) =>
      (value.dataSync() as Float32Array).slice(),
    );
  });
}

const CASES = Object.entries(rules as Readonly<Record<string, UpdateRule>>).flatMap(([name, rule]) => {
  const settings: Readonly<Record<string, boolean>>[] =
    rule.attributes?.['use_nesterov'] === undefined ? [{}] : [{}, { use_nesterov: true }];
  return settings.map((attributes) => [`${name} ${JSON.stringify(attributes)}`, rule, attributes] as const);
});

// Elements near zero are small differences of larger numbers: the bar is two roundings of those.
const TOLERANCE = 2 ** -22;

describe.skipIf(!backends.includes('tensorflow'))('kernels of tensorflow and ours', () => {
  beforeAll(() => useBackend('tensorflow'));

  it.each(CASES)('%s', async (_, rule, attributes) => {
    for (const indices of [null, [0, 5, 2], [3, 3, 1, 3, 0]]) {
      // For rows TensorFlow has no kernel of Nesterov's Adam: TF1's optimizer has no such setting.
      if (indices !== null && 'use_nesterov' in attributes && rule.sparse === undefined) continue;
      for (let seed = 100; seed < 1000; seed += 300) {
        const call = { rule, attributes, indices, seed };
        await tf.setBackend('tensorflow');
        const native = run(call);
        await tf.setBackend('cpu');
        const ours = run(call);
        native.forEach((values, i) => {
          const worst = values.reduce(
            (most, value, j) => Math.max(most, Math.abs(value - ours[i]![j]!) / Math.max(1, Math.abs(value))),
            0,
          );
          expect(worst, `state ${i}, rows ${indices}, seed ${seed}`).toBeLessThanOrEqual(TOLERANCE);
        });
      }
    }
  });
});
