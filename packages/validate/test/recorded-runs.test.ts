// What a recording covers, and what of the migrated side is held against it.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { writeCheckpoint } from '@tfparity/checkpoint';
import { backends, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  FAULTS,
  GoldenBundle,
  type ModelFunction,
  proveSensitivity,
  type RecordedRun,
  type ValidationReport,
  validateMigration,
} from '../src/index.js';

const f32 = (shape: number[], ...values: number[]): NdArray => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
});
const kernel = f32([2, 2], 1, -2, 0.5, 3);
const input = f32([1, 2], 1, 2);
const output = f32([1, 2], 2, 4);

const weights = (regularizer?: (w: tf.Tensor) => tf.Scalar) =>
  getVariable('w', { shape: [2, 2], ...(regularizer ? { regularizer } : {}) });
const net: ModelFunction = (x) => tf.matMul(x as tf.Tensor, weights());
const average = () => getVariable('average', { shape: [], trainable: false, initializer: (s) => tf.ones([...s]) });

let folder: string;
let count = 0;

/** The recording of one run of the net. */
async function bundleOf(run: Partial<RecordedRun> = {}): Promise<GoldenBundle> {
  const at = join(folder, String(count++));
  await GoldenBundle.write(at, {
    variables: [{ name: 'w', shape: [2, 2], dtype: 'float32', trainable: true }],
    runs: [{ name: 'a', inputs: { input }, outputs: { output }, variables: { w: kernel }, ...run }],
  });
  return GoldenBundle.open(at);
}

const validate = (legacy: GoldenBundle, migrated: ModelFunction): Promise<ValidationReport> =>
  validateMigration({ legacy, migrated }, { steps: ['golden'] });

describe('a recorded run', () => {
  beforeAll(async () => {
    await useBackend(backends[0]!);
    folder = await mkdtemp(join(tmpdir(), 'tfparity-recorded-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('keeps losses that JSON has no number for', async () => {
    const losses = { w: Number.NaN, a: Number.POSITIVE_INFINITY, b: Number.NEGATIVE_INFINITY, c: -0 };
    expect((await bundleOf({ losses })).runs[0]!.losses).toEqual(losses);
    const regularized: ModelFunction = (x) =>
      tf.matMul(
        x as tf.Tensor,
        weights((w) => tf.mul(tf.sum(w), 0)),
      );
    const report = await validate(await bundleOf({ losses: { w: Number.NaN } }), regularized);
    expect(report.verdict).toBe('different');
    expect(report.steps[0]!.lines[0]).toMatch(/^losses: /);
  });

  it('has losses that are numbers', async () => {
    const { location } = await bundleOf({ losses: { w: 2 } });
    const manifest = await readFile(join(location, 'manifest.json'), 'utf8');
    await writeFile(join(location, 'manifest.json'), manifest.replace('"w": 2', '"w": null'));
    await expect(GoldenBundle.open(location)).rejects.toThrow('loss w of run a is null, which is no number');
  });

  it('tells none from not recorded', async () => {
    const more: ModelFunction = (x) => {
      average().assign(tf.scalar(2));
      return tf.matMul(
        x as tf.Tensor,
        weights((w) => tf.sum(tf.square(w))),
      );
    };
    const variables = { w: kernel, average: f32([], 1) };
    const none = await validate(await bundleOf({ variables, losses: {}, updates: {} }), more);
    expect(none.verdict).toBe('different');
    expect(none.steps[0]!.comparisons.filter(({ comparison }) => !comparison.passed).map(({ of }) => of)).toEqual([
      'losses',
      'updates',
    ]);
    const unknown = await validate(await bundleOf({ variables }), more);
    expect(unknown.verdict).toBe('same');
    expect(unknown.steps[0]!.warnings.find(({ kind }) => kind === 'not-recorded')?.message).toBe(
      'not compared, for the run was recorded without them: 1 losses; updates of 1 variables',
    );
  });

  it('holds what TensorFlow.js has no dtype for against the one that it has', async () => {
    const both: ModelFunction = (x, options) => {
      const y = net(x, options) as tf.Tensor;
      return { y, best: tf.argMax(y, 1) };
    };
    const best = (value: bigint): NdArray => ({ dtype: 'int64', shape: [1], data: BigInt64Array.of(value) });
    const half: NdArray = { dtype: 'bfloat16', shape: [1, 2], data: Uint16Array.of(0x4000, 0x4080) };
    const recorded = (outputs: RecordedRun['outputs']) => bundleOf({ outputs });
    expect((await validate(await recorded({ y: half, best: best(1n) }), both)).verdict).toBe('same');
    expect((await validate(await recorded({ y: output, best: best(0n) }), both)).verdict).toBe('different');
    expect((await validate(await recorded({ y: output, best: best(2n ** 32n + 1n) }), both)).verdict).toBe('different');
    expect((await validate(await recorded({ y: output, best: f32([1], 1) }), both)).verdict).toBe('different');
  });

  it('gives a model no other number than was recorded', async () => {
    const ids: NdArray = { dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, 2n ** 32n + 1n) };
    const gather: ModelFunction = (x) => tf.gather(weights(), x as tf.Tensor1D);
    const legacy = await bundleOf({ inputs: { input: ids }, outputs: { output: f32([2, 2], 0.5, 3, 0.5, 3) } });
    const report = await validate(legacy, gather);
    expect(report.verdict).toBe('cannot-tell');
    expect(report.steps[0]!.error?.message).toMatch(/element 1 is 4294967297: TensorFlow.js has int32 for int64/);
    const halves: NdArray = { dtype: 'float16', shape: [1, 2], data: Uint16Array.of(0x3c00, 0x4000) };
    expect((await validate(await bundleOf({ inputs: { input: halves } }), net)).verdict).toBe('same');
  });

  it('refuses two runs, and two outputs, of one name', async () => {
    const run = { name: 'a', inputs: { input }, outputs: { output } };
    const at = join(folder, 'double');
    await expect(GoldenBundle.write(at, { variables: [], runs: [run, run] })).rejects.toThrow('two runs are called a');
    const outputs = { 'x/y': output, x: { y: input } };
    await expect(GoldenBundle.write(at, { variables: [], runs: [{ ...run, outputs }] })).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
  });

  it('can be closed, and replaced as a whole', async () => {
    const bundle = await bundleOf();
    await bundle.close();
    const run = { name: 'b', inputs: { input }, outputs: { output: input } };
    await GoldenBundle.write(bundle.location, { variables: [], runs: [run] });
    const other = await GoldenBundle.open(bundle.location);
    expect((await other.arrays(other.runs[0]!.outputs))['output']?.data).toEqual(input.data);
    await other.close();
  });

  it('is what faults are held against where it is the legacy side', async () => {
    const faults = FAULTS.filter(({ id }) => id === 'input-range' || id === 'variable-not-restored');
    const report = await proveSensitivity({ legacy: await bundleOf(), migrated: net }, { faults });
    expect(report).toMatchObject({ passed: true, summary: '2 of 2 injected faults are caught' });
    expect(report.steps.map(({ id }) => id)).toContain('golden:a');
  });

  it('of a checkpoint alone proves nothing of the model', async () => {
    const checkpoint = join(folder, 'w.npz');
    await writeCheckpoint(checkpoint, { w: kernel }, { format: 'npz' });
    const wrong: ModelFunction = (x, options) => tf.mul(net(x, options) as tf.Tensor, -3);
    const migration = { legacy: await bundleOf(), migrated: wrong, checkpoint };
    const report = await validateMigration(migration, { steps: ['checkpoint'] });
    expect(report.verdict).toBe('cannot-tell');
    expect(report.steps[0]).toMatchObject({ status: 'skipped', reason: expect.stringContaining('not compared') });
    const bare = { legacy: net, migrated: (x: unknown) => tf.relu(x as tf.Tensor), inputs: input, checkpoint };
    const none = await validateMigration(bare, { steps: ['checkpoint'] });
    expect(none.steps[0]).toMatchObject({ status: 'skipped', reason: expect.stringContaining('no variables') });
  });
});
