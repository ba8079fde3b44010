// Checkpoints that lie, with checksums that are right; and a short form of all that a checkpoint holds.
import { createHash } from 'node:crypto';
import { bytesOf } from '@tfparity/array';
import { compareKeys } from '../src/block-records.js';
import { maskCrc, portableCrc32c } from '../src/crc32c.js';
import type { Checkpoint } from '../src/index.js';
import { ProtoWriter } from '../src/proto-writer.js';
import { sliceKey } from '../src/tensor-slice.js';
import { pushVarint } from '../src/varint.js';
import { buildTable } from '../src/write-sstable.js';

/** Names, dtypes, shapes and every byte of the values. */
export async function fingerprint(checkpoint: Checkpoint): Promise<string> {
  const parts: string[] = [];
  for (const { name } of checkpoint.entries) {
    const array = await checkpoint.get(name);
    const hash = createHash('sha1');
    if (Array.isArray(array.data)) for (const string of array.data) hash.update(`${string.length}:`).update(string);
    else hash.update(bytesOf(array));
    parts.push(`${name} ${array.dtype} ${array.shape.join()} ${hash.digest('hex')}`);
  }
  return parts.sort().join('\n');
}

export interface Forged {
  name: string;
  shape: number[];
  dtype?: number;
  bytes?: number;
  offset?: number;
  shard?: number;
  crc?: number;
  /** Start and length along the first axis. */
  slices?: [number, number][];
}

const utf8 = new TextEncoder();

export function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function record(
  { shape, dtype = 1, bytes = 16, offset = 0, shard = 0, crc, slices }: Forged,
  data: Uint8Array,
): Uint8Array {
  const axes = new ProtoWriter();
  for (const axis of shape) axes.message(2, new ProtoWriter().uint(1, axis));
  const entry = new ProtoWriter().uint(1, dtype).message(2, axes).uint(3, shard).uint(4, offset);
  if (slices) {
    for (const [start, length] of slices) {
      entry.message(7, new ProtoWriter().message(1, new ProtoWriter().uint(1, start).uint(2, length)));
    }
    return entry.finish();
  }
  return entry
    .uint(5, bytes)
    .fixed32(6, crc ?? maskCrc(portableCrc32c(data.subarray(offset, offset + bytes))))
    .finish();
}

/** A V2 checkpoint of float32 values 1, 2, 3, 4, whose index says what it is told to. */
export function forgeBundle(tensors: Forged[]): Map<string, Uint8Array> {
  const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const records: [Uint8Array, Uint8Array][] = [[new Uint8Array(0), new ProtoWriter().uint(1, 1).finish()]];
  for (const tensor of tensors) {
    records.push([utf8.encode(tensor.name), record(tensor, data)]);
    for (const [start, length] of new Map(tensor.slices ?? [])) {
      const key = sliceKey(tensor.name, { start: [start], length: [length] });
      records.push([key, record({ name: '', shape: [length], bytes: length * 4 }, data)]);
    }
  }
  records.sort(([a], [b]) => compareKeys(a, b));
  return new Map([
    ['f.index', join(buildTable(records, portableCrc32c))],
    ['f.data-00000-of-00001', data],
  ]);
}

function sealed(contents: number[], kind: number): number[] {
  const bytes = Uint8Array.from([...contents, kind]);
  const crc = maskCrc(portableCrc32c(bytes));
  return [...bytes, crc & 0xff, (crc >>> 8) & 0xff, (crc >>> 16) & 0xff, crc >>> 24];
}

const varint = (value: number): number[] => {
  const out: number[] = [];
  pushVarint(out, value);
  return out;
};

const entry = (shared: number, key: number[], size: number, value: number[]): number[] => [
  ...varint(shared),
  ...varint(key.length),
  ...varint(size),
  ...key,
  ...value,
];

// The entry of a float32 scalar, and Snappy's densest element, over and over.
const SCALAR = [8, 1, 40, 4];
const pattern = (bytes: number): number[] => Array.from({ length: bytes }, (_, i) => [254, 1, 0][i % 3]!);

/** A table with one fault. */
export function forgeTable(
  kind: 'bomb' | 'long-bomb' | 'self' | 'order' | 'twice' | 'past' | 'restarts' | 'names',
): Uint8Array {
  const end = [0, 0, 0, 0, 1, 0, 0, 0];
  const header = entry(0, [], 2, [8, 1]);
  const blocks: Record<typeof kind, [number[], number]> = {
    // 4 GB out of some bytes; and 25 MB, at the best rate that Snappy has.
    bomb: [[...varint(2 ** 32), 0, 65, ...pattern(90)], 1],
    'long-bomb': [[...varint(2.56e7 + 1), 0, 65, ...pattern(1.2e6)], 1],
    self: [[...header, ...end], 0],
    order: [[...header, ...entry(0, [98], 4, SCALAR), ...entry(0, [97], 4, SCALAR), ...end], 0],
    twice: [[...header, ...entry(0, [97], 4, SCALAR), ...entry(1, [], 4, SCALAR), ...end], 0],
    past: [[...header, ...entry(0, [97], 1e6, []), ...end], 0],
    // Each key is the one before and a byte: 60 KB of them would be half a gigabyte of names.
    names: [[...header, ...Array.from({ length: 30_000 }, (_, i) => entry(i, [97], 4, SCALAR)).flat(), ...end], 0],
    restarts: [[...header, 0xff, 0xff, 0xff, 0x0f], 0],
  };
  const [contents, type] = blocks[kind];
  const out = sealed(contents, type);
  const meta = [...varint(out.length), ...varint(8)];
  out.push(...sealed(end, 0));
  const own = [...varint(0), ...varint(contents.length)];
  const handles = kind === 'self' ? [own, own] : [own];
  const index = [...handles.flatMap((handle, i) => entry(0, [120 + i], handle.length, handle)), ...end];
  const place = [...varint(out.length), ...varint(index.length)];
  out.push(...sealed(index, 0));
  const footer = [...meta, ...place];
  const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
  return Uint8Array.from(out.concat(footer, new Array(40 - footer.length).fill(0), magic));
}
