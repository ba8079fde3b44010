import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { Graph, globalVariablesInitializer, placeholder, Session } from '@tfparity/graph';
import { backends, useBackend } from '@tfparity/testing';
import { addToCollection, assign, GraphKeys, getVariable, variable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AdagradDAOptimizer,
  AdamOptimizer,
  createTrainOp,
  ExponentialMovingAverage,
  exponentialDecay,
  GradientDescentOptimizer,
  getOrCreateGlobalStep,
  gradients,
  IndexedSlices,
  isTrainingError,
  MomentumOptimizer,
  RMSPropOptimizer,
  type TrainingError,
  variableGrads,
} from '../src/index.js';
import { valuesOf } from './golden-optimizer.js';

const errorOf = (body: () => unknown): TrainingError => {
  try {
    body();
  } catch (error) {
    if (isTrainingError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe.each(backends)('%s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('takes the steps that tfjs does not: TF1 from 1.0, gradient 0.5, rate 0.1', () => {
    const step = (optimizer: MomentumOptimizer | RMSPropOptimizer | AdamOptimizer) => {
      const w = variable(tf.tensor1d([1]), { name: 'w' });
      optimizer.applyGradients([[tf.tensor1d([0.5]), w]]);
      const value = valuesOf(w)[0]!;
      optimizer.dispose();
      w.dispose();
      return value;
    };
    // python: v1.train.RMSPropOptimizer(0.1), v1.train.AdamOptimizer(0.1, epsilon=0.1)
    expect(step(new RMSPropOptimizer({ learningRate: 0.1 }))).toBeCloseTo(0.948, 4);
    expect(step(new AdamOptimizer({ learningRate: 0.1, epsilon: 0.1 }))).toBeCloseTo(0.9863, 4);
    expect(step(new RMSPropOptimizer({ learningRate: 0.1, centered: true }))).not.toBeNaN();
  });

  it('trains a tf.layers model by model.fit and leaves no tensors behind', async () => {
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] });
    const optimizer = new MomentumOptimizer({ learningRate: 0.05, momentum: 0.9 });
    model.compile({ optimizer, loss: 'meanSquaredError' });
    const x = tf.tensor2d([0, 0, 0, 1, 1, 0, 1, 1], [4, 2]);
    const y = tf.tensor2d([1, 3, 4, 6], [4, 1]);
    await model.fit(x, y, { epochs: 1, batchSize: 4, verbose: 0 });
    const before = tf.memory().numTensors;
    const { history } = await model.fit(x, y, { epochs: 60, batchSize: 4, verbose: 0 });
    expect(tf.memory().numTensors).toBe(before);
    expect(history['loss']!.at(-1)).toBeLessThan(0.1);
    expect(optimizer.variables().map(({ name }) => name.split('/').at(-1))).toEqual(['Momentum', 'Momentum']);
    expect(optimizer.iterations).toBe(61);
  });

  it('gives rows for what is gathered, and all of it where it is used otherwise', () => {
    const table = variable(tf.reshape(tf.range(0, 8), [4, 2]), { name: 'table' });
    const ids = tf.tensor1d([2, 0, 2], 'int32');
    const rows = variableGrads(() => tf.sum(tf.gather(table, ids)) as tf.Scalar, [table]).gradients[0]![0];
    expect(rows).toBeInstanceOf(IndexedSlices);
    expect([...(valuesOf((rows as IndexedSlices).indices).valueOf() as Int32Array)]).toEqual([2, 0, 2]);
    const both = () => tf.add(tf.sum(tf.gather(table, ids)), tf.sum(table)) as tf.Scalar;
    const dense = variableGrads(both, [table]).gradients[0]![0] as tf.Tensor;
    expect(Array.from(valuesOf(dense))).toEqual([2, 2, 1, 1, 3, 3, 1, 1]);
    const optimizer = new GradientDescentOptimizer({ learningRate: 1 });
    optimizer.minimize(() => tf.sum(tf.gather(table, ids)) as tf.Scalar, false, [table]);
    // Row 2 appears twice, and is moved twice.
    expect(Array.from(valuesOf(table))).toEqual([-1, 0, 2, 3, 2, 3, 6, 7]);
    expect(() =>
      optimizer.applyGradients([[new IndexedSlices(tf.ones([1, 2]), tf.tensor1d([4], 'int32'), [4, 2]), table]]),
    ).toThrow('indices[0] = 4 is not in [0, 4)');
    table.dispose();
  });

  it('saves and restores slots, and makes the same next step', async () => {
    const start = () => variable(tf.tensor1d([1, 2]), { name: 'w' });
    const gradient = tf.tensor1d([0.3, -0.4]);
    const [a, b] = [start(), start()];
    const first = new AdamOptimizer({ learningRate: 0.1 });
    first.applyGradients([[gradient, a]]);
    const second = new AdamOptimizer(first.getConfig() as never);
    second.createSlots([b]);
    await second.setWeights((await first.getWeights()).map(({ name, tensor }) => ({ name, tensor: tf.clone(tensor) })));
    tf.tidy(() => b.assign(tf.clone(a)));
    first.applyGradients([[gradient, a]]);
    second.applyGradients([[gradient, b]]);
    expect(Array.from(valuesOf(b))).toEqual(Array.from(valuesOf(a)));
    await expect(
      second.setWeights([
        { name: 'iter', tensor: tf.scalar(0) },
        { name: 'x', tensor: gradient },
      ]),
    ).rejects.toThrow("Adam has no variable 'x'");
  });

  it("says what is wrong in TensorFlow's words", () => {
    const w = variable(tf.tensor1d([1]), { name: 'w' });
    const optimizer = new GradientDescentOptimizer({ learningRate: 1 });
    expect(errorOf(() => optimizer.applyGradients([[null, w]])).message).toContain(
      'No gradients provided for any variable',
    );
    expect(errorOf(() => optimizer.applyGradients([])).message).toBe('No variables provided.');
    expect(errorOf(() => optimizer.applyGradients([[tf.ones([2]), w]])).code).toBe('InvalidArgument');
  });

  it('AdagradDA computes the variable from its sums', () => {
    // python: v1.train.AdagradDAOptimizer(3.0, global_step), gradient [0.1, 0.2], one step from [0, 0]
    const w = variable(tf.tensor1d([0, 0]), { name: 'w' });
    const globalStep = tf.variable(tf.scalar(0, 'int32'), false);
    const optimizer = new AdagradDAOptimizer({ learningRate: 3, globalStep });
    optimizer.applyGradients([[tf.tensor1d([0.1, 0.2]), w]], { globalStep });
    expect(valuesOf(w)[0]).toBeCloseTo(-0.904534, 5);
    expect(valuesOf(w)[1]).toBeCloseTo(-1.603567, 5);
    expect(valuesOf(globalStep)[0]).toBe(1);
  });

  it('trains in a graph: update ops, schedule, clipping, step count; the loss is checked', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const x = placeholder('float32', [], 'x');
    const w = getVariable('w', { initializer: () => tf.scalar(1) });
    const moved = getVariable('moved', { initializer: () => tf.scalar(0), trainable: false });
    addToCollection(GraphKeys.UPDATE_OPS, assign(moved, tf.add(moved, tf.scalar(1))));
    const loss = tf.mul(tf.square(w), x);
    const learningRate = exponentialDecay({
      learningRate: 0.5,
      globalStep: getOrCreateGlobalStep(),
      decaySteps: 1,
      decayRate: 0.5,
    });
    const optimizer = new MomentumOptimizer({ learningRate, momentum: 0 });
    const train = createTrainOp(loss, optimizer, { clipGradientNorm: 1 });
    expect(train.missedUpdateOps).toEqual([]);
    expect(optimizer.variables().map(({ name }) => name)).toEqual(['w/Momentum']);
    using session = new Session(graph);
    session.run(globalVariablesInitializer());
    expect(valuesOf(session.run(train.loss, { 'x:0': 1 }))[0]).toBe(1);
    // The gradient 2 is clipped to 1, at rate 0.5.
    expect(valuesOf(session.run(w))[0]).toBe(0.5);
    session.run(train.loss, { 'x:0': 1 });
    // The gradient 1, at rate 0.25.
    expect(valuesOf(session.run(w))[0]).toBe(0.25);
    expect(valuesOf(session.run(moved))[0]).toBe(2);
    expect(() => session.run(train.loss, { 'x:0': Number.NaN })).toThrow(
      'LossTensor is inf or nan : Tensor had NaN values',
    );
    expect(createTrainOp(loss, optimizer, { updateOps: [], globalStep: null }).missedUpdateOps).toHaveLength(1);
  });

  it('refuses in a graph what would be asked or run once and never again', () => {
    const eager = tf.variable(tf.scalar(1));
    using _ = new Graph().asDefault();
    const w = getVariable('w', { initializer: () => tf.scalar(1) });
    const loss = () => tf.square(w) as tf.Scalar;
    expect(errorOf(() => new GradientDescentOptimizer({ learningRate: 1 }).minimize(loss)).message).toMatch(
      /eager code; in a graph use createTrainOp/,
    );
    const optimizer = new GradientDescentOptimizer({ learningRate: () => 0.5 });
    expect(errorOf(() => createTrainOp(loss(), optimizer)).message).toMatch(/lr is a function.*give a tensor/);
    expect(() => assign(eager, tf.scalar(2))).toThrow(/belongs to eager code/);
    const average = new ExponentialMovingAverage({ decay: 0.9, numUpdates: () => 3 });
    expect(errorOf(() => average.apply([w])).message).toMatch(/numUpdates is a function/);
  });

  it('gradients of a graph: sums, stops, null', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const a = getVariable('a', { initializer: () => tf.tensor1d([1, 2]) });
    const b = getVariable('b', { initializer: () => tf.tensor1d([3, 4]) });
    const unused = getVariable('unused', { initializer: () => tf.tensor1d([3, 4]) });
    const product = tf.mul(a, b);
    const y = tf.sum(tf.add(product, a));
    const [da, db, none] = gradients(y, [a, b, unused]);
    expect(none).toBeNull();
    const [stopped] = gradients(y, [b], { stopGradients: [product] });
    expect(stopped).toBeNull();
    using session = new Session(graph);
    session.run(globalVariablesInitializer());
    expect(Array.from(valuesOf(session.run(da as tf.Tensor)))).toEqual([4, 5]);
    expect(Array.from(valuesOf(session.run(db as tf.Tensor)))).toEqual([1, 2]);
  });
});
