import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { setSeed, uniform } from '@tfparity/random';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { Graph, placeholder, Session } from '../src/index.js';

type Outputs = tf.Tensor | tf.Tensor[] | Record<string, tf.Tensor>;
interface Inputs {
  readonly m: tf.Tensor2D;
  readonly v: tf.Tensor1D;
  readonly image: tf.Tensor4D;
  readonly ids: tf.Tensor1D;
}

/** Calls of TensorFlow.js whose kernels take arrays, give several outputs, or need values, sizes and dtypes of all kinds. */
const programs: Record<string, (inputs: Inputs) => Outputs> = {
  stack: ({ m, v }) => tf.stack([v, tf.mul(v, 2), tf.sum(m, 0)]),
  unstack: ({ m }) => tf.unstack(m, 1),
  'split by sizes': ({ m }) => tf.split(m, [1, 3], 1),
  addN: ({ m }) => tf.addN([m, m, tf.relu(m)]),
  topk: ({ m }) => Object.values(tf.topk(m, 2)),
  einsum: ({ m }) => tf.einsum('ij,kj->ik', m, m),
  'strided slice': ({ m }) => tf.stridedSlice(m, [0, 3], [4, 0], [2, -1]),
  'gather and one-hot': ({ m, ids }) => [
    tf.gather(m, ids),
    tf.oneHot(ids, 5),
    tf.oneHot(tf.tensor1d([0, 2], 'int32'), 4),
  ],
  'casts and comparisons': ({ m, ids }) => [
    tf.cast(tf.greater(m, 0.5), 'int32'),
    tf.cast(ids, 'float32'),
    tf.where(tf.less(m, 0.2), m, tf.zerosLike(m)),
    tf.logicalAnd(tf.greater(m, 0.1), tf.less(m, 0.9)),
  ],
  'integers and pow': ({ ids }) => [
    tf.add(ids, tf.scalar(3, 'int32')),
    tf.floorDiv(ids, tf.scalar(2, 'int32')),
    tf.pow(ids, 2),
  ],
  'pads and tiles': ({ m, image }) => [
    tf.pad(m, [
      [1, 0],
      [0, 2],
    ]),
    tf.tile(m, [2, 1]),
    tf.mirrorPad(
      image,
      [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ],
      'reflect',
    ),
  ],
  resize: ({ image }) => [
    tf.image.resizeBilinear(image, [5, 7]),
    tf.image.resizeNearestNeighbor(image, [3, 3], false, true),
  ],
  cumsum: ({ m }) => [tf.cumsum(m, 1, true, true), tf.reverse(m, 0), tf.argMax(m, 1), tf.transpose(m)],
  'fused convolution': ({ image }) =>
    tf.fused.conv2d({
      x: image,
      filter: tf.ones([3, 3, 3, 2]),
      strides: 1,
      pad: 'same',
      bias: tf.ones([2]),
      activation: 'relu',
    }),
  'fused product': ({ m }) =>
    tf.fused.matMul({ a: m, b: m, transposeB: true, bias: tf.ones([4]), activation: 'relu6' }),
  'depthwise and separable': ({ image }) => [
    tf.depthwiseConv2d(image, tf.ones([2, 2, 3, 2]), 1, 'valid'),
    tf.separableConv2d(image, tf.ones([2, 2, 3, 1]), tf.ones([1, 1, 3, 4]), 2, 'same'),
  ],
  'transposed convolution': ({ image }) => tf.conv2dTranspose(image, tf.ones([3, 3, 2, 3]), [2, 12, 12, 2], 2, 'same'),
  'reductions and norms': ({ m }) => [
    tf.norm(m),
    tf.logSumExp(m, 1),
    tf.prod(m, 0),
    tf.any(tf.greater(m, 0.5), 1),
    tf.moments(m, 1).variance,
  ],
  'losses and softmax': ({ m }) => [
    tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d([0, 1, 2, 3], 'int32'), 4), m),
    tf.losses.huberLoss(m, tf.zerosLike(m)),
    tf.logSoftmax(m),
  ],
  'prelu, leaky relu, elu, selu, erf': ({ m }) => [
    tf.prelu(tf.sub(m, 0.5), tf.scalar(0.1)),
    tf.leakyRelu(tf.sub(m, 0.5)),
    tf.selu(tf.sub(m, 0.5)),
    tf.erf(m),
  ],
  'segments and scatter': ({ m, ids }) => [
    tf.unsortedSegmentSum(m, ids, 3),
    tf.scatterND(tf.tensor2d([[1], [3]], [2, 1], 'int32'), tf.slice(m, [0, 0], [2, 4]), [5, 4]),
  ],
  'clones and reshapes': ({ m }) => tf.mean(tf.square(tf.reshape(m.clone(), [2, 8])), 1),
  gradients: ({ m }) => tf.grad((x) => tf.sum(tf.mul(tf.sigmoid(tf.matMul(x as tf.Tensor2D, m)), tf.softmax(x))))(m),
  'gradients of gradients': ({ v }) => tf.grad((x) => tf.sum(tf.grad((y) => tf.sum(tf.pow(y, 3)))(x)))(v),
  'a custom gradient': ({ v }) =>
    tf.grad((x) =>
      tf.sum(
        tf.customGrad((y, save) => {
          (save as tf.GradSaveFunc)([y as tf.Tensor]);
          return { value: tf.square(y as tf.Tensor), gradFunc: (dy, saved) => [tf.mul(dy, tf.abs(saved[0]!))] };
        })(x),
      ),
    )(v),
};

/** tfjs's wasm backend lacks kernels that its others have; where eager code cannot run, a graph cannot either. */
function unsupported(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    const message = (error as Error).message;
    if (/not registered for backend|not yet implemented|not supported/i.test(message)) return message;
    throw error;
  }
  return undefined;
}

const flat = (outputs: Outputs): tf.Tensor[] => (outputs instanceof tf.Tensor ? [outputs] : Object.values(outputs));
const described = (tensor: tf.Tensor) => ({ dtype: tensor.dtype, shape: tensor.shape, values: tensor.dataSync() });

describe.each(backends)('programs recorded for %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it.each(Object.keys(programs))('%s', (name) => {
    const program = programs[name]!;
    setSeed(null);
    const given: Inputs = {
      m: uniform([4, 4], { seed: 1 }) as tf.Tensor2D,
      v: uniform([4], { seed: 2 }) as tf.Tensor1D,
      image: uniform([2, 6, 6, 3], { seed: 3 }) as tf.Tensor4D,
      ids: tf.tensor1d([2, 0, 1, 2], 'int32'),
    };
    const graph = new Graph();
    const record = () =>
      graph.asDefault(() => {
        const inputs = Object.entries(given).map(([key, t]) => [key, placeholder(t.dtype, t.shape, key)] as const);
        return flat(program(Object.fromEntries(inputs) as unknown as Inputs));
      });
    const missing = unsupported(() => tf.tidy(() => void program(given)));
    if (missing !== undefined) {
      expect(backend).toBe('wasm');
      expect(record).toThrow(/not registered for backend|not yet implemented|not supported/i);
      return;
    }
    const recorded = record();
    using session = new Session(graph);
    const got = session.run(recorded, Object.fromEntries(Object.entries(given).map(([key, t]) => [`${key}:0`, t])));
    const wanted = flat(program(given));
    expect(got.map(described)).toEqual(wanted.map(described));
    expect(recorded.map((t) => [t.dtype, t.shape])).toEqual(wanted.map((t) => [t.dtype, t.shape]));
  });
});
