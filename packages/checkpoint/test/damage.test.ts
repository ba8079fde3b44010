// Every bit flip, truncation and forged length: a tagged error, never a wrong value.
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeGolden, goldenPath } from '@tfparity/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { isCheckpointError, openCheckpoint } from '../src/index.js';
import { fingerprint, forgeBundle, forgeTable } from './forgery.js';

const SMALL = 12_000;
const names = ['v2_dtypes', 'v2_sharded', 'v2_partitioned', 'v1_partitioned', 'tf2_object-1', 'tf1_graph.ckpt-3'];

function filesOf(name: string): Map<string, Uint8Array> {
  const folder = goldenPath('checkpoints');
  const own = readdirSync(folder).filter(
    (file) => file === name || file.startsWith(`${name}.index`) || file.startsWith(`${name}.data`),
  );
  return new Map(own.map((file) => [file, new Uint8Array(readFileSync(join(folder, file)))]));
}

/** What reading the files gives: every value, or the error. */
async function outcome(files: Map<string, Uint8Array>): Promise<{ values?: string; error?: unknown }> {
  try {
    return { values: await fingerprint(await openCheckpoint(files)) };
  } catch (error) {
    return { error };
  }
}

async function expectNoLie(files: Map<string, Uint8Array>, whole: string, what: string): Promise<boolean> {
  const { values, error } = await outcome(files);
  if (error !== undefined) {
    if (!isCheckpointError(error)) throw new Error(`${what}: an error without a tag`, { cause: error });
    return true;
  }
  expect(values, what).toBe(whole);
  return false;
}

describeGolden('checkpoints/v2_dtypes.index', () => {
  for (const name of names) {
    it(`${name}: every flipped byte is found`, async () => {
      const files = filesOf(name);
      const whole = (await outcome(files)).values!;
      const unnoticed: string[] = [];
      for (const [file, bytes] of files) {
        const step = Math.max(1, Math.ceil(bytes.length / SMALL));
        for (let at = 0; at < bytes.length; at += step) {
          const flipped = bytes.slice();
          flipped[at]! ^= 1 << (at % 8);
          if (!(await expectNoLie(new Map(files).set(file, flipped), whole, `${file} byte ${at}`)))
            unnoticed.push(`${file}:${at}`);
        }
      }
      expect(unnoticed).toEqual([]);
    });

    it(`${name}: every truncation is found`, async () => {
      const files = filesOf(name);
      const whole = (await outcome(files)).values!;
      for (const [file, bytes] of files) {
        const step = Math.max(1, Math.ceil(bytes.length / SMALL));
        for (let length = 0; length < bytes.length; length += step) {
          const cut = new Map(files).set(file, bytes.slice(0, length));
          expect(await expectNoLie(cut, whole, `${file} cut to ${length}`), `${file} cut to ${length}`).toBe(true);
        }
      }
    });
  }

  it('v1_dtypes.ckpt, packed by Snappy in parts: flipped bytes and truncations throughout are found', async () => {
    const name = 'v1_dtypes.ckpt';
    const bytes = filesOf(name).get(name)!;
    const whole = (await outcome(new Map([[name, bytes]]))).values!;
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 150)) {
      const flipped = bytes.slice();
      flipped[at]! ^= 1 << (at % 8);
      for (const damaged of [flipped, bytes.slice(0, at)]) {
        expect(await expectNoLie(new Map([[name, damaged]]), whole, `byte ${at}`), `byte ${at}`).toBe(true);
      }
    }
  });

  it('a shard that is missing is named, with the tensor', async () => {
    const files = filesOf('v2_sharded');
    files.delete('v2_sharded.data-00001-of-00002');
    const checkpoint = await openCheckpoint(files);
    expect(checkpoint.entries).toHaveLength(4);
    await expect(checkpoint.get('z/w')).rejects.toMatchObject({
      code: 'NotFound',
      tensor: 'z/w',
      file: expect.stringContaining('v2_sharded.data-00001-of-00002'),
    });
  });
});

describe('archives of numpy', () => {
  it.each(['arrays.npz', 'compressed.npz'])('%s: no flipped byte changes, renames or drops an array', async (name) => {
    const bytes = new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
    const whole = (await outcome(new Map([[name, bytes]]))).values!;
    let found = 0;
    for (let at = 0; at < bytes.length; at += 7) {
      const flipped = bytes.slice();
      flipped[at]! ^= 1 << (at % 8);
      if (await expectNoLie(new Map([[name, flipped]]), whole, `byte ${at}`)) found++;
    }
    // What no sum covers (times, versions of the packer) may be read as before.
    expect(found).toBeGreaterThan(bytes.length / 14);
    for (let length = 0; length < bytes.length; length += 97) {
      expect(await expectNoLie(new Map([[name, bytes.slice(0, length)]]), whole, `cut to ${length}`)).toBe(true);
    }
  });
});

describe('what is no checkpoint', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tfparity-damage-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['an empty file', ''],
    ['a web page', '<!DOCTYPE html><html><body>404 Not Found</body></html>'.padEnd(300)],
    ['text', 'hello '.repeat(100)],
    ['JSON', '{"a": 1}'],
    ['zeros', '\0'.repeat(1000)],
  ])('%s', async (_, text) => {
    const path = join(folder, 'thing');
    writeFileSync(path, text);
    for (const source of [path, new TextEncoder().encode(text), new Blob([text])]) {
      await expect(openCheckpoint(source)).rejects.toSatisfy(isCheckpointError);
    }
    writeFileSync(join(folder, 'page.index'), text);
    await expect(openCheckpoint(join(folder, 'page'))).rejects.toSatisfy(isCheckpointError);
  });

  it('a loop of links, a folder in place of a file, nothing at all', async () => {
    symlinkSync(join(folder, 'loop.index'), join(folder, 'loop.index'));
    await expect(openCheckpoint(join(folder, 'loop'))).rejects.toMatchObject({
      code: 'Io',
      details: { errno: 'ELOOP' },
    });
    symlinkSync('circle', join(folder, 'circle'));
    await expect(openCheckpoint(join(folder, 'circle'))).rejects.toMatchObject({ code: 'Io' });
    await expect(openCheckpoint(join(folder, 'nothing'))).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('Failed to find any matching files for'),
    });
  });
});

describe('forged numbers, with checksums that are right', () => {
  const MIB = 2 ** 20;
  const refuse = async (files: Map<string, Uint8Array>, code = 'Corrupt'): Promise<void> => {
    const before = process.memoryUsage().rss;
    const start = performance.now();
    const { error } = await outcome(files);
    expect(error).toMatchObject({ name: 'CheckpointError', code });
    expect(performance.now() - start).toBeLessThan(1000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB);
  };

  it.each([
    ['a size of 4 PB', { shape: [2 ** 50], bytes: 2 ** 52 }],
    ['a shape that overflows', { shape: [2 ** 40, 2 ** 40] }],
    ['a shape larger than its bytes', { shape: [1000] }],
    ['an offset past the end', { offset: 2 ** 40 }],
    ['a shard that cannot be', { shard: 7 }],
    ['another checksum', { crc: 1 }],
    ['more strings than bytes', { dtype: 7, shape: [2 ** 31] }],
    ['more strings than bytes, in slices', { dtype: 7, shape: [2e7], slices: [[0, 2e7]] as [number, number][] }],
    ['a slice of 2^32 numbers', { shape: [2 ** 32 + 8], slices: [[0, 2 ** 32 + 8]] as [number, number][] }],
    ['a slice of 2^50 numbers', { shape: [2 ** 50], slices: [[0, 2 ** 50]] as [number, number][] }],
    ['slices that are larger than the shard', { shape: [2e7], slices: [[0, 2e7]] as [number, number][] }],
  ])('%s', async (_, change) => {
    await refuse(forgeBundle([{ name: 'w', shape: [4], ...change }]));
  });

  it('a dtype that there is not makes no other tensor unreadable', async () => {
    const checkpoint = await openCheckpoint(
      forgeBundle([
        { name: 'v', shape: [4] },
        { name: 'w', shape: [4], dtype: 77 },
        { name: 'x', shape: [], dtype: 21 },
      ]),
    );
    expect((await checkpoint.get('v')).data).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(checkpoint.unreadable).toEqual([
      { name: 'w', dtype: 'dtype 77', shape: [4] },
      { name: 'x', dtype: 'variant', shape: [] },
    ]);
    await expect(checkpoint.get('x')).rejects.toMatchObject({ code: 'Unsupported', tensor: 'x' });
  });

  it.each(['|S0', '<U0'])('numpy strings %s without bytes, of which there are millions', async (descr) => {
    const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (50000000,), }`;
    const header = `${text.padEnd(117)}\n`;
    const bytes = Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length, 0);
    await refuse(new Map([['x.npy', Uint8Array.from([...bytes, ...new TextEncoder().encode(header)])]]));
  });

  it.each([
    [
      'overlap',
      [
        [0, 3],
        [2, 2],
      ],
    ],
    [
      'leave a gap',
      [
        [0, 1],
        [2, 2],
      ],
    ],
    [
      'are outside',
      [
        [0, 2],
        [2, 3],
      ],
    ],
    [
      'are one slice twice',
      [
        [0, 2],
        [0, 2],
      ],
    ],
  ])('slices that %s', async (_, slices) => {
    await refuse(forgeBundle([{ name: 'w', shape: [4], slices: slices as [number, number][] }]));
  });

  it('slices that are right are put together', async () => {
    const files = forgeBundle([
      {
        name: 'w',
        shape: [4],
        slices: [
          [2, 2],
          [0, 2],
        ],
      },
    ]);
    const checkpoint = await openCheckpoint(files);
    expect((await checkpoint.get('w')).data).toEqual(Float32Array.of(1, 2, 1, 2));
    expect((await checkpoint.getSlice('w', 0)).shape).toEqual([2]);
  });

  it('a Snappy bomb, a bomb of names, a block that points at itself, keys out of order, a value past its block', async () => {
    for (const kind of ['bomb', 'long-bomb', 'self', 'order', 'twice', 'past', 'restarts', 'names'] as const) {
      await refuse(new Map([['x.index', forgeTable(kind)]]));
    }
  });
});
