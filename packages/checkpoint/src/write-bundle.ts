// V2 checkpoints, written as BundleWriter of tensorflow/core/util/tensor_bundle/tensor_bundle.cc does.
import {
  bytesOf,
  DTYPES,
  type DType,
  formatShape,
  type NdArray,
  ndArray,
  type Shape,
  sameShape,
} from '@tfparity/array';
import { compareKeys } from './block-records.js';
import { type Crc32c, maskCrc } from './crc32c.js';
import { CheckpointError } from './errors.js';
import type { FileSink, PendingFile } from './file-sink.js';
import { ProtoWriter } from './proto-writer.js';
import type { NamedArray } from './store.js';
import { encodeStrings } from './string-tensor.js';
import { shardName } from './tensor-bundle.js';
import { checkCover, resolveSlice, sliceKey, type TensorSlice } from './tensor-slice.js';
import { buildTable } from './write-sstable.js';

/** How a bundle is cut into files. */
export interface ShardOptions {
  /** How many data files; each tensor goes to the one that is smallest so far. 1 unless it is said otherwise. */
  readonly shards?: number;
}

const DATA = /^\.data-\d{5}-of-(\d{5})$/;
const MAX_SHARDS = 1000;

/** An array to write: a whole tensor, or a slice of one. */
export interface WrittenArray extends NamedArray {
  /** For a slice: the whole tensor's shape, and where in it the array begins. */
  readonly slice?: { readonly fullShape: Shape; readonly start: readonly number[] };
}

interface Shard {
  readonly file: PendingFile;
  bytes: number;
}

function tensorRecord(dtype: DType, shape: Shape): ProtoWriter {
  const axes = new ProtoWriter();
  for (const axis of shape) axes.message(2, new ProtoWriter().uint(1, axis));
  return new ProtoWriter().uint(1, DTYPES[dtype].enumValue).message(2, axes);
}

function entryRecord({ dtype, shape }: NdArray, shard: number, offset: number, size: number, crc: number): Uint8Array {
  return tensorRecord(dtype, shape).uint(3, shard).uint(4, offset).uint(5, size).fixed32(6, crc).finish();
}

/** The record of a tensor whose values are in slices, each with a record of its own. */
function slicedRecord({ dtype, fullShape, slices }: Sliced): Uint8Array {
  const record = tensorRecord(dtype, fullShape);
  for (const { start, length } of slices) {
    const extents = new ProtoWriter();
    start.forEach((from, axis) => {
      extents.message(1, new ProtoWriter().uint(1, from).uint(2, length[axis]!));
    });
    record.message(7, extents);
  }
  return record.finish();
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

function checkName(name: string): void {
  if (name === '' || name.startsWith('\0')) {
    throw new CheckpointError(
      'InvalidArgument',
      'a tensor needs a name that is not empty and does not begin with NUL',
      {
        tensor: name,
      },
    );
  }
}

interface Sliced {
  readonly dtype: DType;
  readonly fullShape: Shape;
  readonly slices: TensorSlice[];
}

/** The records of an index, by key. */
class IndexRecords {
  private readonly records: (readonly [Uint8Array, Uint8Array])[] = [];
  private readonly whole = new Set<string>();
  private readonly sliced = new Map<string, Sliced>();
  private readonly encoder = new TextEncoder();

  /** Makes sure that a tensor can be taken in beside those that were. @throws {CheckpointError} */
  check({ name, dtype, shape, slice }: WrittenArray): void {
    checkName(name);
    const known = this.sliced.get(name);
    if (this.whole.has(name) || (known && !slice)) {
      throw new CheckpointError('Conflict', 'two tensors have this name', { tensor: name });
    }
    if (!slice) return;
    const { start, fullShape } = slice;
    if (known && (known.dtype !== dtype || !sameShape(known.fullShape, fullShape))) {
      throw new CheckpointError('Conflict', 'its slices disagree on its shape or dtype', { tensor: name });
    }
    const placed = start.every((from) => Number.isSafeInteger(from) && from >= 0);
    if (!placed || start.length !== shape.length || shape.length === 0 || shape.includes(0)) {
      const box = `${formatShape(shape)} from ${formatShape(start)}`;
      throw new CheckpointError('InvalidArgument', `${box} is no slice of ${formatShape(fullShape)}`, { tensor: name });
    }
    resolveSlice({ start, length: shape }, fullShape, { tensor: name });
  }

  add({ name, dtype, shape, slice }: WrittenArray, record: Uint8Array): void {
    if (!slice) {
      this.whole.add(name);
      this.records.push([this.encoder.encode(name), record]);
      return;
    }
    const box = { start: slice.start, length: shape };
    const known = this.sliced.get(name) ?? { dtype, fullShape: slice.fullShape, slices: [] };
    this.sliced.set(name, known);
    known.slices.push(box);
    this.records.push([sliceKey(name, box), record]);
  }

  /** Every record in the order of the keys. @throws {CheckpointError} `Corrupt` for slices that do not make their tensor */
  finish(): (readonly [Uint8Array, Uint8Array])[] {
    for (const [name, sliced] of this.sliced) {
      checkCover(sliced.slices, sliced.fullShape, { tensor: name });
      this.records.push([this.encoder.encode(name), slicedRecord(sliced)]);
    }
    return this.records.sort(([a], [b]) => compareKeys(a, b));
  }
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
  tensors: AsyncIterable<WrittenArray>,
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
    const header = [new Uint8Array(0), headerRecord(count)] as const;
    for (const part of buildTable([header, ...records], checksum)) await index.write(part);
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
  tensors: AsyncIterable<WrittenArray>,
  shards: readonly Shard[],
  checksum: Crc32c,
): Promise<(readonly [Uint8Array, Uint8Array])[]> {
  const records = new IndexRecords();
  for await (const tensor of tensors) {
    records.check(tensor);
    const array = ndArray(tensor.dtype, tensor.shape, tensor.data);
    const { bytes, crc } = Array.isArray(array.data)
      ? encodeStrings(array.data, checksum)
      : { bytes: bytesOf(array), crc: undefined };
    let smallest = 0;
    for (let i = 1; i < shards.length; i++) if (shards[i]!.bytes < shards[smallest]!.bytes) smallest = i;
    const shard = shards[smallest]!;
    await shard.file.write(bytes);
    const masked = maskCrc(crc ?? checksum(bytes));
    records.add(tensor, entryRecord(array, smallest, shard.bytes, bytes.length, masked));
    shard.bytes += bytes.length;
  }
  return records.finish();
}
