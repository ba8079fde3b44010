// The gradients of convolutions that tfjs-backend-wasm lacks, against tfjs-backend-cpu's, which sum in double precision.
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@tfparity/testing';
import { describe, expect, it } from 'vitest';
import { variableGrads } from '../src/index.js';
import { valuesOf } from './golden-optimizer.js';

type Pad = 'same' | 'valid' | tf.backend_util.ExplicitPadding;
type Shape = [number, number, number, number];

const CASES: [name: string, image: Shape, filter: Shape, strides: [number, number], pad: Pad, depthwise: boolean][] = [
  ['same', [2, 6, 5, 3], [3, 3, 3, 4], [1, 1], 'same', false],
  ['valid', [2, 6, 5, 3], [3, 2, 3, 4], [1, 1], 'valid', false],
  ['one tap', [2, 4, 4, 5], [1, 1, 5, 3], [1, 1], 'valid', false],
  ['strides that leave a row and a column over', [2, 8, 9, 3], [3, 3, 3, 4], [2, 3], 'valid', false],
  ['strides, padded on one side alone', [2, 6, 7, 3], [3, 2, 3, 4], [2, 2], 'same', false],
  ['strides beyond the filter', [1, 9, 9, 2], [1, 2, 2, 3], [3, 3], 'same', false],
  [
    'explicit padding',
    [1, 5, 5, 2],
    [3, 3, 2, 3],
    [2, 2],
    [
      [0, 0],
      [2, 1],
      [0, 2],
      [0, 0],
    ],
    false,
  ],
  ['depthwise', [2, 5, 6, 3], [3, 2, 3, 2], [1, 1], 'same', true],
  ['depthwise with strides', [2, 7, 8, 3], [3, 3, 3, 1], [2, 2], 'valid', true],
];

function gradients([, image, filter, strides, pad, depthwise]: (typeof CASES)[number]): ArrayLike<number>[] {
  const x = tf.variable(tf.randomNormal(image, 0, 1, 'float32', 1) as tf.Tensor4D);
  const w = tf.variable(tf.randomNormal(filter, 0, 1, 'float32', 2) as tf.Tensor4D);
  const y = () =>
    depthwise
      ? tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad as 'same')
      : tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad);
  const { shape } = y();
  const dy = tf.randomNormal(shape, 0, 1, 'float32', 3);
  const { gradients: found } = variableGrads(() => tf.sum(tf.mul(y(), dy)) as tf.Scalar, [x, w]);
  return found.map(([gradient]) => valuesOf(gradient as tf.Tensor));
}

describe('on wasm', () => {
  it.each(CASES)('%s', async (...c) => {
    await useBackend('cpu');
    const expected = gradients(c);
    await useBackend('wasm');
    const before = tf.memory().numTensors;
    const found = tf.tidy(() => {
      const values = gradients(c).map((array) => Array.from(array));
      tf.disposeVariables();
      return values;
    });
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
    for (const [i, gradient] of expected.entries()) {
      expect(found[i]).toHaveLength(gradient.length);
      const largest = Math.max(...Array.from(gradient, Math.abs));
      // At most 90 products, each sum rounded as often.
      const apart = Math.max(...found[i]!.map((value, at) => Math.abs(value - gradient[at]!)));
      expect(apart).toBeLessThan(90 * 2 ** -24 * largest);
    }
  });
});
