import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { fill, fillValue } from '../src/index.js';

const weights = { name: 'net/conv/weights', shape: [3, 3, 64, 32], dtype: 'float32' };
const byName = { mode: 'byName' } as const;
const numbers = (variable: typeof weights, options: Parameters<typeof fillValue>[1], place = 0) =>
  Array.from(fillValue(variable, options, place).data as Float32Array);

describe('fill', () => {
  beforeAll(() => useBackend('cpu'));

  it('resets to the constant of the guide, or another', () => {
    expect(numbers({ ...weights, shape: [2] }, { mode: 'constant' })).toEqual([Math.fround(0.001), Math.fround(0.001)]);
    expect(numbers({ ...weights, shape: [] }, { mode: 'constant', value: -2 })).toEqual([-2]);
  });

  it('gives a variable the same values whatever stands before it, with or without :0', () => {
    expect(numbers(weights, byName, 0)).toEqual(numbers({ ...weights, name: 'net/conv/weights:0' }, byName, 5));
  });

  it('gives other values to another name, shape or seed', () => {
    const values = numbers(weights, byName);
    expect(numbers({ ...weights, name: 'net/conv_1/weights' }, byName)).not.toEqual(values);
    expect(numbers({ ...weights, shape: [3, 3, 32, 64] }, byName)).not.toEqual(values);
    expect(numbers(weights, { mode: 'byName', seed: 7 })).not.toEqual(values);
    expect(new Set(values).size).toBeGreaterThan(18_000);
  });

  it('goes by the name that both sides share', () => {
    const nameOf = (name: string) => name.replace('model/', '');
    expect(numbers({ ...weights, name: 'model/net/conv/weights' }, { ...byName, nameOf })).toEqual(
      numbers(weights, byName),
    );
  });

  it('goes by place in mode random', () => {
    expect(numbers(weights, { mode: 'random' }, 1)).toEqual(
      numbers({ ...weights, name: 'other' }, { mode: 'random' }, 1).map((v) => v),
    );
    expect(numbers(weights, { mode: 'random' }, 2)).not.toEqual(numbers(weights, { mode: 'random' }, 1));
  });

  it('keeps activations in range: weights of variance 2 / fan-in, scales and variances about 1, offsets small', () => {
    const values = numbers(weights, byName);
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(variance * 3 * 3 * 64).toBeCloseTo(2, 1);
    const depthwise = numbers({ name: 'a/depthwise_weights', shape: [3, 3, 64, 2], dtype: 'float32' }, byName);
    expect(depthwise.reduce((sum, value) => sum + value * value, 0) / depthwise.length).toBeCloseTo(2 / 9, 1);
    const vector = (name: string) => numbers({ name, shape: [1000], dtype: 'float32' }, byName);
    for (const name of ['bn/gamma', 'bn/moving_variance']) {
      expect(Math.min(...vector(name))).toBeGreaterThanOrEqual(0.5);
      expect(Math.max(...vector(name))).toBeLessThanOrEqual(1.5);
    }
    for (const name of ['bn/beta', 'bn/moving_mean', 'conv/biases']) {
      expect(Math.max(...vector(name).map(Math.abs))).toBeLessThanOrEqual(Math.fround(0.1));
      expect(vector(name)).not.toContain(0);
    }
  });

  it('fills whole numbers, bools and 64 bits, and refuses strings', () => {
    const of = (dtype: string) => fillValue({ name: 'step', shape: [50], dtype }, byName);
    expect([...(of('int32').data as Int32Array)].every((value) => value >= 0 && value < 10)).toBe(true);
    expect(new Set(of('bool').data as Uint8Array)).toEqual(new Set([0, 1]));
    expect(of('int64').data).toBeInstanceOf(BigInt64Array);
    expect(() => of('string')).toThrow(/step: variables of dtype string can't be filled/);
    expect(() => fillValue(weights, { mode: 'zeros' as never })).toThrow(/there is no fill 'zeros'/);
  });

  it('assigns to tfjs variables, or hands the values over, and frees what it made', () => {
    const variables = [tf.variable(tf.zeros([2, 2]), true, 'fill/a'), tf.variable(tf.zeros([3]), false, 'fill/bias')];
    const before = tf.memory().numTensors;
    fill(variables, byName);
    expect(tf.memory().numTensors).toBe(before);
    expect([...variables[0]!.dataSync()]).toEqual(numbers({ name: 'fill/a', shape: [2, 2], dtype: 'float32' }, byName));
    const handed: string[] = [];
    fill(variables, { ...byName, assign: ({ name }, { shape }) => handed.push(`${name} ${shape}`) });
    expect(handed).toEqual(['fill/a 2,2', 'fill/bias 3']);
    tf.dispose(variables);
  });

  it('takes empty and scalar variables', () => {
    expect(fillValue({ name: 'w', shape: [0, 3], dtype: 'float32' }, byName).data).toHaveLength(0);
    expect(fillValue({ name: 'w', shape: [], dtype: 'float32' }, byName).data).toHaveLength(1);
  });
});
