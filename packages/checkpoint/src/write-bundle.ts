// V2 checkpoints, written as BundleWriter of tensorflow/core/util/tensor_bundle/tensor_bundle.cc does.
import { bytesOf, DTYPES, type NdArray, ndArray } from '@tfparity/array';
import { compareKeys } from './block-records.js';
import { type Crc32c, maskCrc } from './crc32c.js';
import { CheckpointError } from './errors.js';
import type { FileSink, PendingFile } from './file-sink.js';
import { ProtoWriter } from './proto-writer.js';
import type { NamedArray } from './store.js';
import { encodeStrings } from './string-tensor.js';
import { shardName } from './tensor-bundle.js';
import { buildTable } from './write-sstable.js';

/** How a bundle is cut into files. */
export interface ShardOptions {
  /** How many data files; each tensor goes to the one that is smallest so far. 1 unless it is said otherwise. */
  readonly shards?: number;
}

const DATA = /^\.data-\d{5}-of-(\d{5})$/;
const MAX_SHARDS = 1000;

interface Shard {
  readonly file: PendingFile;
  bytes: number;
}

function entryRecord(array: NdArray, shard: number, offset: number, size: number, crc: number): Uint8Array {
  const shape = new ProtoWriter();
  for (const axis of array.shape) shape.message(2, new ProtoWriter().uint(1, axis));
  return new ProtoWriter()
    .uint(1, DTYPES[array.dtype].enumValue)
    .message(2, shape)
    .uint(3, shard)
    .uint(4, offset)
    .uint(5, size)
    .fixed32(6, crc)
    .finish();
}

function headerRecord(shards: number): Uint8Array {
  return new ProtoWriter().uint(1, shards).message(3, new ProtoWriter().uint(1, 1)).finish();
}

/** Old data files of that prefix, and a count of shards under which none of the new ones takes an old one's name. */
async function freeCount(sink: FileSink, base: string, shards: number): Promise<{ count: number; old: string[] }> {
  const old = (await sink.list()).filter((name) => name.startsWith(base) && DATA.test(name.slice(base.length)));
  const counts = new Set(old.map((name) => Number(DATA.exec(name.slice(base.length))![1])));
  let count = shards;
  while (counts.has(count)) count++;
  return { count, old };
}

function checkName(name: string, seen: Set<string>): void {
  if (name === '' || name.startsWith('\0')) {
    throw new CheckpointError(
      'InvalidArgument',
      'a tensor needs a name that is not empty and does not begin with NUL',
      {
        tensor: name,
      },
    );
  }
  if (seen.has(name)) throw new CheckpointError('Conflict', 'two tensors have this name', { tensor: name });
  seen.add(name);
}

/**
 * Writes tensors, as they come, as a V2 checkpoint. Only when the index is renamed into place does the new checkpoint
 * take the old one's place: until then the old one's files are all there, under names that the new ones do not use.
 *
 * @throws {CheckpointError} `Conflict`, `InvalidArgument`, `Io`; nothing is left behind then
 */
export async function writeBundle(
  sink: FileSink,
  base: string,
  tensors: AsyncIterable<NamedArray>,
  checksum: Crc32c,
  { shards = 1 }: ShardOptions,
): Promise<void> {
  if (!(Number.isInteger(shards) && shards >= 1 && shards <= MAX_SHARDS)) {
    throw new CheckpointError('InvalidArgument', `shards must be 1 to ${MAX_SHARDS}, not ${shards}`);
  }
  const { count, old } = await freeCount(sink, base, shards);
  const open: Shard[] = [];
  const pending: PendingFile[] = [];
  const committed: string[] = [];
  try {
    for (let i = 0; i < count; i++) {
      open.push({ file: await sink.create(), bytes: 0 });
      pending.push(open[i]!.file);
    }
    const records = await writeTensors(tensors, open.slice(0, shards), checksum);
    const index = await sink.create();
    pending.push(index);
    const encoder = new TextEncoder();
    const sorted = [...records].map(([name, record]) => [encoder.encode(name), record] as const);
    sorted.sort(([a], [b]) => compareKeys(a, b));
    const header = [new Uint8Array(0), headerRecord(count)] as const;
    for (const part of buildTable([header, ...sorted], checksum)) await index.write(part);
    for (const [i, { file }] of open.entries()) {
      await file.commit(shardName(base, i, count));
      committed.push(shardName(base, i, count));
    }
    await index.commit(`${base}.index`);
  } catch (error) {
    for (const file of pending) await file.discard().catch(() => undefined);
    for (const name of committed) await sink.remove(name).catch(() => undefined);
    throw error;
  }
  for (const name of old) await sink.remove(name);
}

async function writeTensors(
  tensors: AsyncIterable<NamedArray>,
  shards: readonly Shard[],
  checksum: Crc32c,
): Promise<Map<string, Uint8Array>> {
  const records = new Map<string, Uint8Array>();
  const seen = new Set<string>();
  for await (const tensor of tensors) {
    checkName(tensor.name, seen);
    const array = ndArray(tensor.dtype, tensor.shape, tensor.data);
    const { bytes, crc } = Array.isArray(array.data)
      ? encodeStrings(array.data, checksum)
      : { bytes: bytesOf(array), crc: undefined };
    let smallest = 0;
    for (let i = 1; i < shards.length; i++) if (shards[i]!.bytes < shards[smallest]!.bytes) smallest = i;
    const shard = shards[smallest]!;
    await shard.file.write(bytes);
    const masked = maskCrc(crc ?? checksum(bytes));
    records.set(tensor.name, entryRecord(array, smallest, shard.bytes, bytes.length, masked));
    shard.bytes += bytes.length;
  }
  return records;
}
