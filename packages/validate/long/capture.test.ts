// tfparity_capture.py against real TensorFlow: other random data and seeds than the recorded bundle's.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { dropout } from '@tfparity/random';
import { backends, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoldenBundle, validateMigration } from '../src/index.js';
import { bundleNet } from '../test/bundle-net.js';

const python = process.env['TFPARITY_PYTHON'] ?? 'python3';
const hasTensorFlow = spawnSync(python, ['-c', 'import tensorflow, tf_keras']).status === 0;
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

describe.skipIf(!hasTensorFlow)('tfparity_capture.py (needs TFPARITY_PYTHON with TensorFlow)', () => {
  let folder: string;
  beforeAll(async () => {
    await useBackend(backends[0]!);
    folder = mkdtempSync(join(tmpdir(), 'tfparity-capture-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([1, 2])('records what the migrated net computes, with salt %i', async (salt) => {
    const out = join(folder, String(salt));
    const recipe = path('../test/bundles/small-net/small_net.py');
    const env = { ...process.env, PYTHONPATH: path('../python'), PYTHONDONTWRITEBYTECODE: '1' };
    execFileSync(python, [recipe, out, String(salt)], { env, stdio: 'pipe' });
    const bundle = await GoldenBundle.open(out);
    expect(bundle.runs.map(({ name, gradients }) => `${name} ${Object.keys(gradients).length}`)).toEqual([
      'infer 10',
      'train 10',
    ]);
    const report = await validateMigration({ legacy: bundle, migrated: bundleNet });
    expect(report.steps.filter(({ status }) => status === 'failed' || status === 'error')).toEqual([]);
    expect(report.verdict).toBe('same');
  });

  it('records a dynamic batch, losses of NaN, sparse gradients and halves, and refuses what would be lost', async () => {
    const out = join(folder, 'odd');
    const env = { ...process.env, PYTHONPATH: path('../python'), PYTHONDONTWRITEBYTECODE: '1' };
    execFileSync(python, [path('./odd_net.py'), out], { env, stdio: 'pipe' });
    const bundle = await GoldenBundle.open(out);
    const [odd, name, finalized] = bundle.runs;
    expect([odd?.name, name?.name, finalized?.name]).toEqual(['odd', 'name', 'finalized']);
    expect(odd!.losses).toMatchObject({ nan: Number.NaN, inf: Number.NEGATIVE_INFINITY });
    expect(odd!.ledger!.map(({ shape }) => shape)).toEqual([
      [3, 4],
      [2, 4],
    ]);
    // In this run nothing is dropped, so that the batch of the op is not known.
    expect(name!.ledger!.map(({ shape }) => shape)).toEqual([[3, 4], null]);
    expect((await bundle.arrays(odd!.gradients))['w']).toMatchObject({ dtype: 'float32', shape: [3, 4] });
    expect(Object.keys(odd!.outputs)).toEqual(['dropped', 'half', 'best']);
    const report = await validateMigration(
      {
        legacy: bundle,
        migrated: (x, { training }) => {
          const w = getVariable('w', { shape: [3, 4] });
          const y = tf.matMul(x as tf.Tensor, w);
          if (!training) return { y, w: tf.clone(w) };
          return { dropped: dropout(y, { rate: 0.5 }), half: y, best: tf.argMax(y, 1) };
        },
        tolerances: { overrides: [{ match: 'half', rtol: 2 ** -8 }] },
      },
      { steps: ['golden'] },
    );
    const failing = report.steps.flatMap(({ id, comparisons }) =>
      comparisons.filter(({ comparison }) => !comparison.passed).map(({ of }) => `${id} ${of}`),
    );
    expect(failing).toEqual(['golden:odd losses']);
    expect(report.steps.map(({ ledger }) => ledger)).toEqual([null, expect.anything(), expect.anything()]);
    const inside = await GoldenBundle.open(`${out}-inside`);
    expect(inside.runs[0]!.ledger).toBeNull();
  });
});
