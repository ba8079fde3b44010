import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { normal, setSeed, shuffle } from '@tfparity/random';
import { useBackend } from '@tfparity/testing';
import { addToCollection, getCollection, getVariable, nameScope, variableScope } from '@tfparity/variables';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  assign,
  Graph,
  type GraphVariable,
  getDefaultGraph,
  globalVariablesInitializer,
  group,
  identity,
  localVariablesInitializer,
  noOp,
  placeholder,
  placeholderWithDefault,
  Session,
  variablesInitializer,
} from '../src/index.js';

const values = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());
const zeros = (shape: readonly number[]) => tf.zeros([...shape]);

describe('graphs', () => {
  beforeAll(() => useBackend('cpu'));
  let graph: Graph;
  beforeEach(() => {
    graph = new Graph();
  });

  it('names ops as TensorFlow does', () => {
    using _ = graph.asDefault();
    const x = placeholder('int32', [], 'x');
    expect(placeholder('int32', [], 'X').name).toBe('X_1:0');
    nameScope('q', () => {
      expect([identity(x).name, identity(x).name, identity(x, 'x').name]).toEqual([
        'q/Identity:0',
        'q/Identity_1:0',
        'q/x:0',
      ]);
    });
    expect(nameScope('q', () => identity(x).name)).toBe('q_1/Identity:0');
    const v = variableScope('net', () => getVariable('v', { shape: [2], initializer: zeros })) as GraphVariable;
    expect([v.name, v.handle.name, v.initializer.name, v.snapshot.name]).toEqual([
      'net/v',
      'net/v',
      'net/v/Assign',
      'net/v/Read/ReadVariableOp:0',
    ]);
    const names = [globalVariablesInitializer(), globalVariablesInitializer(), localVariablesInitializer()];
    expect(names.map((op) => op.name)).toEqual(['init', 'init_1', 'init_2']);
    expect([group([x]).name, noOp().name, variablesInitializer([v], 'start').name]).toEqual([
      'group_deps',
      'NoOp',
      'start',
    ]);
    expect(String(placeholder('float32', [null, 2], 'image'))).toBe(
      'Tensor("image:0", shape=(None, 2), dtype=float32)',
    );
  });

  it('refuses to read a tensor that has no value, naming it and where it was made', () => {
    using _ = graph.asDefault();
    const y = tf.add(placeholder('float32', [2], 'x'), 1);
    expect(() => y.dataSync()).toThrow(
      /^Tensor\("Add:0", shape=\(2,\), dtype=float32\) \(made at .*graph\.test\.ts:\d+\) has no value while its graph is being built/,
    );
    expect(values(tf.tensor1d([1, 2]))).toEqual([1, 2]);
  });

  it('refuses a symbolic tensor in eager code, and leaves the engine as it was', async () => {
    const [y, c] = graph.asDefault(() => [tf.add(placeholder('float32', [2], 'x'), 1), tf.tensor1d([1, 2])]);
    expect(() => tf.square(y)).toThrow('fetch it with session.run');
    expect(() => tf.square(c)).toThrow('fetch it with session.run');
    await expect(y.data()).rejects.toThrow('fetch it with session.run');
    expect(tf.getBackend()).toBe('cpu');
    expect(values(tf.square([3]))).toEqual([9]);
  });

  it('says that the backend was changed while a graph is open', async () => {
    const scope = graph.asDefault();
    try {
      await tf.setBackend('cpu');
      expect(() => tf.add(1, 2)).toThrow(`the backend was set to 'cpu' while ${graph.name} is open`);
    } finally {
      scope[Symbol.dispose]();
    }
    expect(values(tf.add(1, 2))).toEqual([3]);
  });

  it('runs kernels once for shapes it has no rule for, with the true values of small constants', () => {
    const { shuffled, tiled, split } = graph.asDefault(() => {
      const x = placeholder('float32', [4, 2], 'x');
      const table = tf.tensor1d([3, 1], 'int32');
      return {
        shuffled: shuffle(x, { seed: 1 }),
        tiled: tf.gather(tf.tile(x, [1, 2]), table),
        split: tf.split(x, 2, 0),
      };
    });
    expect([shuffled.shape, tiled.shape, split.map((part) => part.shape)]).toEqual([
      [4, 2],
      [2, 4],
      [
        [2, 2],
        [2, 2],
      ],
    ]);
    using session = new Session(graph);
    const feed = [
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ];
    const got = session.run({ tiled, split, shuffled }, { 'x:0': feed });
    expect(values(got.tiled)).toEqual([6, 7, 6, 7, 2, 3, 2, 3]);
    expect(got.split.map((part) => values(part as tf.Tensor))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    expect(values(got.shuffled).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('captures eager tensors as constants, once each', () => {
    const eager = tf.tensor1d([1, 2]);
    const y = graph.asDefault(() => tf.addN([eager, tf.mul(eager, 2)]));
    eager.dispose();
    expect(graph.operations.filter((op) => op.type === 'Const' && op.outputInfos[0]!.shape.length === 1)).toHaveLength(
      1,
    );
    using session = new Session(graph);
    expect(values(session.run(y))).toEqual([3, 6]);
  });

  it('outlives tf.tidy and dispose', () => {
    const y = graph.asDefault(() => {
      const x = tf.tidy(() => tf.ones([2]));
      const kept = tf.tidy(() => {
        const h = tf.add(x, 1);
        addToCollection('kept', h);
        return tf.scalar(0);
      });
      kept.dispose();
      x.dispose();
      return tf.add(getCollection<tf.Tensor>('kept')[0]!, x);
    });
    using session = new Session(graph);
    expect(values(session.run(y))).toEqual([3, 3]);
  });

  it('keeps two graphs apart', () => {
    const other = new Graph();
    const a = graph.asDefault(() => {
      setSeed(1);
      getVariable('v', { shape: [1], initializer: zeros });
      const inner = other.asDefault(() => {
        getVariable('v', { shape: [2], initializer: zeros });
        expect(getDefaultGraph()).toBe(other);
        return tf.scalar(1);
      });
      expect(getDefaultGraph()).toBe(graph);
      expect(() => tf.add(inner, 1)).toThrow(
        /must be from the same graph as .* \(graphs are graph_\d+ and graph_\d+\)/,
      );
      expect(() => assign(other.variables[0]!, [1, 2])).toThrow(`variable 'v' belongs to ${other.name}`);
      return tf.scalar(2);
    });
    expect([graph.variables[0]!.shape, other.variables[0]!.shape]).toEqual([[1], [2]]);
    expect(other.seedContext.seed).toBeNull();
    using session = new Session(other);
    expect(() => session.run(a)).toThrow('is not an element of this graph.');
    expect(() => session.run(graph.variables[0]!.initializer)).toThrow('is not an element of this graph.');
    expect(() => session.run(other.operations[0]!, [[a, 1]])).toThrow('Cannot interpret feed_dict key as Tensor');
  });

  it('has TensorFlow words for what is not there', () => {
    using _ = graph.asDefault();
    using session = new Session();
    expect(() => session.run('x:0')).toThrow('The Session graph is empty.');
    const x = placeholder('float32', [2], 'x');
    const v = getVariable('v', { shape: [2], initializer: zeros });
    expect(() => graph.getTensorByName('x')).toThrow("The name 'x' refers to an Operation, not a Tensor.");
    expect(() => graph.getTensorByName('q:0')).toThrow(
      "The name 'q:0' refers to a Tensor which does not exist. The operation, 'q', does not exist in the graph.",
    );
    expect(() => graph.getTensorByName('x:3')).toThrow("The operation, 'x', exists but only has 1 outputs.");
    expect(() => graph.getOperationByName('x:0')).toThrow("Name 'x:0' appears to refer to a Tensor, not a Operation.");
    expect(() => session.run('foo')).toThrow('Argument `fetch` = foo cannot be interpreted as a Tensor.');
    expect(() => session.run(3 as unknown as string)).toThrow('has invalid type "number"');
    expect(() => session.run(x, { 'nope:0': 1 })).toThrow(
      "Cannot interpret feed_dict key as Tensor: The name 'nope:0' refers to a Tensor which does not exist.",
    );
    expect(() => session.run(tf.add(v, 1))).toThrow(
      /^Could not find variable v\. This could mean that the variable has been deleted\. In TF1, it can also mean the variable is uninitialized\./,
    );
    expect(() => assign(v, [1, 2, 3])).toThrow(
      'The variable shape (2,), and the assigned value shape (3,) are incompatible.',
    );
    graph.finalize();
    expect(() => tf.scalar(1)).toThrow('Graph is finalized and cannot be modified.');
  });

  it('names the op and its line when a kernel fails', () => {
    const [x, z] = graph.asDefault(() => ['x', 'z'].map((name) => placeholder('float32', [null, 3], name)));
    const y = graph.asDefault(() => tf.add(x!, z!));
    using session = new Session(graph);
    const feeds = { 'x:0': tf.ones([5, 3]), 'z:0': tf.ones([4, 3]) };
    expect(() => session.run(y, feeds)).toThrow(/\[\[\{\{node Add\}\}\]\] made at .*graph\.test\.ts:\d+/);
  });

  it('returns the structure of the fetches, and values for feeds and defaults', () => {
    const { p, v } = graph.asDefault(() => {
      const p = placeholderWithDefault([1, 2], [null], 'p');
      return { p, v: tf.add(p, 1) };
    });
    using session = new Session(graph);
    const got = session.run({ list: [v, 'Add:0'], same: v });
    expect([values(got.list[1]), values(got.same)]).toEqual([
      [2, 3],
      [2, 3],
    ]);
    got.same.dispose();
    expect(values(got.list[0])).toEqual([2, 3]);
    expect(values(session.run(v, [[p, [5]]]))).toEqual([6]);
    const fed = tf.tensor1d([9]);
    const back = session.run(p, [[p, fed]]);
    fed.dispose();
    expect(values(back)).toEqual([9]);
  });

  it('closes scopes in order, and after errors', () => {
    const other = new Graph();
    const outer = graph.asDefault();
    const inner = other.asDefault();
    expect(() => outer[Symbol.dispose]()).toThrow(
      `${graph.name} is closed, but ${other.name}, opened inside it, is still open`,
    );
    inner[Symbol.dispose]();
    outer[Symbol.dispose]();
    expect(() =>
      graph.asDefault(() => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(() => getDefaultGraph()).toThrow('no graph is the default here');
    expect(tf.getBackend()).toBe('cpu');
  });

  it('runs on another backend than it was recorded for', async () => {
    const [y, v] = graph.asDefault(() => {
      const v = getVariable('v', { shape: [2, 2], initializer: (s: readonly number[]) => normal(s, { seed: 1 }) });
      return [tf.relu(tf.matMul(placeholder('float32', [2, 2], 'x'), v)), v as GraphVariable] as const;
    });
    const runOn = (session: Session) => {
      session.run(v.initializer);
      return session.run(y, {
        'x:0': [
          [1, 0],
          [0, 1],
        ],
      });
    };
    await useBackend('wasm');
    await useBackend('cpu');
    using own = new Session(graph);
    using other = new Session(graph, { backend: 'wasm' });
    const result = runOn(other);
    expect(tf.engine().state.tensorInfo.get(result.dataId)!.backend).toBe(tf.findBackend('wasm'));
    expect(values(result)).toEqual(values(runOn(own)));
    using missing = new Session(graph, { backend: 'none' });
    expect(() => missing.run(y)).toThrow("backend 'none' is not there");
  });

  it('stays open while the promise of a body is pending', async () => {
    const name = await graph.asDefault(async () => {
      await Promise.resolve();
      return placeholder('float32', [1], 'late').name;
    });
    expect(name).toBe('late:0');
    expect(tf.getBackend()).toBe('cpu');
  });
});
