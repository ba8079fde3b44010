import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { dropout, normal, setSeed, uniform } from '@tfparity/random';
import { backends, useBackend } from '@tfparity/testing';
import { addToCollection, GraphKeys, getCollection, getVariable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  assign,
  assignAdd,
  assignSub,
  controlDependencies,
  Graph,
  globalVariablesInitializer,
  type Operation,
  placeholder,
  Session,
} from '../src/index.js';

const values = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());
const zeros = (shape: readonly number[]) => tf.zeros([...shape]);

describe.each(backends)('sessions on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('keeps the values of variables per session, and from run to run', () => {
    const graph = new Graph();
    const { v, add, init } = graph.asDefault(() => {
      const v = getVariable('v', { shape: [2], initializer: zeros });
      return { v, add: assignAdd(v, [1, 2]), init: globalVariablesInitializer() };
    });
    using a = new Session(graph);
    using b = new Session(graph);
    a.run(init);
    b.run(init);
    a.run(add);
    a.run(add);
    expect(values(a.run(v))).toEqual([2, 4]);
    expect(values(b.run(v))).toEqual([0, 0]);
  });

  it('runs update ops only when they are fetched, and by way of control dependencies', () => {
    const graph = new Graph();
    const { v, plain, waiting } = graph.asDefault(() => {
      const v = getVariable('v', { shape: [], initializer: zeros });
      addToCollection(GraphKeys.UPDATE_OPS, assign(v, tf.add(v, 1)));
      const plain = tf.mul(v, 10);
      const updates = getCollection<Operation>(GraphKeys.UPDATE_OPS);
      // A read under control dependencies sees what they did; a clone is what carries them.
      const waiting = controlDependencies(updates, () => [tf.mul(v, 10), tf.clone(plain)]);
      return { v, plain, waiting };
    });
    using session = new Session(graph);
    session.run(graph.getOperationByName('v/Assign'));
    session.run(plain);
    expect(values(session.run(v))).toEqual([0]);
    const [after, before] = session.run(waiting);
    expect([values(after!), values(before!)]).toEqual([[10], [0]]);
    session.run(waiting[1]!);
    expect(values(session.run(v))).toEqual([2]);
  });

  it('computes nothing that no fetch needs, and nothing behind a feed', () => {
    const graph = new Graph();
    const { x, y, z } = graph.asDefault(() => {
      const x = placeholder('float32', [2], 'x');
      const y = tf.square(x);
      return { x, y, z: tf.add(y, 1) };
    });
    using session = new Session(graph);
    expect(values(session.run(z, [[y, [3, 4]]]))).toEqual([4, 5]);
    expect(() => session.run(z)).toThrow(
      "You must feed a value for placeholder tensor 'x' with dtype float and shape [2]",
    );
    expect(values(session.run(z, { 'x:0': [2, 3] }))).toEqual([5, 10]);
    expect(values(session.run(z, new Map([[x, tf.tensor1d([1, 1], 'int32')]])))).toEqual([2, 2]);
  });

  it('draws the next numbers on each run, and the same again in a new session', () => {
    const build = () => {
      const graph = new Graph();
      return graph.asDefault(() => {
        setSeed(7);
        const draws = [uniform([3]), normal([2]), uniform([3], { seed: 5 }), dropout(tf.ones([8]), { rate: 0.5 })];
        return { graph, draws };
      });
    };
    const { graph, draws } = build();
    const runs = (session: Session) => [1, 2].map(() => session.run(draws).map(values));
    using first = new Session(graph);
    const [one, two] = runs(first);
    expect(two).not.toEqual(one);
    using second = new Session(graph);
    expect(runs(second)).toEqual([one, two]);
    const again = build();
    using third = new Session(again.graph);
    expect(third.run(again.draws).map(values)).toEqual(one);
    // TensorFlow 2.21: in a tf.Graph, v1.set_random_seed(7); v1.Session().run([tf.random.uniform([3]),
    // tf.random.normal([2]), tf.random.uniform([3], seed=5), tf.nn.dropout(tf.ones([8]), 0.5)]), run twice.
    expect(one).toEqual([
      [0.7537285089492798, 0.07793760299682617, 0.45880913734436035],
      [-0.5408053994178772, 1.1220329999923706],
      [0.8669310808181763, 0.0021675825119018555, 0.9194519519805908],
      [0, 2, 2, 2, 0, 2, 2, 0],
    ]);
    expect(two).toEqual([
      [0.7915035486221313, 0.510116696357727, 0.5416638851165771],
      [0.7477176785469055, -0.20272484421730042],
      [0.7997453212738037, 0.9907882213592529, 0.44618701934814453],
      [2, 0, 0, 0, 2, 0, 2, 0],
    ]);
  });

  it('gives graph and eager code the same bits for conv, batch norm and pooling', () => {
    const x = uniform([2, 16, 16, 3], { seed: 1 }) as tf.Tensor4D;
    const w = normal([3, 3, 3, 8], { seed: 2 }) as tf.Tensor4D;
    const net = (image: tf.Tensor4D) => {
      const h = tf.conv2d(image, w, 2, 'valid');
      const { mean, variance } = tf.moments(h, [0, 1, 2]);
      const n = tf.relu(tf.batchNorm(h, mean as tf.Tensor1D, variance as tf.Tensor1D, undefined, undefined, 1e-3));
      const pooled = [tf.maxPool(n, 3, 2, 'same'), tf.avgPool(n, 3, 2, 'same')];
      return tf.softmax(tf.reshape(tf.concat(pooled, 3), [2, -1]));
    };
    const eager = net(x);
    const graph = new Graph();
    const [image, out] = graph.asDefault(() => {
      const image = placeholder('float32', [2, 16, 16, 3], 'image');
      return [image, net(image as tf.Tensor4D)];
    });
    using session = new Session(graph);
    expect(session.run(out, [[image, x]]).dataSync()).toEqual(eager.dataSync());
  });

  it('keeps memory flat over 200 runs, and frees everything when it closes', () => {
    const outside = tf.memory().numTensors;
    const graph = new Graph();
    const { x, loss, train, init } = graph.asDefault(() => {
      const x = placeholder('float32', [4, 3], 'x');
      const w = getVariable('w', { shape: [3, 2], initializer: (s: readonly number[]) => uniform(s, { seed: 3 }) });
      const { value: loss, grads } = tf.variableGrads(
        () => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, w as unknown as tf.Tensor2D))) as tf.Scalar,
      );
      return { x, loss, train: assignSub(w, tf.mul(grads['w']!, 0.1)), init: globalVariablesInitializer() };
    });
    expect(tf.memory().numTensors).toBe(outside);
    const session = new Session(graph);
    session.run(init);
    const feed = new Float32Array(12).map((_, i) => i / 12);
    const step = () => {
      const [value] = session.run([loss, train], [[x, tf.util.toNestedArray([4, 3], feed)]]);
      const got = values(value)[0]!;
      value.dispose();
      return got;
    };
    const first = step();
    const before = tf.memory();
    let last = first;
    for (let run = 0; run < 200; run++) last = step();
    expect(last).toBeLessThan(first);
    const after = tf.memory();
    expect([after.numTensors, after.numDataBuffers, after.numBytes]).toEqual([
      before.numTensors,
      before.numDataBuffers,
      before.numBytes,
    ]);
    expect(() => session.run('nope:0')).toThrow();
    expect(() => session.run(loss)).toThrow('You must feed');
    expect(tf.memory().numTensors).toBe(before.numTensors);
    session.close();
    session.close();
    expect(tf.memory().numTensors).toBe(outside);
    expect(() => session.run(loss)).toThrow('Attempted to use a closed Session.');
  });

  it('takes a feed of another batch size where the size was declared unknown', () => {
    const graph = new Graph();
    const [x, out] = graph.asDefault(() => {
      const x = placeholder('float32', [null, 4], 'x');
      const h = tf.relu(tf.matMul(x as tf.Tensor2D, tf.ones([4, 6])));
      const y = tf.reshape(h, [h.shape[0]!, 3, 2]);
      return [x, tf.sum(tf.reshape(y, [-1, 6]), 1)];
    });
    using session = new Session(graph);
    for (const batch of [1, 2, 5])
      expect(values(session.run(out, [[x, tf.ones([batch, 4])]]))).toEqual(Array(batch).fill(24));
    expect(() => session.run(out, [[x, tf.ones([2, 5])]])).toThrow(
      'Cannot feed value of shape (2, 5) for Tensor x:0, which has shape (None, 4)',
    );
  });
});
