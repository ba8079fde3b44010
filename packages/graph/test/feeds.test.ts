import * as tf from '@tensorflow/tfjs-core';
import { type NdArray, ndArray } from '@tfparity/array';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { importGraphDef } from '../src/import/frozen-graph.js';
import { Graph, identity, isGraphError, placeholder, Session, TensorFlowSession } from '../src/index.js';
import type { FeedValue } from '../src/native/feed-value.js';
import { attr, placeholder as fedNode, graphBytes, node } from './graph-def-builder.js';

const refused: [string, 'float32' | 'int32' | 'bool', unknown, RegExp][] = [
  ['1.7 to int32', 'int32', [1.7], /is int32, but 1.7 was fed/],
  ['2^31 to int32', 'int32', [2 ** 31], /cannot hold 2147483648/],
  ['NaN to int32', 'int32', [Number.NaN], /is int32, but NaN was fed/],
  ['null to float32', 'float32', [null], /is float32, but null was fed/],
  ['a string among numbers', 'float32', [1, 'a'], /strings were fed \('a'\)/],
  ['undefined to float32', 'float32', [1, undefined], /is float32, but undefined was fed/],
  ['1e300 to float32', 'float32', [1e300], /cannot hold 1e\+300/],
  ['2 to bool', 'bool', [2], /is bool, which cannot hold 2/],
  ['int32 16777217 to float32', 'float32', ndArray('int32', [1], Int32Array.of(2 ** 24 + 1)), /cannot hold 16777217/],
  ['int64 2^33 to int32', 'int32', ndArray('int64', [1], BigInt64Array.of(2n ** 33n)), /cannot hold 8589934592/],
  ['a ragged list', 'float32', [[1], [1, 2]], /ragged/],
];

const taken: [string, 'float32' | 'int32' | 'bool', unknown, number[]][] = [
  ['float64', 'float32', ndArray('float64', [1], Float64Array.of(0.1)), [Math.fround(0.1)]],
  ['float16', 'float32', ndArray('float16', [1], Uint16Array.of(0x3c00)), [1]],
  ['int64', 'int32', ndArray('int64', [1], BigInt64Array.of(-7n)), [-7]],
  ['a typed array', 'float32', Float64Array.of(0.5, 2), [0.5, 2]],
  ['typed arrays in a list', 'int32', [Int32Array.of(1, 2), Int32Array.of(3, 4)], [1, 2, 3, 4]],
  ['booleans', 'int32', [true, false], [1, 0]],
  ['0 and 1 to bool', 'bool', [0, 1], [0, 1]],
  ['NaN and infinities', 'float32', [Number.NaN, -Infinity], [Number.NaN, -Infinity]],
  ['a scalar', 'float32', 0.1, [Math.fround(0.1)]],
];

describe.each(backends)('feeds of a session on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  const feed = (dtype: 'float32' | 'int32' | 'bool', value: unknown): number[] => {
    const given = value as NdArray;
    const nested = (part: unknown): number[] =>
      Array.isArray(part) || ArrayBuffer.isView(part)
        ? [(part as unknown[]).length, ...nested((part as unknown[])[0])]
        : [];
    const shape = given?.dtype === undefined ? nested(value) : given.shape;
    const graph = new Graph();
    const { x, y } = graph.asDefault(() => {
      const input = placeholder(dtype, shape, 'x');
      return { x: input, y: identity(input) };
    });
    using session = new Session(graph);
    const before = tf.memory().numTensors;
    const fetched = session.run(y, [[x, given]]);
    const values = [...fetched.dataSync()];
    fetched.dispose();
    expect(tf.memory().numTensors).toBe(before);
    return values;
  };

  it.each(refused)('%s is refused', (_, dtype, value, words) => {
    const before = tf.memory().numTensors;
    expect(() => feed(dtype, value)).toThrow(words);
    try {
      feed(dtype, value);
    } catch (error) {
      expect(isGraphError(error) && error.code).toBe('WrongValue');
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(taken)('%s is taken', (_, dtype, value, expected) => {
    expect(feed(dtype, value)).toEqual(expected);
  });

  it('a tensor of another dtype is converted only where no value changes', () => {
    const tensor = tf.tensor1d([16777217], 'int32');
    expect(() => feed('float32', tensor)).toThrow('cannot hold');
    tensor.dispose();
  });
});

const native = backends.includes('tensorflow') ? describe : describe.skip;

native('feeds of a TensorFlow session', () => {
  beforeAll(() => useBackend('tensorflow'));

  const feed = (dtype: 'int64' | 'uint64' | 'string' | 'float16' | 'float32' | 'bool' | 'int32', value: unknown) => {
    const nodes = [fedNode('x', dtype), node('y', 'Identity', ['x'], { T: attr.type(dtype) })];
    using session = new TensorFlowSession(importGraphDef(graphBytes(nodes)));
    return session.runArrays('y:0', { x: value as FeedValue });
  };

  it.each(refused)('%s is refused', (_, dtype, value, words) => {
    expect(() => feed(dtype, value)).toThrow(words);
  });

  it.each([
    ['2^63 to int64', 'int64', [2n ** 63n], /is int64, which cannot hold 9223372036854775808/],
    ['-1 to uint64', 'uint64', [-1], /is uint64, which cannot hold -1/],
    ['1.5 to int64', 'int64', [1.5], /is int64, but 1.5 was fed/],
    ['a number among strings', 'string', ['a', 1], /is string, but 1 was fed/],
    ['1e6 to float16', 'float16', [1e6], /is float16, which cannot hold 1000000/],
  ] as const)('%s is refused', (_, dtype, value, words) => {
    expect(() => feed(dtype, value)).toThrow(words);
    try {
      feed(dtype, value);
    } catch (error) {
      expect(isGraphError(error) && error.code).toBe('WrongValue');
    }
  });

  it('plain numbers become half floats', () => {
    expect(feed('float16', [1, 0.1, -Infinity]).data).toEqual(Uint16Array.of(0x3c00, 0x2e66, 0xfc00));
  });
});
