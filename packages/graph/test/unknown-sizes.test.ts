import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { normal } from '@tfparity/random';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { Graph, type GraphTensor, isGraphError, placeholder, placeholderWithDefault, Session } from '../src/index.js';

const cases = backends.flatMap((backend) =>
  (backend === 'tensorflow' ? (['replay', 'tensorflow'] as const) : (['replay'] as const)).map(
    (engine) => [backend, engine] as const,
  ),
);

type Compute = (x: tf.Tensor, z: tf.Tensor) => tf.Tensor;
type Grad = (compute: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) => tf.Tensor;

const grad = tf.grad as Grad;
const rows = (x: tf.Tensor): number => x.shape[0]!;

/** What a program does with sizes: the numbers of its own, and those that it got from a tensor. */
const programs: [string, Compute][] = [
  ['tile twice', (x) => tf.tile(x, [2, 1])],
  ['tile by the batch', (_, z) => tf.tile(tf.slice(z, [0, 0], [1, 3]), [rows(z), 1])],
  ['slice of two rows', (x) => tf.slice(x, [0, 0], [2, 3])],
  ['slice of rows that no trial has', (x) => tf.slice(x, [3, 0], [3, 3])],
  ['slice to the end', (x) => tf.slice(x, [1, 0], [-1, 2])],
  ['slice of all but one', (x) => tf.slice(x, [1, 0], [rows(x) - 1, 3])],
  ['strided slice', (x) => tf.stridedSlice(x, [0, 0], [rows(x), 3], [1, 2])],
  ['gather of known rows', (x) => tf.gather(x, tf.tensor1d([0, 5, 3], 'int32'))],
  ['gather of every row', (x) => tf.gather(x, tf.range(0, rows(x), 1, 'int32'))],
  ['reshape [2, -1]', (x) => tf.reshape(x, [2, -1])],
  ['reshape [3, 2, -1]', (x) => tf.reshape(x, [3, 2, -1])],
  ['reshape [-1, 1, 3]', (x) => tf.reshape(x, [-1, 1, 3])],
  ['reshape [batch, 3, 1]', (x) => tf.reshape(x, [rows(x), 3, 1])],
  ['reshape [batch, -1]', (x) => tf.reshape(x, [rows(x), -1])],
  ['flatten', (x) => tf.reshape(x, [x.size])],
  ['twice the batch', (x) => tf.sum(tf.reshape(tf.concat([x, x]), [2 * rows(x), 3]), 1)],
  ['transposed', (x) => tf.sum(tf.reshape(tf.transpose(x), [3, -1]), 1)],
  ['fill [batch, 2]', (_, z) => tf.fill([rows(z), 2], 7)],
  ['zeros and ones of a shape', (x) => tf.add(tf.ones([rows(x), 3]), tf.mul(x, tf.zeros(x.shape)))],
  ['broadcast to', (x) => tf.broadcastTo(tf.tensor2d([[1, 2, 3]]), [rows(x), 3])],
  [
    'pad rows',
    (x) =>
      tf.pad(x, [
        [1, 2],
        [0, 0],
      ]),
  ],
  [
    'pad to a row less',
    (x) =>
      tf.pad(tf.slice(x, [0, 0], [1, 3]), [
        [0, rows(x) - 2],
        [0, 0],
      ]),
  ],
  ['one hot', (x) => tf.oneHot(tf.cast(tf.argMax(x, 1), 'int32'), 2)],
  ['split', (x) => tf.split(x, 2)[1]!],
  ['the batch as a number', (x) => tf.div(tf.sum(x), rows(x))],
  ['all values as a number', (x) => tf.div(tf.sum(x), tf.scalar(x.size))],
  ['mean and variance', (x) => tf.moments(x).variance],
  ['top', (x) => tf.topk(x, 2).values],
  ['gradient of a mean', (x) => grad((y) => tf.mean(tf.square(y)))(x)],
  ['gradient of a mean of axis 1', (x) => grad((y) => tf.sum(tf.square(tf.mean(y, 1))))(x)],
  ['gradient of a sum of axis 0', (x) => grad((y) => tf.sum(tf.square(tf.sum(y, 0))))(x)],
  ['gradient of a slice', (x) => grad((y) => tf.sum(tf.square(tf.slice(y, [1, 1], [2, 2]))))(x)],
  ['gradient of a concatenation', (x) => grad((y) => tf.sum(tf.square(tf.concat([y, tf.mul(y, 2)], 0))))(x)],
  ['gradient of what is cut off at 0', (x) => grad((y) => tf.sum(tf.square(tf.relu(y))))(x)],
  ['gradient of a softmax', (x) => grad((y) => tf.mean(tf.log(tf.softmax(y))))(x)],
];

describe.each(cases)('unknown sizes on %s, engine %s', (backend, engine) => {
  beforeAll(() => useBackend(backend));

  const record = (shape: (number | null)[], compute: Compute) => {
    const graph = new Graph();
    const [x, z, y] = graph.asDefault(() => {
      const [x, z] = ['x', 'z'].map((name) => placeholder('float32', shape, name)) as [GraphTensor, GraphTensor];
      return [x, z, compute(x, z)] as const;
    });
    return { session: new Session(graph, { engine }), x, z, y };
  };

  it.each(programs)('%s: what eager code gives, for every batch', (_, compute) => {
    const { session, x, z, y } = record([null, 3], compute);
    for (const batch of [6, 8]) {
      const value = tf.tensor2d(
        Float32Array.from({ length: 3 * batch }, (_, i) => Math.sin(i)),
        [batch, 3],
      );
      const [eager, given] = [
        compute(value, value),
        session.run(y, [
          [x, value],
          [z, value],
        ]),
      ];
      expect(given.shape).toEqual(eager.shape);
      const [expected, values] = [eager, given].map((tensor) => Array.from(tensor.dataSync())) as [number[], number[]];
      const worst = expected.reduce((most, each, i) => Math.max(most, Math.abs(each - values[i]!)), 0);
      // TensorFlow's own session may rewrite x / c and sums of products.
      expect(worst).toBeLessThanOrEqual(engine === 'tensorflow' ? 1e-6 : 0);
      tf.dispose([value, eager, given]);
    }
    session.close();
  });

  it("keeps a program's numbers that are as large", () => {
    const { session, x, y } = record([null, 3, 7], (t) => tf.reshape(t, [1, -1, 3]));
    const value = tf.ones([5, 3, 7]);
    expect(session.run(y, [[x, value]]).shape).toEqual([1, 35, 3]);
    session.close();
  });

  it('counts values of images exactly, and leaves large numbers of the program alone', () => {
    const { session, x, y } = record([null, 300, 300, 3], (t) =>
      tf.add(tf.slice(grad((u) => tf.mean(u))(t), [0, 0, 0, 0], [1, 1, 1, 2]), tf.tensor1d([0, 1e9])),
    );
    const value = tf.zeros([2, 300, 300, 3]);
    expect([...session.run(y, [[x, value]]).dataSync()]).toEqual([Math.fround(1 / 540000), 1e9]);
    const scaled = record([null, 3], (t) => tf.mul(tf.sum(t), 1e9));
    expect(scaled.session.run(scaled.y, [[scaled.x, tf.ones([1, 3])]]).dataSync()[0]).toBe(3e9);
    session.close();
    scaled.session.close();
  });

  it('sizes of images that only the run knows', () => {
    const { session, x, y } = record([null, null, null, 2], (t) => {
      const h = tf.conv2d(t as tf.Tensor4D, tf.ones([3, 3, 2, 4]), 2, 'valid');
      const [n = 0, height = 0, width = 0] = h.shape;
      const flat = tf.reshape(h, [n, height * width, 4]);
      return tf.concat([flat, tf.fill([n, height * width, 1], 0)], 2);
    });
    for (const [batch, height, width] of [
      [1, 9, 12],
      [3, 64, 33],
    ] as const) {
      const value = tf.ones([batch, height, width, 2]);
      const given = session.run(y, [[x, value]]);
      expect(given.shape).toEqual([batch, Math.floor((height - 1) / 2) * Math.floor((width - 1) / 2), 5]);
      expect([...given.dataSync().slice(0, 5)]).toEqual([18, 18, 18, 18, 0]);
    }
    session.close();
  });

  it('draws as many numbers as the batch has', () => {
    const { session, x, y } = record([null, 3], (t) => tf.add(t, normal([t.shape[0]!, 3], { seed: 3 })));
    for (const batch of [1, 5]) expect(session.run(y, [[x, tf.zeros([batch, 3])]]).shape).toEqual([batch, 3]);
    session.close();
  });

  it('a default with an unknown size', () => {
    const graph = new Graph();
    const [p, y] = graph.asDefault(() => {
      const p = placeholderWithDefault([[1, 2, 3]], [null, 3], 'p');
      return [p, tf.add(tf.fill([p.shape[0]!, 3], 1), p)] as const;
    });
    using session = new Session(graph, { engine });
    expect(session.run(y).shape).toEqual([1, 3]);
    expect(session.run(y, [[p, tf.ones([4, 3])]]).shape).toEqual([4, 3]);
  });

  it('is an error where two feeds that share an unknown size differ in it, and the op does not say whose it is', () => {
    const { session, x, z, y } = record([null, 3], (t) => tf.tile(tf.slice(t, [0, 0], [1, 3]), [rows(t), 1]));
    const feeds = (a: number, b: number) =>
      [
        [x, tf.ones([a, 3])],
        [z, tf.ones([b, 3])],
      ] as const;
    expect(session.run(y, feeds(4, 4)).shape).toEqual([4, 3]);
    expect(() => session.run(y, feeds(4, 6))).toThrow(/have different ones in this run/);
    session.close();
    // A reshape without a -1 can only mean its own input.
    const flat = record([null, 2], (t, u) => tf.concat([tf.reshape(t, [t.size]), tf.reshape(u, [u.size])]));
    expect(
      flat.session.run(flat.y, [
        [flat.x, tf.ones([4, 2])],
        [flat.z, tf.ones([6, 2])],
      ]).shape,
    ).toEqual([20]);
    flat.session.close();
  });

  it.each<[string, Compute]>([
    ['as many outputs as the batch', (x) => tf.stack(tf.unstack(x))],
    ['a known size where the unknown one stands', (x) => tf.add(x, tf.ones([2, 3]))],
    ['a reshape that fits one batch only', (x) => tf.reshape(x, [2, 6])],
    ['a list of sizes as values', (x) => tf.add(tf.sum(x), tf.tensor1d([rows(x), 3]))],
    ['a product that does not fit', (x) => tf.matMul(x as tf.Tensor2D, tf.ones<tf.Rank.R2>([4, 2]))],
    ['one over the size', (x) => tf.mul(tf.sum(x), 1 / rows(x))],
  ])('%s is an error that says so while the graph is built', (_, compute) => {
    try {
      record([null, 3], compute);
      expect.unreachable();
    } catch (error) {
      expect(isGraphError(error), String(error)).toBe(true);
    }
  });
});

describe('symbols of unknown sizes', () => {
  beforeAll(() => useBackend('cpu'));

  it('print None where a size is unknown', () => {
    const graph = new Graph();
    const y = graph.asDefault(() => tf.reshape(placeholder('float32', [null, 4], 'x'), [-1, 2, 2]));
    expect(String(y)).toBe('Tensor("Reshape:0", shape=(None, 2, 2), dtype=float32)');
  });

  it('are tried at the sizes that a placeholder says', () => {
    const graph = new Graph();
    const filter = tf.ones<tf.Rank.R4>([99, 99, 1, 1]);
    const conv = (sample?: number[]) => () => {
      const x = placeholder('float32', [null, null, null, 1], 'x', { sample });
      return tf.maxPool(tf.conv2d(x as tf.Tensor4D, filter, 1, 'valid'), 50, 1, 'valid').shape.length;
    };
    expect(() => graph.asDefault(conv())).toThrow(/option 'sample'/);
    expect(new Graph().asDefault(conv([1, 299, 299]))).toBe(4);
  });
});
