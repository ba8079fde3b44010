import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { normal, setSeed } from '@tfparity/random';
import { backends, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  assign,
  assignAdd,
  controlDependencies,
  Graph,
  globalVariablesInitializer,
  identity,
  isGraphError,
  placeholder,
  Session,
} from '../src/index.js';
import { lowerGraph } from '../src/lower/lower-graph.js';

const native = backends.includes('tensorflow') ? describe : describe.skip;
const ones = (shape: readonly number[]) => tf.ones([...shape]);

native("recorded graphs in TensorFlow's session (backend tensorflow)", () => {
  beforeAll(() => useBackend('tensorflow'));

  it('computes a fed placeholder of unknown batch size times a variable', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const x = placeholder('float32', [null, 2], 'x');
    const w = getVariable('w', { shape: [2, 2], initializer: ones });
    const y = tf.relu(tf.reshape(tf.matMul(x, w as unknown as tf.Tensor2D), [-1, 1, 2]));
    using session = new Session(graph, { engine: 'tensorflow' });
    expect(session.run(globalVariablesInitializer())).toBeNull();
    const out = session.run({ y, w: [w] }, [
      [
        x,
        [
          [1, 2],
          [3, -9],
          [5, 6],
        ],
      ],
    ]);
    expect(out.y.shape).toEqual([3, 1, 2]);
    expect(Array.from(out.y.dataSync())).toEqual([3, 3, 0, 0, 11, 11]);
    expect(Array.from(out.w[0].dataSync())).toEqual([1, 1, 1, 1]);
  });

  it('gives the loss of eager code bit for bit, and its gradients but for what the graph optimizer rewrites', () => {
    const net = (x: tf.Tensor4D, w: tf.Tensor4D, g: tf.Tensor1D) => {
      const h = tf.relu(tf.conv2d(x, w, 1, 'same'));
      const { mean, variance } = tf.moments(h, [0, 1, 2]);
      const n = tf.batchNorm(h, mean as tf.Tensor1D, variance as tf.Tensor1D, g, g, 0.001);
      return tf.mean(tf.square(tf.softmax(tf.reshape(n, [2, -1])))) as tf.Scalar;
    };
    const xs = tf.randomNormal<tf.Rank.R4>([2, 9, 9, 3]);
    const ws = tf.randomNormal<tf.Rank.R4>([3, 3, 3, 4]);
    const gs = tf.randomNormal<tf.Rank.R1>([4]);
    const eager = tf.valueAndGrads(net as (...args: tf.Tensor[]) => tf.Scalar)([xs, ws, gs]);
    const graph = new Graph();
    const { fetches, x, w, g } = graph.asDefault(() => {
      const x = placeholder('float32', [2, 9, 9, 3], 'x');
      const w = placeholder('float32', [3, 3, 3, 4], 'w');
      const g = placeholder('float32', [4], 'g');
      return { fetches: tf.valueAndGrads(net as (...args: tf.Tensor[]) => tf.Scalar)([x, w, g]), x, w, g };
    });
    const feeds = [
      [x, xs],
      [w, ws],
      [g, gs],
    ] as const;
    for (const engine of ['replay', 'tensorflow'] as const) {
      using session = new Session(graph, { engine });
      const got = session.run(fetches as { value: tf.Tensor; grads: tf.Tensor[] }, feeds);
      expect(got.value.dataSync(), engine).toEqual(eager.value.dataSync());
      // Gradients are of the order of 1e-7 here; Grappler's arithmetic and constant passes change their last bits.
      const tolerance = engine === 'replay' ? 0 : 1e-9;
      for (const [i, grad] of got.grads.entries()) {
        const expected = eager.grads[i]!.dataSync();
        const off = Math.max(...Array.from(grad.dataSync(), (v, j) => Math.abs(v - expected[j]!)));
        expect(off, engine).toBeLessThanOrEqual(tolerance);
      }
    }
  });

  it('draws the same numbers as the replay engine, run after run', () => {
    const graph = new Graph();
    const draw = graph.asDefault(() => {
      setSeed(7);
      return [normal([3, 2]), normal([4], { seed: 3 })];
    });
    using replay = new Session(graph);
    using session = new Session(graph, { engine: 'tensorflow' });
    for (let run = 0; run < 3; run++) {
      const expected = replay.run(draw).map((t) => t.dataSync());
      expect(session.run(draw).map((t) => t.dataSync())).toEqual(expected);
    }
  });

  it('assigns, in the order of control dependencies, and keeps values when ops are added', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const v = getVariable('v', { shape: [], initializer: ones });
    const init = globalVariablesInitializer();
    const step = assignAdd(v, tf.scalar(2));
    const after = controlDependencies([step], () => identity(v as unknown as tf.Tensor, 'after'));
    using session = new Session(graph, { engine: 'tensorflow' });
    expect(() => session.run(v)).toThrow(/could not find|uninitialized|does not exist/i);
    session.run(init);
    expect(session.run(after).dataSync()[0]).toBe(3);
    expect(session.run('after:0').dataSync()[0]).toBe(5);
    const reset = assign(v, 40);
    expect((session.run(v) as tf.Tensor).dataSync()[0]).toBe(5);
    session.run(reset);
    expect((session.run('v/Read/ReadVariableOp:0') as tf.Tensor).dataSync()[0]).toBe(40);
  });

  it('names nodes as the ops were named', () => {
    const graph = new Graph();
    graph.asDefault(() => tf.relu(placeholder('float32', [2], 'x')));
    const { graphDef } = lowerGraph(graph);
    expect(graphDef.node.map(({ name, op, input }) => [name, op, input])).toEqual([
      ['x', 'Placeholder', []],
      ['Relu', 'Relu', ['x']],
    ]);
  });

  it('says the line that made an op that TensorFlow refuses to run', () => {
    const graph = new Graph();
    const y = graph.asDefault(() => tf.gather(placeholder('float32', [2], 'x'), placeholder('int32', [1], 'i')));
    using session = new Session(graph, { engine: 'tensorflow' });
    expect(() => session.run(y, { 'x:0': [1, 2], 'i:0': tf.tensor1d([7], 'int32') })).toThrow(/lowering\.test\.ts:\d+/);
  });

  it('says by its codes what a run lacks, as the replay engine does', () => {
    const graph = new Graph();
    const { y, v } = graph.asDefault(() => {
      const v = getVariable('v', { shape: [2], initializer: ones });
      return { v, y: tf.neg(placeholder('float32', [2], 'x')) };
    });
    for (const engine of ['replay', 'tensorflow'] as const) {
      using session = new Session(graph, { engine });
      const codeOf = (fetch: tf.Tensor): unknown => {
        try {
          session.run(fetch);
          return 'none';
        } catch (error) {
          return isGraphError(error) && error.code;
        }
      };
      expect([codeOf(y), codeOf(v)], engine).toEqual(['WrongValue', 'FailedPrecondition']);
    }
  });

  it('takes fetches that are added later, and loads the graph anew only for them', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    const v = getVariable('v', { shape: [2], initializer: ones });
    const init = globalVariablesInitializer();
    setSeed(7);
    const draw = normal([2]);
    using replay = new Session(graph);
    using session = new Session(graph, { engine: 'tensorflow' });
    session.run(init);
    const first = replay.runArrays(draw);
    expect(session.runArrays(draw)).toEqual(first);
    const later = tf.mul(v, 3);
    // What is there already goes on where it was.
    expect(session.runArrays(draw)).toEqual(replay.runArrays(draw));
    expect(session.runArrays({ later, v })).toMatchObject({ later: { data: Float32Array.of(3, 3) } });
    expect(() => session.run(draw)).toThrow(/would start afresh: ops were recorded after the first run/);
    expect(session.runArrays([tf.neg(later), v])[0].data).toEqual(Float32Array.of(-3, -3));
    // A new session draws from the start, with all ops that there are.
    using other = new Session(graph, { engine: 'tensorflow' });
    expect(other.runArrays(draw)).toEqual(first);
  });

  it('is proved in a child process first when isolated', () => {
    const graph = new Graph();
    const y = graph.asDefault(() => tf.neg(placeholder('float32', [2], 'x')));
    using session = new Session(graph, { engine: 'tensorflow', isolated: true });
    expect(session.runArrays(y, { 'x:0': [1, 2] }).data).toEqual(Float32Array.of(-1, -2));
    expect(() => new Session(graph, { isolated: true })).toThrow(/only the engine 'tensorflow'/);
  });

  it('makes the sum with a bias a BiasAdd, which TensorFlow leaves where it is, and no other sum', () => {
    const graph = new Graph();
    const shape = [64, 3];
    const { sum, rows, init } = graph.asDefault(() => {
      const x = placeholder('float32', shape, 'x');
      const side = placeholder('float32', shape, 'side');
      const initializer = () => tf.tensor1d([1e-3, 1 / 3, 7]);
      const bias = getVariable('bias', { initializer });
      const row = getVariable('row', { initializer: () => tf.ones([1, 3]) });
      const sum = tf.add(tf.add(tf.relu(x), bias), tf.relu(side));
      return { sum, rows: tf.add(x, row), init: globalVariablesInitializer() };
    });
    const draw = (seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);
    const feeds = { 'x:0': draw(1), 'side:0': draw(2) };
    const values = (engine: 'replay' | 'tensorflow') => {
      using session = new Session(graph, { engine });
      session.run(init);
      return session.runArrays([sum, rows], feeds).map(({ data }) => data);
    };
    expect(values('tensorflow')).toEqual(values('replay'));
    expect(lowerGraph(graph).graph.nodes.filter(({ op }) => op === 'BiasAdd')).toHaveLength(1);
  });

  it('frees everything when it is closed', () => {
    const graph = new Graph();
    const y = graph.asDefault(() => tf.neg(placeholder('float32', [2], 'x')));
    const before = tf.memory();
    const session = new Session(graph, { engine: 'tensorflow' });
    for (let run = 0; run < 20; run++) session.run({ y, again: [y] }, { 'x:0': [1, 2] }).y.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors + 20);
    session.close();
    session.close();
    expect(() => session.run(y)).toThrow('Attempted to use a closed Session.');
  });
});
