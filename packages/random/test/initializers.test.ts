import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeterministicRandomTestTool, type Initializer, initializers } from '../src/index.js';

interface Recorded {
  dtype: string;
  shape: number[];
  sha256: string;
  head: number[];
}

interface InitializerCase {
  initializer: string;
  args: Record<string, number | string | boolean>;
  shape: number[];
  seed: number;
  operation_seed: number;
  value: Recorded;
}

/** Python's name of an initializer, as the golden has it, to ours. */
function make({ initializer, args }: Pick<InitializerCase, 'initializer' | 'args'>): Initializer {
  const [house, name = ''] = initializer.split('.');
  if (name === 'variance_scaling') {
    return house === 'slim' ? initializers.slimVarianceScaling(args) : initializers.varianceScaling(args);
  }
  if (name === 'xavier_normal') return initializers.xavier(args);
  const camel = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return (initializers as unknown as Record<string, (options: object) => Initializer>)[camel]!(args);
}

const sha256 = (values: ArrayBufferView) =>
  createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');

/** Holds the shorter of a matrix's rows (all but the last axis) and columns to be orthogonal, each of length `gain`. */
function expectOrthogonal(values: ArrayLike<number>, shape: readonly number[], gain: number): void {
  const columns = shape.at(-1)!;
  const rows = values.length / columns;
  const wide = columns > rows;
  const [vectors, length] = wide ? [rows, columns] : [columns, rows];
  const at = (vector: number, i: number) => values[wide ? vector * columns + i : i * columns + vector]!;
  for (let a = 0; a < vectors; a++) {
    for (let b = 0; b <= a; b++) {
      let dot = 0;
      for (let i = 0; i < length; i++) dot += at(a, i) * at(b, i);
      expect(Math.abs(dot - (a === b ? gain * gain : 0))).toBeLessThan(1e-6 * (1 + gain * gain));
    }
  }
}

describe.each(backends)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  describeGolden('initializers.json', () => {
    const { initializers: cases } = goldenJson<{ initializers: InitializerCase[] }>('initializers.json');

    it.each(cases.map((c) => [`${c.initializer} [${c.shape}]`, c] as const))('%s', (_, c) => {
      const tool = new DeterministicRandomTestTool({ seed: c.seed, mode: 'num_random_ops' });
      const value = tool.scope(() => {
        tool.operationSeed = c.operation_seed;
        return make(c)(c.shape);
      });
      expect(value.shape).toEqual(c.value.shape);
      expect(value.dtype).toBe(c.value.dtype);
      const values = value.dataSync();
      if (c.initializer === 'v1.orthogonal') {
        c.value.head.forEach((expected, i) => {
          expect(Math.abs(values[i]! - expected)).toBeLessThan(1e-6);
        });
        expectOrthogonal(values, value.shape, Number(c.args['gain'] ?? 1));
      } else {
        expect(sha256(values)).toBe(c.value.sha256);
      }
      expect(tool.operationSeed).toBe(c.operation_seed + 1);
    });
  });
});
