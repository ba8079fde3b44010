import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeterministicRandomTestTool, dropout, normal, statelessDropout, uniform } from '../src/index.js';

const STATELESS = [4 / 3, 0, 4 / 3, 0, 4 / 3, 4 / 3, 0, 4 / 3];

describe.each(backends)('dropout on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const scoped = <T>(body: () => T) => new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(body);

  /** What nn_ops.py computes, number by number. */
  function expected(x: ArrayLike<number>, noise: ArrayLike<number>, rate: number): number[] {
    const scale = Math.fround(1 / (1 - rate));
    return Array.from(x, (value, i) => (noise[i]! >= Math.fround(rate) ? Math.fround(value * scale) : 0));
  }

  it.each([0.01, 0.15, 0.4, 1 / 3, 1 - 0.8, 0.97])('with rate %d keeps what the draw keeps, scaled once', (rate) => {
    const x = scoped(() => normal([40, 25]));
    const noise = scoped(() => uniform([40, 25])).dataSync();
    expect([...scoped(() => dropout(x, { rate })).dataSync()]).toEqual(expected(x.dataSync(), noise, rate));
  });

  // TensorFlow 2.21.0, in a graph under the tool (seed 42, num_random_ops): x = tf.random.normal([40, 25]),
  // a = tf.nn.dropout(x, rate=rate), b = tf.nn.dropout(x, rate=placeholder), tf.gradients(a or b, x, grad_ys=x): the
  // first 16 digits of the sha256 of a and of b; their gradients have the same bytes.
  it.each([
    [0.15, '999c53797310399e', '4faa71086449f74e'],
    [0.45, 'b2bb6ed5113c5493', 'ed5b3394093771e5'],
    [0.3, '7b1e10c4cb39fad7', '833b1d09a0bad545'],
  ] as const)('with rate %d has the bits of TensorFlow, forwards and backwards', (rate, byNumber, byTensor) => {
    const x = scoped(() => normal([40, 25]));
    const drop = (operationSeed: number, tensor: boolean) => (v: tf.Tensor) => {
      const tool = new DeterministicRandomTestTool({ mode: 'num_random_ops' });
      tool.operationSeed = operationSeed;
      return tool.scope(() => dropout(v, { rate: tensor ? tf.scalar(rate) : rate }));
    };
    for (const [f, wanted] of [
      [drop(1, false), byNumber],
      [drop(2, true), byTensor],
    ] as const) {
      for (const result of [f(x), tf.grad(f)(x, x)]) {
        const { buffer, byteOffset, byteLength } = result.dataSync();
        expect(
          createHash('sha256')
            .update(new Uint8Array(buffer, byteOffset, byteLength))
            .digest('hex')
            .slice(0, 16),
        ).toBe(wanted);
      }
    }
  });

  it('divides by a rate that is a tensor, as a TF1 placeholder is, and never steps around the draw', () => {
    const x = scoped(() => normal([40, 25]));
    const noise = scoped(() => uniform([40, 25])).dataSync();
    for (const rate of [0.15, 0.45, 0]) {
      const keep = Math.fround(1 - Math.fround(rate));
      const wanted = (of: ArrayLike<number>) =>
        Array.from(of, (v, i) => (noise[i]! >= Math.fround(rate) ? Math.fround(v / keep) : 0));
      const drop = (v: tf.Tensor) => scoped(() => dropout(v, { rate: tf.scalar(rate) }));
      expect([...drop(x).dataSync()]).toEqual(wanted(x.dataSync()));
      expect([...tf.grad(drop)(x, x).dataSync()]).toEqual(wanted(x.dataSync()));
    }
  });

  it('drops infinities and NaN, and keeps them', () => {
    const x = tf.tensor([Number.NaN, Number.POSITIVE_INFINITY, -1, -0, 5, Number.NaN, Number.NEGATIVE_INFINITY, 2]);
    const noise = scoped(() => uniform([8])).dataSync();
    expect([...scoped(() => dropout(x, { rate: 0.5 })).dataSync()]).toEqual(expected(x.dataSync(), noise, 0.5));
  });

  it('broadcasts the mask of noiseShape; null is the length of x', () => {
    const x = tf.ones([3, 4, 2]);
    const noise = scoped(() => uniform([3, 1, 2])).dataSync();
    const wanted = Array.from({ length: 24 }, (_, i) => (noise[Math.floor(i / 8) * 2 + (i % 2)]! >= 0.5 ? 2 : 0));
    for (const noiseShape of [
      [3, 1, 2],
      [null, 1, null],
    ]) {
      expect([...scoped(() => dropout(x, { rate: 0.5, noiseShape })).dataSync()]).toEqual(wanted);
    }
    expect([...scoped(() => dropout(x, { rate: 0.5, noiseShape: [1, 2] })).shape]).toEqual([3, 4, 2]);
    expect(() => dropout(x, { rate: 0.5, noiseShape: [null] })).toThrow(/noiseShape\[0\] is null/);
  });

  it('has the gradient of TensorFlow: the same mask, scaled after it, 0 where dropped', () => {
    const x = scoped(() => normal([50]));
    const dy = scoped(() => {
      uniform([1]);
      return normal([50]);
    });
    const noise = scoped(() => uniform([50])).dataSync();
    const gradient = scoped(() => tf.grad((v: tf.Tensor) => dropout(v, { rate: 0.3 }))(x, dy)).dataSync();
    expect([...gradient]).toEqual(expected(dy.dataSync(), noise, 0.3));
    const infinite = scoped(() =>
      tf.grad((v: tf.Tensor) => dropout(v, { rate: 0.3 }))(x, tf.fill([50], Number.NEGATIVE_INFINITY)),
    );
    expect([...infinite.dataSync()]).toEqual(expected(new Float32Array(50).fill(Number.NEGATIVE_INFINITY), noise, 0.3));
  });

  it('can be differentiated twice', () => {
    const f = (v: tf.Tensor) => scoped(() => dropout(tf.square(v), { rate: 0.5 }));
    const second = tf.grad((v: tf.Tensor) => tf.grad(f)(v))(tf.ones([8]));
    const noise = scoped(() => uniform([8])).dataSync();
    expect([...second.dataSync()]).toEqual(Array.from(noise, (u) => (u >= 0.5 ? 4 : 0)));
  });

  it('with rate 0 gives x, in its own tensor', () => {
    const x = tf.tensor([1, -0, 3]);
    const y = dropout(x, { rate: 0 });
    expect(y).not.toBe(x);
    expect([...y.dataSync()]).toEqual([1, -0, 3]);
  });

  it('refuses what TensorFlow refuses, in its words', () => {
    const x = tf.ones([2]);
    for (const rate of [1, -0.1, Number.NaN]) {
      expect(() => dropout(x, { rate })).toThrow(
        `\`rate\` must be a scalar tensor or a float in the range [0, 1). Received: rate=${rate}`,
      );
    }
    expect(() => dropout(tf.ones([2], 'int32'), { rate: 0.5 })).toThrow(
      '`x.dtype` must be a floating point tensor as `x` will be scaled. Received: x_dtype=int32',
    );
  });

  // tf.nn.experimental.stateless_dropout(tf.ones([2, 4]), rate=0.25, seed=[7, -3]), TensorFlow 2.21.0
  it('draws statelessly what TensorFlow draws', () => {
    const drawn = () => [...statelessDropout(tf.ones([2, 4]), { rate: 0.25, seed: [7, -3] }).dataSync()];
    expect(drawn()).toEqual(STATELESS.map(Math.fround));
    expect(drawn()).toEqual(drawn());
  });
});
