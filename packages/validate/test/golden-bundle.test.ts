import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoldenBundle, type Recording, validateMigration } from '../src/index.js';
import { bundleNet } from './bundle-net.js';

const recorded = fileURLToPath(new URL('./bundles/small-net', import.meta.url));

describe.each(backends)('a bundle of real TensorFlow, on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('is met by the migrated net: draws, initial values, outputs, losses and updates', async () => {
    const report = await validateMigration({ legacy: await GoldenBundle.open(recorded), migrated: bundleNet });
    const status = Object.fromEntries(report.steps.map((step) => [step.id, step.status]));
    expect(report.steps.filter((step) => step.status === 'failed').map((step) => step.lines)).toEqual([]);
    expect(status).toMatchObject({
      inventory: 'passed',
      reset: 'skipped',
      'golden:infer': 'passed',
      'golden:train': 'passed',
    });
    const train = report.steps.find(({ id }) => id === 'golden:train');
    expect(train?.ledger).toBeNull();
    expect(train?.draws).toEqual({ legacy: 5, migrated: 5 });
    expect(train?.updates).toEqual({ legacy: 2, migrated: 2, notUpdated: [], onlyMigrated: [] });
    expect(report.verdict).toBe('same');
    expect(report.environment.versions['golden tensorflow']).toBe('2.21.0');
  });

  it('is not met by another net', async () => {
    const migrated: typeof bundleNet = (inputs, options) => bundleNet(tf.mul(inputs as tf.Tensor, 1.001), options);
    const bundle = await GoldenBundle.open(recorded);
    const report = await validateMigration({ legacy: bundle, migrated }, { steps: ['golden'] });
    expect(report.verdict).toBe('different');
    expect(report.steps.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'golden:infer failed',
      'golden:train failed',
    ]);
  });
});

describe('GoldenBundle', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tfparity-bundle-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const array = (...values: number[]) => ({
    dtype: 'float32' as const,
    shape: [values.length],
    data: Float32Array.from(values),
  });
  const recording: Recording = {
    versions: { maker: '1' },
    variables: [{ name: 'w', shape: [2], dtype: 'float32', trainable: true }],
    runs: [
      {
        name: 'infer',
        inputs: { input: array(1, 2) },
        outputs: { nested: [array(3), { deep: array(-0, Number.NaN, Number.POSITIVE_INFINITY) }] },
        variables: { w: array(0.5, 0.25) },
        losses: { w: 0.125 },
      },
    ],
  };

  it('keeps nested outputs by path, variables and losses, to the last bit', async () => {
    await GoldenBundle.write(join(folder, 'a'), recording);
    const bundle = await GoldenBundle.open(join(folder, 'a'));
    const [run] = bundle.runs;
    expect(Object.keys(run!.outputs)).toEqual(['nested[0]', 'nested[1]/deep']);
    const outputs = await bundle.arrays(run!.outputs);
    expect(outputs['nested[1]/deep']?.data).toEqual(Float32Array.of(-0, Number.NaN, Number.POSITIVE_INFINITY));
    expect(run!.losses).toEqual({ w: 0.125 });
    expect(run!.random).toBeNull();
    expect((await bundle.arrays(run!.variables))['w']?.data).toEqual(Float32Array.of(0.5, 0.25));
  });

  it('opens from memory', async () => {
    await GoldenBundle.write(join(folder, 'm'), recording);
    const bundle = await GoldenBundle.open({
      manifest: await readFile(join(folder, 'm', 'manifest.json'), 'utf8'),
      arrays: new Uint8Array(await readFile(join(folder, 'm', 'arrays.npz'))),
    });
    expect((await bundle.array('runs/infer/inputs/input')).data).toEqual(Float32Array.of(1, 2));
  });

  it('refuses an array that is not what was recorded', async () => {
    await GoldenBundle.write(join(folder, 'b'), recording);
    const file = join(folder, 'b', 'manifest.json');
    const manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.arrays['runs/infer/inputs/input'].sha256 = 'f'.repeat(64);
    await writeFile(file, JSON.stringify(manifest));
    const bundle = await GoldenBundle.open(join(folder, 'b'));
    await expect(bundle.array('runs/infer/inputs/input')).rejects.toMatchObject({ code: 'InvalidBundle' });
  });

  it.each([
    ['text that is not JSON', () => '{'],
    ['null', () => 'null'],
    ['another format', () => '{"format": "x"}'],
    ['a later version', (text: string) => text.replace('"version": 1', '"version": 2')],
    ['no runs', (text: string) => text.replace('"runs":', '"others":')],
    ['an array of another shape', (text: string) => text.replace(/("dtype": "float32",\s+"shape": \[\s+)2/g, '$13')],
    ['a key that is not listed', (text: string) => text.replace(/"input": "[^"]*"/, '"input": "nowhere"')],
  ])('refuses a manifest with %s', async (_, damage) => {
    await GoldenBundle.write(join(folder, 'c'), recording);
    const file = join(folder, 'c', 'manifest.json');
    await writeFile(file, damage(await readFile(file, 'utf8')));
    await expect(GoldenBundle.open(join(folder, 'c'))).rejects.toMatchObject({
      name: 'ValidateError',
      code: 'InvalidBundle',
    });
  });

  it('says where there is none', async () => {
    await expect(GoldenBundle.open(join(folder, 'absent'))).rejects.toThrow(/absent: there is no manifest\.json/);
  });
});
