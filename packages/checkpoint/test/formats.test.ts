import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goldenPath } from '@tfparity/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { MemorySink, openCheckpoint, writeCheckpoint } from '../src/index.js';
import { type ExpectedTensor, expectedArray } from './expected-tensor.js';

const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url));
const expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Record<
  string,
  Record<string, ExpectedTensor>
>;
const folder = mkdtempSync(join(tmpdir(), 'tfparity-formats-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('files of other formats, written by their own libraries (test/fixtures/formats.py)', () => {
  for (const [file, tensors] of Object.entries(expected)) {
    it(`reads every array of ${file}`, async () => {
      const checkpoint = await openCheckpoint(join(fixtures, file));
      expect(checkpoint.entries.map((entry) => entry.name).sort()).toEqual(Object.keys(tensors).sort());
      for (const [name, tensor] of Object.entries(tensors)) {
        expect(await checkpoint.get(name), name).toEqual(expectedArray(tensor));
      }
      for await (const { name, dtype, shape, data } of checkpoint.tensors()) {
        expect({ dtype, shape, data }, name).toEqual(expectedArray(tensors[name]!));
      }
      await checkpoint.close();
    });
  }
});

describe('HDF5', () => {
  it('lists what it cannot read, and copies nothing without it', async () => {
    const checkpoint = await openCheckpoint(join(fixtures, 'odd.h5'));
    expect(checkpoint.unreadable).toEqual([{ name: 'complex', dtype: expect.stringContaining('HDF5'), shape: [1] }]);
    await expect(checkpoint.get('complex')).rejects.toMatchObject({ code: 'Unsupported', tensor: 'complex' });
    await expect(writeCheckpoint(join(folder, 'part'), checkpoint)).rejects.toMatchObject({ tensor: 'complex' });
    await checkpoint.close();
    expect((await checkpoint.get('mask')).data, 'opened again').toEqual(Uint8Array.of(1, 0, 1));
    await checkpoint.close();
  });
});

describe('what is written in other formats reads back the same', () => {
  it.each(['safetensors', 'npz', 'tfjs'] as const)('%s', async (format) => {
    const ending = format === 'tfjs' ? 'json' : format;
    const source = await openCheckpoint(goldenPath('checkpoints/v2_dtypes'));
    const held = source.entries.filter(({ dtype, name }) => {
      if (format === 'tfjs') return ['float32', 'int32', 'bool', 'string', 'complex64'].includes(dtype);
      if (format === 'npz') return name !== '';
      return dtype !== 'string' && dtype !== 'complex128';
    });
    const path = join(folder, `all.${ending}`);
    const names = new Set(held.map((entry) => entry.name));
    await writeCheckpoint(
      path,
      source.tensors((entry) => names.has(entry.name)),
      { format },
    );
    const back = await openCheckpoint(path);
    expect(back.format).toBe(format);
    expect(back.entries.map((entry) => entry.name).sort()).toEqual([...names].sort());
    for (const name of names) expect(await back.get(name), name).toEqual(await source.get(name));
  });

  it('refuses a dtype that the format lacks, and leaves no file', async () => {
    const source = await openCheckpoint(goldenPath('checkpoints/v2_dtypes'));
    const path = join(folder, 'none.safetensors');
    await expect(writeCheckpoint(path, source, { format: 'safetensors' })).rejects.toMatchObject({
      code: 'Unsupported',
    });
    await expect(openCheckpoint(path)).rejects.toMatchObject({ code: 'NotFound' });
  });
});

describe('tfjs weights', () => {
  const open = (weights: unknown[], bytes: Uint8Array, paths = ['a.bin']) =>
    openCheckpoint(
      new Map<string, Uint8Array>([
        ['model.json', new TextEncoder().encode(JSON.stringify({ weightsManifest: [{ paths, weights }] }))],
        ['a.bin', bytes],
      ]),
    );

  it('are put back from 8, 16 and float16 bits as tfjs does', async () => {
    // tf.io.decodeWeights of tfjs 4.22: q * scale + min for uint8 and uint16; the float16 values themselves.
    const bytes = Uint8Array.of(0, 128, 255, 0, 0, 0, 255, 255, 0, 0x3c, 0, 0xc0);
    const weights = [
      { name: 'q8', dtype: 'float32', shape: [3], quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
      { name: 'pad', dtype: 'bool', shape: [1] },
      { name: 'q16', dtype: 'int32', shape: [2], quantization: { dtype: 'uint16', scale: 2, min: 1 } },
      { name: 'h', dtype: 'float32', shape: [2], quantization: { dtype: 'float16' } },
    ];
    const checkpoint = await open(weights, bytes);
    expect((await checkpoint.get('q8')).data).toEqual(Float32Array.of(-1, 63, 126.5));
    expect((await checkpoint.get('q16')).data).toEqual(Int32Array.of(1, 131071));
    expect((await checkpoint.get('h')).data).toEqual(Float32Array.of(1, -2));
  });

  it('replace an older model only when they are whole', async () => {
    const sink = new MemorySink();
    const write = (value: number, to = sink): Promise<string> =>
      writeCheckpoint(
        'm.json',
        { w: { dtype: 'float32', shape: [1], data: Float32Array.of(value) } },
        { sink: to, format: 'tfjs' },
      );
    const read = async (): Promise<number> =>
      Number((await (await openCheckpoint(new Map(sink.files))).get('w')).data[0]);
    await write(1);
    const before = [...sink.files.keys()];
    const dies = Object.assign(Object.create(sink) as MemorySink, {
      create: async () => {
        const file = await sink.create();
        const commit = (name: string): Promise<void> => {
          if (name === 'm.json') throw new Error('crash');
          return file.commit(name);
        };
        return { ...file, commit };
      },
    });
    await expect(write(2, dies)).rejects.toThrow('crash');
    expect([await read(), [...sink.files.keys()]]).toEqual([1, before]);
    await write(3);
    expect([await read(), sink.files.size]).toEqual([3, 2]);
  });

  it('are not looked for outside the folder of the manifest', async () => {
    const weights = [{ name: 'w', dtype: 'float32', shape: [1] }];
    for (const path of ['../secret', '/etc/passwd', 'a/../../b', 'https://elsewhere/x', '..\\b']) {
      await expect(open(weights, new Uint8Array(4), [path])).rejects.toMatchObject({ code: 'Corrupt' });
    }
    await expect(open(weights, new Uint8Array(4), ['b.bin'])).rejects.toMatchObject({ code: 'NotFound' });
    await expect(open(weights, new Uint8Array(3))).rejects.toMatchObject({ code: 'Corrupt', tensor: 'w' });
  });
});
