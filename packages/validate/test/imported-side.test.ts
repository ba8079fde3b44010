// A TF1 program as TensorFlow wrote it, as the legacy side: a MetaGraph with its checkpoint, and the same graph frozen.
import * as tf from '@tensorflow/tfjs-core';
import { toNdArray } from '@tfparity/array';
import { importGraphDef, importMetaGraph } from '@tfparity/graph';
import { dropout, initializers } from '@tfparity/random';
import { backends, describeGolden, goldenJson, goldenPath, useBackend } from '@tfparity/testing';
import { getVariable, variableScope } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { proposeTensorMap, triageMigration, validateMigration } from '../src/index.js';

interface Expected {
  'tf1_graph.ckpt-3': { x: { shape: number[]; values: number[] } };
}

/** The program of golden/recipes/checkpoints.py, migrated; what it calls `scores` is TF1's `net/logits`. */
function migrated(inputs: unknown, epsilon = 1e-3) {
  return variableScope('net', () => {
    const w = getVariable('conv/weights', { shape: [3, 3, 3, 5], initializer: initializers.glorotUniform() });
    const relu = tf.relu(tf.conv2d(inputs as tf.Tensor4D, w as unknown as tf.Tensor4D, 1, 'same')) as tf.Tensor4D;
    const gamma = getVariable('bn/gamma', { shape: [5], initializer: initializers.ones() });
    const beta = getVariable('bn/beta', { shape: [5], initializer: initializers.zeros() });
    const { mean, variance } = tf.moments(relu, [0, 1, 2]);
    const bn = tf.batchNorm(relu, mean, variance, beta, gamma, epsilon);
    const pool = tf.mean(tf.mul(bn, tf.add(1, tf.mul(0.1, relu))), [1, 2]);
    const dropped = dropout(pool, { rate: 0.4 });
    const fc = getVariable('fc/weights', { shape: [5, 2], initializer: initializers.truncatedNormal({ stddev: 0.3 }) });
    return {
      scores: tf.matMul(dropped as tf.Tensor2D, fc as unknown as tf.Tensor2D),
      endPoints: { 'conv/relu': relu, bn, pool },
    };
  });
}

describe.skipIf(!backends.includes('tensorflow'))('an imported graph as the legacy side', () => {
  describeGolden('checkpoints/tf1_frozen.pb', () => {
    beforeAll(() => useBackend('tensorflow'));
    const { x } = goldenJson<Expected>('checkpoints/expected.json')['tf1_graph.ckpt-3'];
    const inputs = { dtype: 'float32' as const, shape: x.shape, data: Float32Array.from(x.values) };
    const model = (graph: ReturnType<typeof importGraphDef>) => ({
      graph,
      inputs: 'x:0',
      random: 'num_random_ops' as const,
    });
    const returned = () => ({
      scores: ndArrayOf([2, 2]),
      endPoints: { 'conv/relu': ndArrayOf([2, 8, 8, 5]), bn: ndArrayOf([2, 8, 8, 5]), pool: ndArrayOf([2, 5]) },
    });
    const ndArrayOf = (shape: number[]) => toNdArray(tf.zeros(shape));

    it('has its tensors matched by name, scope and shape', () => {
      const frozen = model(importGraphDef(goldenPath('checkpoints/tf1_frozen.pb')));
      const map = proposeTensorMap(frozen, inputs, returned());
      expect(map.outputs).toEqual({
        scores: 'net/logits:0',
        endPoints: { 'conv/relu': 'net/conv/relu:0', bn: 'net/bn/fused:0', pool: 'net/pool:0' },
      });
      expect(map.matches.map(({ by }) => by)).toEqual(['shape', 'name', 'scope', 'name']);
      expect(JSON.parse(JSON.stringify(map))).toEqual(map);
      expect(() => proposeTensorMap(frozen, inputs, { nothing: ndArrayOf([7, 7, 7]) })).toThrow(
        /no tensor that fits any of nothing \(7, 7, 7\)/,
      );
    });

    it.each(['frozen', 'with its variables'])('is met, drawing what it drew: %s', async (kind) => {
      const frozen = kind === 'frozen';
      const graph = frozen
        ? importGraphDef(goldenPath('checkpoints/tf1_frozen.pb'))
        : importMetaGraph(goldenPath('checkpoints/tf1_graph.ckpt-3.meta'));
      const { outputs } = proposeTensorMap(model(graph), inputs, returned());
      const migration = {
        legacy: { ...model(graph), outputs },
        migrated: (images: unknown, _: object) => migrated(images),
        inputs,
      };
      const steps = frozen ? (['inference'] as const) : (['inventory', 'inference'] as const);
      const report = await validateMigration(migration, { steps });
      const failed = report.steps.filter(({ passed }) => !passed).map(({ id, lines }) => `${id}: ${lines[0]}`);
      expect(failed).toEqual([]);
      expect(report.verdict).toBe('same');
      const wrong = { ...migration, migrated: (images: unknown, _: object) => migrated(images, 1e-2) };
      expect((await validateMigration(wrong, { steps: ['inference'] })).verdict).toBe('different');
    });

    it('is triaged by its end points', async () => {
      const graph = importMetaGraph(goldenPath('checkpoints/tf1_graph.ckpt-3.meta'));
      // Dropout's draws begin anew in every run of a traced side: what comes before it is compared.
      const legacy = { ...model(graph), outputs: { relu: 'net/conv/relu:0', bn: 'net/bn/fused:0' } };
      const side = (epsilon: number) => (images: unknown, _: object) => {
        const { endPoints } = migrated(images, epsilon);
        return { relu: endPoints['conv/relu'], bn: endPoints.bn };
      };
      const right = await triageMigration({ legacy, migrated: side(1e-3), inputs }, { step: 'inference' });
      expect(right.culprits).toEqual([]);
      expect(['identical', 'rounding']).toContain(right.verdict);
      const wrong = await triageMigration({ legacy, migrated: side(1e-2), inputs }, { step: 'inference' });
      expect(wrong.verdict).toBe('different');
      expect(wrong.growth.find(({ verdict }) => verdict === 'different')!.name).toBe('bn');
    });
  });
});
