// TensorFlow's own RestoreV2 kernel, in this process: a SavedModel whose variables were written here computes what it must.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NdArray } from '@tfparity/array';
import { backends, goldenJson, goldenPath, useBackend } from '@tfparity/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { openCheckpoint, writeCheckpoint } from '../src/index.js';

interface NodeModule {
  node: {
    loadSavedModel(path: string): Promise<{ predict(x: unknown): { arraySync(): number[][] }; dispose(): void }>;
  };
  tensor2d(values: number[][]): unknown;
}

const folder = mkdtempSync(join(tmpdir(), 'tfparity-restore-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const native = backends.includes('tensorflow') ? describe : describe.skip;
native('RestoreV2 of TensorFlow (where its backend can be loaded)', () => {
  it.each([1, 3])('restores what is written in %i shards', async (shards) => {
    await useBackend('tensorflow');
    // Through require, as its declarations would bring all of tfjs into this package's types.
    const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node') as NodeModule;
    const { x, y } = goldenJson<{ saved_model: { x: number[][]; y: number[][] } }>(
      'checkpoints/expected.json',
    ).saved_model;
    const model = join(folder, `model-${shards}`);
    mkdirSync(join(model, 'variables'), { recursive: true });
    cpSync(goldenPath('checkpoints/saved_model/saved_model.pb'), join(model, 'saved_model.pb'));
    const source = await openCheckpoint(goldenPath('checkpoints/saved_model'));
    expect(source.format).toBe('SavedModel');
    const graph = '_CHECKPOINTABLE_OBJECT_GRAPH';
    const tensors: [string, NdArray][] = [[graph, await source.get(graph)]];
    for await (const { name, dtype, shape, data } of source.tensors()) {
      const array = { dtype, shape, data };
      // The last layer doubled: so that what comes out was surely read from these files.
      const isLast = source.entry(name).fullName?.startsWith('second/') && data instanceof Float32Array;
      tensors.push([name, isLast ? { ...array, data: (data as Float32Array).map((v) => v * 2) } : array]);
    }
    await writeCheckpoint(join(model, 'variables', 'variables'), tensors, { shards });
    const loaded = await tf.node.loadSavedModel(model);
    const found = loaded.predict(tf.tensor2d(x)).arraySync();
    found.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeCloseTo(2 * y[i]![j]!, 5);
      });
    });
    loaded.dispose();
  });
});
