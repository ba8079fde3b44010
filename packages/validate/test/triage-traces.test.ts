// What triage must not call rounding: other shapes and dtypes, traces that nobody can run again, samples, drowned elements.
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { gamma, UNIT_ROUNDOFF } from '../src/rounding-bounds.js';
import { checkAgainstShadow } from '../src/shadow-run.js';
import type { Trace } from '../src/trace.js';
import { captureTrace, type TraceSide } from '../src/trace-capture.js';
import { parseTrace, serializeTrace } from '../src/trace-json.js';
import { traceOfArrays, traceOfSamples } from '../src/trace-recorded.js';
import { triage } from '../src/triage.js';
import { smallNet } from './traced-net.js';

const floats = (...data: number[]) => ({
  dtype: 'float32' as const,
  shape: [data.length],
  data: Float32Array.from(data),
});
const side = (run: TraceSide['run']): TraceSide => ({ run });

beforeAll(() => useBackend('cpu'));

describe('arrays of another kind', () => {
  it.each([
    ['a shape', () => tf.zeros([7]), 'shape (7,), in the reference (3,)'],
    ['a rank', () => tf.zeros([3, 1]), 'shape (3, 1), in the reference (3,)'],
    ['a dtype', () => tf.zeros([3], 'int32'), 'int32, in the reference float32'],
  ])('are different, against a recording: %s', async (_, run, words) => {
    const report = await triage({
      legacy: await traceOfArrays('r', { o: floats(0, 0, 0) }),
      migrated: side(() => ({ o: run() })),
    });
    expect(report.verdict).toBe('different');
    expect(report.warnings).toContain(`o is ${words}`);
  });

  it('are different between programs, too', async () => {
    const x = tf.keep(tf.tensor1d([1, 2, 3, 4]));
    const shaped = (...shape: number[]) => side(() => ({ out: tf.reshape(tf.relu(x), shape) }));
    const report = await triage({ legacy: shaped(4), migrated: shaped(2, 2) });
    expect(report.verdict).toBe('different');
    expect(report.culprits[0]!.op!.kernel).toBe('Reshape');
    const cast = await triage({
      legacy: side(() => ({ out: tf.mul(x, 1) })),
      migrated: side(() => ({ out: tf.cast(tf.mul(x, 1), 'int32') })),
    });
    expect(cast.verdict).toBe('different');
  });
});

describe('samples', () => {
  const values = Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i));
  const recorded = (stride: number) =>
    traceOfSamples('TensorFlow', {
      out: {
        shape: [3000],
        sha256: createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex'),
        stride,
        samples: Array.from({ length: Math.ceil(3000 / stride) }, (_, i) => values[i * stride]!),
        min: values.reduce((a, b) => Math.min(a, b)),
        max: values.reduce((a, b) => Math.max(a, b)),
        mean: values.reduce((a, b) => a + b) / 3000,
        l2: Math.hypot(...values),
      },
    });
  const program = (change: (value: number, i: number) => number) => {
    const x = tf.keep(tf.tensor1d(values.map(change)));
    return side(() => ({ out: tf.neg(tf.neg(x)) }));
  };

  it('do not hide what lies between them from the norm and the extremes', async () => {
    const large = await triage({ legacy: recorded(10), migrated: program((v, i) => (i % 10 === 5 ? v + 1000 : v)) });
    expect(large.verdict).toBe('different');
    const one = await triage({ legacy: recorded(10), migrated: program((v, i) => (i === 5 ? 2 : v)) });
    expect(one.verdict).toBe('different');
    expect(one.growth[0]!.maxAbsolute).toBeCloseTo(1, 3);
    const nan = await triage({ legacy: recorded(10), migrated: program((v, i) => (i === 5 ? Number.NaN : v)) });
    expect(nan.verdict).toBe('different');
  });

  it('are said to be samples, where the hash differs', async () => {
    const close = await triage({ legacy: recorded(10), migrated: program((v) => v * (1 + 2 ** -23)) });
    expect(close.verdict).toBe('rounding');
    expect(close.warnings.join()).toMatch(/out: of the reference every 10th value is known/);
    const same = await triage({ legacy: recorded(10), migrated: program((v) => v) });
    expect([same.verdict, same.warnings]).toEqual(['identical', []]);
  });
});

describe('traces that nobody runs again', () => {
  let right: Trace;
  let wrong: Trace;
  const x = () => tf.tensor1d(Array.from({ length: 64 }, (_, i) => Math.sin(i)));
  beforeAll(async () => {
    const kept = tf.keep(x());
    right = await captureTrace({ name: 'a', run: () => ({ out: tf.relu(kept) }) });
    const other = await captureTrace({ name: 'b', run: () => ({ out: tf.relu(tf.neg(kept)) }) });
    // The same op on the same input, which computed something else.
    wrong = {
      ...right,
      ops: right.ops.map((op) => ({ ...op, outputs: other.ops.at(-1)!.outputs })),
      endPoints: other.endPoints.map((p) => ({ ...p, op: 0 })),
    };
  });

  it('name the op whose inputs are the same and whose result is not', async () => {
    const report = await triage({ legacy: right, migrated: wrong });
    expect(report.verdict).toBe('different');
    expect(report.culprits[0]!.op!.name).toBe('Relu');
    expect(report.summary).toMatch(/the same kernel on the same inputs gives the same bits/);
  });

  it('go through JSON and back', async () => {
    const [a, b] = [right, wrong].map((trace) => parseTrace(JSON.parse(JSON.stringify(serializeTrace(trace)))));
    expect((await triage({ legacy: a!, migrated: b! })).verdict).toBe('different');
    expect((await triage({ legacy: a!, migrated: right })).verdict).toBe('identical');
    const lost = JSON.parse(JSON.stringify(right));
    await expect(triage({ legacy: lost, migrated: wrong })).rejects.toThrow(/lost its samples .* parseTrace/);
  });

  it('keep every figure of a net, NaN and infinities too', async () => {
    const net = smallNet({ training: true });
    const odd = tf.keep(tf.tensor1d([Number.NaN, Number.NEGATIVE_INFINITY, -0]));
    const trace = await captureTrace({ run: () => ({ ...net.call(), odd: tf.maximum(odd, -Infinity) }) });
    const back = parseTrace(JSON.parse(JSON.stringify(serializeTrace(trace))));
    expect(isDeepStrictEqual(serializeTrace(back), serializeTrace(parseTrace(serializeTrace(back))))).toBe(true);
    expect(back.ops.map(({ name }) => name)).toEqual(trace.ops.map(({ name }) => name));
    expect(back.endPoints.at(-1)!.value).toEqual(trace.endPoints.at(-1)!.value);
    expect((await triage({ legacy: back, migrated: trace })).verdict).toBe('identical');
  });

  it.each([
    [{ format: 'tfparity-trace', version: 2 }, /version 1/],
    [{ ops: 'x' }, /ops of the trace is not a list/],
    [{ endPoints: [{ name: 'o', op: 7, digest: {} }] }, /endPoints\[0\].op of the trace is not an op of the trace/],
    [{ ops: [{ ...({} as object), name: 1 }] }, /ops\[0\].name of the trace is not text/],
  ])('are refused where they are none: %j', (change, words) => {
    const plain = { ...JSON.parse(JSON.stringify(serializeTrace(right))), ...change };
    expect(() => parseTrace(plain)).toThrow(words);
  });
});

describe('what a norm drowns', () => {
  it('is still a variable that differs', async () => {
    const reads = (...values: number[]) => {
      const v = tf.variable(tf.tensor1d(values), false, undefined);
      return side(() => ({ out: tf.relu(v) }));
    };
    const report = await triage({ legacy: reads(1e6, 2e6, 3), migrated: reads(1e6, 2e6, 5) });
    expect(report.culprits[0]!.causes[0]).toMatchObject({ kind: 'variable' });
    expect(['suspicious', 'different']).toContain(report.verdict);
  });

  it('has a bound in the longest sums', () => {
    expect(gamma(2 ** 24 + 8)).toBeLessThan(0.01);
    expect(gamma(2 ** 24 + 8)).toBeGreaterThan(4096 * UNIT_ROUNDOFF);
  });
});

it.each([
  ['programs that return nothing', { run: () => ({}) }],
  ['a program and a recording of nothing', { run: () => ({ out: tf.relu(tf.tensor1d([1])) }) }],
])('does not call nothing identical: %s', async (_, migrated) => {
  await expect(triage({ legacy: await traceOfArrays('r', {}), migrated })).rejects.toThrow(/nothing can be compared/);
});

it('says which name it took for another', async () => {
  const x = tf.keep(tf.tensor1d([1]));
  const report = await triage({
    legacy: side(() => ({ a: { out: tf.relu(x) } })),
    migrated: side(() => ({ b: { out: tf.relu(x) } })),
  });
  expect(report.warnings).toEqual(['b/out is taken for a/out: no other name ends so']);
});

/** tfjs computes these to a few units of 1, not of a small result. */
const SMALL = [
  'log1p',
  'expm1',
  'tanh',
  'sin',
  'cos',
  'erf',
  'elu',
  'selu',
  'softplus',
  'exp',
  'log',
  'sqrt',
  'sigmoid',
  'rsqrt',
] as const;

describe.each(backends)('stock kernels on small and large numbers: %s', (backend) => {
  it('are no faults against double precision', async () => {
    await useBackend(backend);
    const x = tf.keep(tf.tensor1d([1e-7, 3e-5, 1e-3, 0.1, 0.7, 1, 3, 8]));
    const ops = { run: () => Object.fromEntries(SMALL.map((name) => [name, tf[name](x)])) };
    const checks = await checkAgainstShadow(ops, await captureTrace(ops));
    expect(checks.length).toBeGreaterThan(5);
    expect(checks.filter(({ isolated: { verdict } }) => verdict !== 'identical' && verdict !== 'rounding')).toEqual([]);
  });

  it('are no faults against the cpu backend', async () => {
    await useBackend(backend);
    const on = (name: string): TraceSide => {
      const x = tf.keep(tf.tensor1d([1e-7, 3e-5, 1e-3, 0.1, 0.7, 1, 3, 8]));
      return { backend: name, run: () => Object.fromEntries(SMALL.map((op) => [op, tf[op](x)])) };
    };
    const report = await triage({ legacy: on('cpu'), migrated: on(backend) });
    expect(report.culprits.map(({ op, causes }) => `${op?.name} ${causes[0]?.message}`)).toEqual([]);
  });
});
