import * as tf from '@tensorflow/tfjs-core';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { Module, tf1VariableStore, trackTf1StyleVariables, variableScope } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import * as layers from '../src/index.js';

interface Case {
  kind: string;
  args: Record<string, unknown>;
  input: number[];
  variables: { name: string; shape: number[]; trainable: boolean }[];
  output: { shape: number[]; values: number[] };
  after: Record<string, number[]>;
}

/** What golden/recipes/layers.py puts into inputs and variables. */
function fill(shape: number[], offset: number, positive = false): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, (_, i) => {
    const value = ((i * 37 + offset) % 101) / 50 - 1;
    return positive ? value * value + 0.5 : value;
  });
  return tf.tensor(values, shape);
}

const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const camelKeys = (args: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(args).map(([key, value]) => [camel(key), value]));

/** Sums of up to 54 products of numbers up to 4, in another order. */
const TOLERANCE = 2e-5;

const near = (actual: ArrayLike<number>, expected: number[]) =>
  expected.filter((value, i) => !(Math.abs((actual[i] as number) - value) <= TOLERANCE * (1 + Math.abs(value))));

const variablesOf = (owner: Owner) => [...(tf1VariableStore(owner)?.variables.values() ?? [])];

type LayerFunction = (x: tf.Tensor, args: Record<string, unknown>) => tf.Tensor;

class Owner extends Module {
  readonly call = trackTf1StyleVariables(function (this: Owner, body: () => tf.Tensor) {
    return variableScope('case', body);
  });
}

describeGolden('layers/layers.json', () => {
  const { cases } = goldenJson<{ cases: Case[] }>('layers/layers.json');
  describe.each(backends)('on %s', (backend) => {
    beforeAll(() => useBackend(backend));

    it.each(cases.map((c, i) => [`${i} ${c.kind} ${JSON.stringify(c.args)}`, c] as const))('%s', (_, c) => {
      const layer = (layers as unknown as Record<string, LayerFunction>)[camel(c.kind)] as LayerFunction;
      const owner = new Owner();
      const forward = () =>
        new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() =>
          owner.call(() => layer(fill(c.input, 0), camelKeys(c.args))),
        );
      forward();
      const made = variablesOf(owner);
      expect(made.map(({ name, shape, trainable }) => ({ name, shape, trainable }))).toEqual(c.variables);
      made.forEach((variable, k) => {
        variable.assign(fill(variable.shape, 11 * (k + 1), /variance|stddev/.test(variable.name)));
      });
      const y = forward();
      expect(variablesOf(owner).length).toBe(made.length);
      expect(y.shape).toEqual(c.output.shape);
      expect(near(y.dataSync(), c.output.values)).toEqual([]);
      for (const [name, values] of Object.entries(c.after)) {
        const variable = made.find((v) => v.name === name) as tf.Variable;
        expect(near(variable.dataSync(), values), name).toEqual([]);
      }
    });
  });
});
