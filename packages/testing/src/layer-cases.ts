import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { backends, useBackend } from './backends.js';
import { describeGolden, goldenJson } from './golden.js';

/** One call of one layer, as golden/recipes/layers.py recorded it. */
export interface LayerCase {
  /** The function, by TensorFlow's name. */
  readonly kind: string;
  /** Arguments without a name, where the recipe calls with some. */
  readonly positional?: readonly unknown[];
  /** Arguments by TensorFlow's names. */
  readonly args: Readonly<Record<string, unknown>>;
  /** The shape of the input. */
  readonly input: readonly number[];
  readonly variables: readonly { readonly name: string; readonly shape: number[]; readonly trainable: boolean }[];
  readonly output: { readonly shape: number[]; readonly values: number[] };
  /** The variables that the call moved. */
  readonly after: Readonly<Record<string, number[]>>;
}

/** A case's layer in a model of its own. */
export interface LayerUnderTest {
  call(x: tf.Tensor): tf.Tensor;
  /** In order of creation. */
  variables(): tf.Variable[];
}

/** TensorFlow's name as ours: `conv2d_transpose` is `conv2dTranspose`. */
export const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What the recipe puts into inputs and variables. */
function fill(shape: readonly number[], offset: number, positive = false): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, (_, i) => {
    const value = ((i * 37 + offset) % 101) / 50 - 1;
    return positive ? value * value + 0.5 : value;
  });
  return tf.tensor(values, [...shape]);
}

/** Sums of up to 54 products of numbers up to 4, in another order. */
const TOLERANCE = 2e-5;

const farFrom = (actual: ArrayLike<number>, expected: readonly number[]) =>
  expected.filter((value, i) => !(Math.abs((actual[i] as number) - value) <= TOLERANCE * (1 + Math.abs(value))));

/** Holds layers to every case of a golden file on every backend: variables, output, and what the call moved. */
export function describeLayerCases(file: string, layerOf: (layerCase: LayerCase) => LayerUnderTest): void {
  describeGolden(file, () => {
    const { cases } = goldenJson<{ cases: LayerCase[] }>(file);
    const titled = cases.map(
      (c, i) => [`${i} ${c.kind} ${JSON.stringify([...(c.positional ?? []), c.args])}`, c] as const,
    );
    describe.each(backends)('on %s', (backend) => {
      beforeAll(() => useBackend(backend));

      it.each(titled)('%s', (_, c) => {
        const layer = layerOf(c);
        layer.call(fill(c.input, 0));
        const made = layer.variables();
        expect(made.map(({ name, shape, trainable }) => ({ name, shape, trainable }))).toEqual(c.variables);
        made.forEach((variable, k) => {
          variable.assign(fill(variable.shape, 11 * (k + 1), /variance|stddev/.test(variable.name)));
        });
        const y = layer.call(fill(c.input, 0));
        expect(layer.variables().length).toBe(made.length);
        expect(y.shape).toEqual(c.output.shape);
        expect(farFrom(y.dataSync(), c.output.values)).toEqual([]);
        for (const [name, values] of Object.entries(c.after)) {
          const variable = made.find((v) => v.name === name) as tf.Variable;
          expect(farFrom(variable.dataSync(), values), name).toEqual([]);
        }
      });
    });
  });
}
