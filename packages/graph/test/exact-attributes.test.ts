import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { exactKey } from '../src/exact-key.js';
import { Graph, placeholder, Session } from '../src/index.js';

const native = backends.includes('tensorflow') ? describe : describe.skip;

native.each(['replay', 'tensorflow'] as const)(
  'ops that differ in one number that JSON has not (engine %s)',
  (engine) => {
    beforeAll(() => useBackend('tensorflow'));

    it('keep their own numbers', () => {
      const graph = new Graph();
      const x = graph.asDefault(() => placeholder('float32', [2], 'x'));
      const numbers = [Infinity, -Infinity, Number.NaN, 0, -0];
      const filled = graph.asDefault(() => numbers.map((value) => tf.fill([1], value)));
      const padded = graph.asDefault(() => numbers.map((value) => tf.pad(x, [[1, 0]], value)));
      using session = new Session(graph, { engine });
      const results = session.run([...filled, ...padded], [[x, [1, 2]]]) as tf.Tensor[];
      results.forEach((result, i) => {
        expect(result.dataSync()[0]).toBe(numbers[i % numbers.length]);
        result.dispose();
      });
    });
  },
);

describe('exact keys', () => {
  it('tell apart what JSON does not', () => {
    const values = [null, 0, -0, Number.NaN, Infinity, -Infinity, 1n, 1, [0], [-0], Float32Array.of(-0, 1), [0, 1]];
    const keys = values.map(exactKey);
    expect(new Set(keys).size).toBe(values.length);
    expect(exactKey(Float32Array.of(0, 1))).toBe(exactKey([0, 1]));
  });
});
