// The quick decoder of an index's records against the careful one: it gives the same, or declines.
import { describe, expect, it } from 'vitest';
import { readEntry } from '../src/bundle-entry.js';
import { EntryDecoder } from '../src/entry-decoder.js';
import { ProtoReader } from '../src/proto-reader.js';
import { ProtoWriter } from '../src/proto-writer.js';

interface Fields {
  readonly dtype?: number;
  readonly shape?: readonly number[];
  readonly shard?: number;
  readonly offset?: number;
  readonly bytes?: number;
  readonly crc?: number;
}

function record({ dtype = 1, shape = [], shard = 0, offset = 0, bytes = 4, crc = 1 }: Fields): Uint8Array {
  const axes = new ProtoWriter();
  for (const size of shape) axes.message(2, new ProtoWriter().uint(1, size));
  const entry = new ProtoWriter().uint(1, dtype).message(2, axes).uint(3, shard).uint(4, offset);
  return entry.uint(5, bytes).fixed32(6, crc).finish();
}

/** What each of the two makes of a record that lies within other bytes; `undefined` where it declines, or refuses. */
function both(bytes: Uint8Array, decoder = new EntryDecoder(3)) {
  const padded = new Uint8Array(bytes.length + 20).fill(8);
  padded.set(bytes, 9);
  const quick = decoder.decode(padded, 9, 9 + bytes.length, 'w');
  try {
    return { quick, careful: readEntry(new ProtoReader(padded, {}, 9, 9 + bytes.length), 'w') };
  } catch {
    return { quick, careful: undefined };
  }
}

describe('plain tensors', () => {
  it.each<Fields>([
    { bytes: 4 },
    { shape: [3], bytes: 12 },
    { shape: [299, 299, 3, 64], bytes: 299 * 299 * 3 * 64 * 4, offset: 2 ** 48, shard: 2, crc: 0xffffffff },
    { shape: [2, 0, 5], bytes: 0, crc: 0 },
    { shape: [2], dtype: 9, bytes: 16, crc: 0x80000000 },
    { shape: [1000], dtype: 7, bytes: 12345 },
  ])('%o are decoded alike', (fields) => {
    const { quick, careful } = both(record(fields));
    expect(quick).toEqual(careful);
    expect(quick?.shape).toEqual(fields.shape ?? []);
  });

  it.each<[string, Fields]>([
    ['a size that its shape does not have', { shape: [3], bytes: 13 }],
    ['a shape that no number counts', { shape: [2 ** 40, 2 ** 40], bytes: 0 }],
    ['a shard that is not there', { shard: 3 }],
    ['a dtype that is none', { dtype: 19 ** 2 }],
    ['more axes than nets have', { shape: new Array(17).fill(1) }],
  ])('%s is declined', (_, fields) => {
    const decoder = new EntryDecoder(3);
    expect(both(record(fields), decoder).quick).toBeUndefined();
    expect(decoder.declined).toBe(1);
  });

  it('give equal shapes one array, which nobody can change', () => {
    const decoder = new EntryDecoder(1);
    const shapes = [record({ shape: [2, 3], bytes: 24 }), record({ shape: [6], bytes: 24 })].flatMap((bytes) =>
      [0, 1].map(() => decoder.decode(bytes, 0, bytes.length, 'w')!.shape),
    );
    expect(shapes).toEqual([[2, 3], [2, 3], [6], [6]]);
    expect(shapes[0]).toBe(shapes[1]);
    expect(Object.isFrozen(shapes[0])).toBe(true);
  });
});

it('no damaged record is decoded otherwise than by the careful reader', () => {
  const whole = record({ shape: [5, 300, 7], bytes: 5 * 300 * 7 * 4, offset: 70_000, shard: 1, crc: 0x89abcdef });
  let decoded = 0;
  for (let at = 0; at < whole.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      const changed = whole.slice();
      changed[at] = byte;
      const { quick, careful } = both(changed);
      if (quick === undefined) continue;
      decoded++;
      expect(quick, `byte ${at} as ${byte}`).toEqual(careful);
    }
    const { quick, careful } = both(whole.slice(0, at));
    if (quick !== undefined) expect(quick, `cut to ${at}`).toEqual(careful);
  }
  expect(decoded).toBeGreaterThan(whole.length);
});
