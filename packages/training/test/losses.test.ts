import * as tf from '@tensorflow/tfjs-core';
import { Graph, globalVariablesInitializer, placeholder, Session } from '@tfparity/graph';
import { backends, useBackend } from '@tfparity/testing';
import { getVariable, variable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  absoluteDifference,
  clipByGlobalNorm,
  computeWeightedLoss,
  gradients,
  meanSquaredError,
  piecewiseConstant,
  type Reduction,
  softmaxCrossEntropy,
  variableGrads,
} from '../src/index.js';
import { valuesOf } from './golden-optimizer.js';

const nowhere = { lossCollection: null };
const ENGINES = backends.flatMap((backend): (readonly [string, 'replay' | 'tensorflow'])[] =>
  backend === 'tensorflow'
    ? [
        [backend, 'replay'],
        [backend, 'tensorflow'],
      ]
    : [[backend, 'replay']],
);
const REDUCTIONS: readonly Reduction[] = [
  'weighted_sum_by_nonzero_weights',
  'weighted_sum_over_batch_size',
  'weighted_mean',
];

describe.each(ENGINES)('of a batch whose size is not known, on %s by the engine %s', (backend, engine) => {
  beforeAll(() => useBackend(backend));
  const rows = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
    [10, 11, 12],
  ];
  const labels = rows.map((_, i) => [0, 1, 2].map((k) => Number(k === i % 3)));

  it('losses and their gradients are those of the batch that is fed', () => {
    const losses = (x: tf.Tensor, y: tf.Tensor, w: tf.Tensor) => [
      ...REDUCTIONS.map((reduction) => meanSquaredError(y, tf.mul(x, w), { ...nowhere, reduction })),
      softmaxCrossEntropy(y as tf.Tensor2D, tf.mul(x, w) as tf.Tensor2D, { ...nowhere, labelSmoothing: 0.1 }),
    ];
    const start = () => tf.tensor1d([0.1, 0.2, -0.1]);
    const [x, y] = [tf.tensor2d(rows), tf.tensor2d(labels)];
    const eager = variable(start(), { name: 'w' });
    const expected = losses(x, y, eager).map((loss) => valuesOf(loss)[0]!);
    const total = () => tf.addN(losses(x, y, eager)) as tf.Scalar;
    const slope = valuesOf(variableGrads(total, [eager]).gradients[0]![0] as tf.Tensor);
    const graph = new Graph();
    using _ = graph.asDefault();
    const [batch, target] = [placeholder('float32', [null, 3]), placeholder('float32', [null, 3])];
    const w = getVariable('w', { initializer: start });
    const recorded = losses(batch, target, w);
    const [gradient] = gradients(tf.addN(recorded), [w]);
    using session = new Session(graph, { engine });
    session.run(globalVariablesInitializer());
    const values = session.run(
      [...recorded, gradient as tf.Tensor],
      [
        [batch, rows],
        [target, labels],
      ],
    ) as tf.Tensor[];
    const found = values.slice(0, -1).map((loss) => valuesOf(loss)[0]!);
    for (const [i, value] of expected.entries()) expect(found[i]! / value).toBeCloseTo(1, 5);
    for (const [i, value] of Array.from(valuesOf(values.at(-1)!)).entries())
      expect(value / slope[i]!).toBeCloseTo(1, 5);
  });
});

describe.each(backends)('%s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('takes the weights that TensorFlow takes, and no others', () => {
    const two = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    expect(() => computeWeightedLoss(two, { ...nowhere, weights: tf.tensor1d([1, 0]) })).toThrow(
      'weights can not be broadcast to values. values.rank=2. weights.rank=1. values.shape=(2, 2). weights.shape=(2,).',
    );
    expect(() => computeWeightedLoss(tf.tensor1d([1, 3]), { ...nowhere, weights: tf.ones([2, 1]) })).toThrow(
      'values.rank=1. weights.rank=2.',
    );
    // python: v1.losses.absolute_difference([[1, 2], [3, 5]], [[1, 1], [1, 1]], weights=-1, reduction=Reduction.MEAN), and [[-1], [.5]]
    const [labels, predictions] = [tf.tensor2d([1, 2, 3, 5], [2, 2]), tf.ones([2, 2])];
    const mean = (weights: number | tf.Tensor) =>
      valuesOf(absoluteDifference(labels, predictions, { ...nowhere, weights, reduction: 'weighted_mean' }))[0];
    expect(mean(-1)).toBe(1.75);
    expect(mean(tf.tensor2d([-1, 0.5], [2, 1]))).toBe(-2);
  });

  it('stops gradients at the labels of a softmax', () => {
    const [labels, logits] = [variable(tf.tensor2d([0.5, 0.5], [1, 2])), variable(tf.tensor2d([1, 2], [1, 2]))];
    const loss = () =>
      softmaxCrossEntropy(labels as tf.Variable<tf.Rank.R2>, logits as tf.Variable<tf.Rank.R2>, nowhere);
    const found = variableGrads(() => loss() as tf.Scalar, [labels, logits]).gradients;
    expect(found[0]![0]).toBeNull();
    expect(found[1]![0]).not.toBeNull();
  });

  it('goes by steps that float32 does not tell apart', () => {
    const rate = (x: number | tf.Tensor, boundary: number) =>
      valuesOf((piecewiseConstant(x, [boundary], [1, 2]) as () => tf.Scalar)())[0];
    // python: v1.train.piecewise_constant(tf.constant(16777217), [16777216], [1., 2.])
    expect(rate(16777217, 16777216)).toBe(2);
    expect(rate(tf.scalar(16777217, 'int32'), 16777216)).toBe(2);
    expect(rate(1.5, 1)).toBe(2);
    expect(() => rate(tf.scalar(1, 'int32'), 1.5)).toThrow('must have the same dtype as x');
    // python: tf.clip_by_global_norm([None], 1.)
    const { clipped, norm } = clipByGlobalNorm([null], 1);
    expect([clipped, valuesOf(norm)[0]]).toEqual([[null], 0]);
  });
});
