import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { bytesOf, toNdArray } from '@tfparity/array';
import { openCheckpoint } from '@tfparity/checkpoint';
import { isGraphError } from '@tfparity/graph';
import { backends, useBackend } from '@tfparity/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { saveByName } from '../src/save-v2.js';

const folder = mkdtempSync(join(tmpdir(), 'tfparity-app-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const native = backends.includes('tensorflow');

describe.each(backends)('saveByName on %s', (backend) => {
  it('writes every dtype, scalars and empty tensors, byte for byte', async () => {
    await useBackend(backend);
    const variables = new Map<string, tf.Tensor>([
      ['net/weights', tf.tensor2d([1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, 3], [2, 3])],
      ['global_step', tf.scalar(2 ** 31 - 1, 'int32')],
      ['mask', tf.tensor1d([true, false], 'bool')],
      ['none', tf.zeros([0, 4])],
    ]);
    const prefix = join(folder, `${backend}.ckpt`);
    const writer = await saveByName(prefix, variables);
    expect(writer).toBe(backend === 'tensorflow' ? 'TensorFlow SaveV2' : '@tfparity/checkpoint');
    const checkpoint = await openCheckpoint(prefix);
    expect(checkpoint.entries.map(({ name }) => name).sort()).toEqual([...variables.keys()].sort());
    for (const [name, tensor] of variables) {
      const [found, expected] = [await checkpoint.get(name), toNdArray(tensor)];
      expect([name, found.dtype, found.shape]).toEqual([name, expected.dtype, expected.shape]);
      expect(bytesOf(found), name).toEqual(bytesOf(expected));
      tensor.dispose();
    }
    await checkpoint.close();
  });
});

it.runIf(native)('SaveV2 says in its own words why it cannot write', async () => {
  await useBackend('tensorflow');
  const value = tf.scalar(1);
  const failure = await saveByName(join(folder, 'no/such/folder/x'), new Map([['x', value]])).catch((error) => error);
  value.dispose();
  expect(isGraphError(failure)).toBe(true);
  expect(failure.message).toMatch(/no\/such\/folder/);
});

interface Result {
  passed: boolean;
  steps: {
    id: string;
    legacy: string;
    initialValues: { count: number; identical: number };
    checkpoints: Record<'nameBased' | 'objectBased', { writer: string; tensors: number; bytes: number }>;
    coverage: Record<'tf1' | 'migrated' | 'transferred', unknown>;
    transferred: { variables: number; maxAbsoluteDifference: number; bitIdentical: boolean };
  }[];
}

describe('3b-checkpoint with the graph that TypeScript records', () => {
  it('restores all 1114 variables thrice, and leaves no file behind', { timeout: 300_000 }, () => {
    const [json, temporary] = [join(folder, '3b.json'), join(folder, 'tmp')];
    mkdirSync(temporary);
    const loader = import.meta.resolve('tsx');
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [
        ...['--conditions=@tfparity/source', '--import', loader, 'src/main.ts', '--html', 'none', '--json', json],
        ...['--backend', native ? 'tensorflow' : 'wasm', '--legacy', 'typescript', '--steps', '3b-checkpoint'],
      ],
      { encoding: 'utf8', env: { ...process.env, TMPDIR: temporary } },
    );
    expect(stderr + stdout).toContain('All 1 steps passed');
    expect(status).toBe(0);
    const [step] = (JSON.parse(readFileSync(json, 'utf8')) as Result).steps;
    const all = { restored: 1114, missing: 0, unused: 0, conflicts: 0 };
    expect(step).toMatchObject({
      legacy: 'typescript',
      initialValues: { count: 1114, identical: 1114 },
      coverage: { tf1: all, migrated: all, transferred: all },
      transferred: { variables: 1114, maxAbsoluteDifference: 0, bitIdentical: true },
      checkpoints: {
        nameBased: { writer: native ? 'TensorFlow SaveV2' : '@tfparity/checkpoint', tensors: 1114 },
        // One more: the save counter of TF2.
        objectBased: { writer: '@tfparity/checkpoint', tensors: 1115 },
      },
    });
    expect(step!.checkpoints.nameBased.bytes).toBeGreaterThan(4 * 55e6);
    expect(readdirSync(temporary).filter((name) => name.startsWith('tfparity-'))).toEqual([]);
  });
});
