// tfparity_capture.py against real TensorFlow: other random data and seeds than the recorded bundle's.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backends, useBackend } from '@tfparity/testing';
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
});
