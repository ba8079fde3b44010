// slim.learning.create_train_op's options, each against what it does to the step.
import * as tf from '@tensorflow/tfjs-core';
import { Graph, globalVariablesInitializer, Session } from '@tfparity/graph';
import { backends, useBackend } from '@tfparity/testing';
import { addToCollection, assign, GraphKeys, getCollection, getVariable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CreateTrainOpOptions,
  createTrainOp,
  GradientDescentOptimizer,
  getGlobalStep,
  getTotalLoss,
  isTrainingError,
  softmaxCrossEntropy,
} from '../src/index.js';
import { valuesOf } from './golden-optimizer.js';

/** One step at rate 1 from a = [1, 2], b = [3, 4] on the loss sum(a * b): gradients [3, 4] and [1, 2]. */
function step(options: (variables: { a: tf.Variable; b: tf.Variable }) => CreateTrainOpOptions) {
  const graph = new Graph();
  using _ = graph.asDefault();
  const a = getVariable('a', { initializer: () => tf.tensor1d([1, 2]) });
  const b = getVariable('b', { initializer: () => tf.tensor1d([3, 4]) });
  const train = createTrainOp(
    tf.sum(tf.mul(a, b)),
    new GradientDescentOptimizer({ learningRate: 1 }),
    options({ a, b }),
  );
  using session = new Session(graph);
  session.run(globalVariablesInitializer());
  const [loss] = valuesOf(session.run(train.loss)) as Float32Array;
  const [first, second] = [a, b].map((v) => Array.from(valuesOf(session.run(v))));
  return { a: first, b: second, loss, collected: getCollection(GraphKeys.TRAIN_OP).length };
}

describe.each(backends)('%s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('takes a plain step, gives the loss before it, and is collected', () => {
    expect(step(() => ({}))).toEqual({ a: [-2, -2], b: [2, 2], loss: 11, collected: 1 });
  });

  it('multiplies gradients, by variable and by name', () => {
    expect(step(({ a }) => ({ gradientMultipliers: new Map([[a, 0.5]]) }))).toMatchObject({ a: [-0.5, 0], b: [2, 2] });
    const gradientMultipliers = new Map<string, number>([['b', 0]]);
    expect(step(() => ({ gradientMultipliers }))).toMatchObject({ a: [-2, -2], b: [3, 4] });
  });

  it('clips each gradient after its multiplier, then transforms', () => {
    // [3, 4] doubled has the norm 10; clipped to 5 it is [3, 4] again. [1, 2] is shorter, and stays.
    const clipped = ({ a }: { a: tf.Variable }) => ({ gradientMultipliers: new Map([[a, 2]]), clipGradientNorm: 5 });
    const { a, b } = step(clipped);
    expect(a![0]).toBeCloseTo(-2, 6);
    expect(a![1]).toBeCloseTo(-2, 6);
    expect(b).toEqual([2, 2]);
    const negated = step((variables) => ({
      ...clipped(variables),
      transformGradients: (pairs) => pairs.map(([gradient, v]) => [tf.neg(gradient as tf.Tensor), v] as const),
    }));
    expect(negated.a![0]).toBeCloseTo(4, 6);
    expect(negated.b).toEqual([4, 6]);
  });

  it('trains the given variables alone', () => {
    expect(step(({ b }) => ({ variablesToTrain: [b] }))).toMatchObject({ a: [1, 2], b: [2, 2] });
  });

  it('runs update ops before the loss, and counts steps unless told otherwise', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const w = getVariable('w', { initializer: () => tf.scalar(1) });
    const moved = getVariable('moved', { initializer: () => tf.scalar(0), trainable: false });
    const update = assign(moved, tf.add(moved, tf.scalar(1)));
    addToCollection(GraphKeys.UPDATE_OPS, update);
    const optimizer = new GradientDescentOptimizer({ learningRate: 0 });
    const counted = createTrainOp(tf.square(w), optimizer);
    const globalStep = getGlobalStep()!;
    const uncounted = createTrainOp(tf.square(w), optimizer, { globalStep: null, updateOps: [] });
    expect(counted.missedUpdateOps).toEqual([]);
    expect(uncounted.missedUpdateOps).toEqual([update]);
    using session = new Session(graph);
    session.run(globalVariablesInitializer());
    const state = () => [moved, globalStep].map((v) => valuesOf(session.run(v))[0]);
    session.run(uncounted.loss);
    expect(state()).toEqual([0, 0]);
    session.run(counted.loss);
    session.run(counted.op);
    expect(state()).toEqual([2, 2]);
  });

  it('adds auxiliary logits with their weight to the total loss', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const labels = tf.tensor2d([[1, 0]]);
    const main = softmaxCrossEntropy(labels, tf.tensor2d([[0, 0]]), { labelSmoothing: 0.1 });
    const auxiliary = softmaxCrossEntropy(labels, tf.tensor2d([[0, 0]]), { labelSmoothing: 0.1, weights: 0.4 });
    using session = new Session(graph);
    const [a, b, total] = session.run([main, auxiliary, getTotalLoss()]).map((loss) => valuesOf(loss)[0]!);
    expect(a).toBeCloseTo(Math.LN2, 6);
    expect(b).toBeCloseTo(0.4 * Math.LN2, 6);
    expect(total).toBe(Math.fround(a! + b!));
  });
});

it('is refused in eager code', async () => {
  await useBackend('cpu');
  const call = () => createTrainOp(tf.scalar(1), new GradientDescentOptimizer({ learningRate: 1 }));
  expect(call).toThrow('createTrainOp records into a graph');
  try {
    call();
  } catch (error) {
    expect(isTrainingError(error) && error.code).toBe('ValueError');
  }
});
