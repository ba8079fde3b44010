// V1 checkpoints: tensorflow/core/util/tensor_slice_reader.cc over SavedTensorSlices (saved_tensor_slice.proto). One table
// (or one per shard) whose first record lists the tensors; each slice's values are a record of their own.
import type { NdArray, NumericData } from '@tfparity/array';
import { DTYPES, dataLength, sameShape } from '@tfparity/array';
import { type BlockRecords, indexOfKey, readRecords } from './block-records.js';
import { readShape } from './bundle-entry.js';
import { type ByteSource, readExactly } from './byte-source.js';
import { type Crc32c, maskCrc } from './crc32c.js';
import { corrupt, type Where } from './errors.js';
import { ProtoReader } from './proto-reader.js';
import { type ReadJob, readJob, runAhead } from './read-ahead.js';
import { assembleSlices } from './slice-assembly.js';
import { MAX_EXPANSION, unsnappyStart } from './snappy.js';
import { type IndexedBlock, SsTable, TRAILER_SIZE } from './sstable.js';
import { type CheckpointEntry, elementCount, type NamedArray, storedDType, type TensorStore } from './store.js';
import { readStoredSlice, resolveSlice, type StoredSlice, sliceKey, type TensorSlice } from './tensor-slice.js';
import { mostEncodedBytes, readTensorValues } from './tensor-values.js';

const MAX_META = 64 * 2 ** 20;
const BLOCK_SLACK = 2 ** 20;
// A block that several tensors share is kept for the next of them, up to this size.
const MOST_KEPT = 16 * 2 ** 20;

interface Part {
  readonly table: SsTable;
  readonly stored: StoredSlice;
  readonly slice: TensorSlice;
}

/** A block that was read, checked and unpacked. */
interface Contents {
  readonly block: IndexedBlock;
  readonly bytes: Uint8Array;
  readonly records: BlockRecords;
}

interface V1Entry extends CheckpointEntry {
  readonly parts: readonly Part[];
}

interface MetaEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: number;
  readonly slices: readonly StoredSlice[];
}

/** A V1 checkpoint whose list of tensors was read. */
export class SavedSlices implements TensorStore {
  readonly format = 'V1';
  private kept: { readonly block: IndexedBlock; readonly contents: Promise<Contents> } | undefined;

  private constructor(
    readonly location: string,
    readonly entries: readonly V1Entry[],
    private readonly tables: readonly SsTable[],
    private readonly blockLimit: number,
  ) {}

  /** Reads the list of tensors of each file. @throws {CheckpointError} `NotACheckpoint`, `Corrupt` */
  static async open(
    location: string,
    sources: readonly ByteSource[],
    checksum: Crc32c | undefined,
  ): Promise<SavedSlices> {
    const tables: SsTable[] = [];
    const found = new Map<string, { meta: MetaEntry; parts: Part[]; where: Where }>();
    for (const source of sources) {
      const table = await SsTable.open(source, checksum);
      tables.push(table);
      for (const meta of await readMeta(table, checksum)) {
        const where: Where = { file: source.name, tensor: meta.name };
        const parts = meta.slices.map((stored) => ({ table, stored, slice: resolveSlice(stored, meta.shape, where) }));
        const before = found.get(meta.name);
        if (!before) found.set(meta.name, { meta, parts, where });
        else if (before.meta.dtype !== meta.dtype || !sameShape(before.meta.shape, meta.shape)) {
          throw corrupt('two shards disagree on its shape or dtype', where);
        } else before.parts.push(...parts);
      }
    }
    const entries = [...found.values()].map(({ meta, parts, where }) => makeEntry(meta, parts, where));
    const most = entries.map((e) => mostEncodedBytes(e.dtype, dataLength(e.dtype, e.shape)));
    const limit = most.reduce((a, b) => Math.max(a, b), 0) + BLOCK_SLACK;
    return new SavedSlices(location, entries, tables, Math.min(limit, Number.MAX_SAFE_INTEGER));
  }

  async read(entry: CheckpointEntry): Promise<NdArray> {
    const { parts, slices, dtype, shape, name } = entry as V1Entry;
    if (!slices) return this.readPart(entry, parts[0]!);
    const where: Where = { file: parts[0]?.table.source.name ?? this.location, tensor: name };
    // An element takes a byte at least, of a block that may be packed.
    const most = this.tables.reduce((sum, { source }) => sum + source.size, 0) * MAX_EXPANSION;
    const whole = { dtype, shape, slices, available: most * (DTYPES[dtype].itemSize || 1) };
    return assembleSlices(whole, where, (i) => this.readPart(entry, parts[i]!));
  }

  async readSlice(entry: CheckpointEntry, index: number): Promise<NdArray> {
    return this.readPart(entry, (entry as V1Entry).parts[index]!);
  }

  stream(entries: readonly CheckpointEntry[]): AsyncIterable<NamedArray> {
    return runAhead(this.plan(entries as readonly V1Entry[]));
  }

  async close(): Promise<void> {
    this.kept = undefined;
    for (const { source } of this.tables) await source.close?.();
  }

  /** Whole tensors block by block, each block read once; then those that are put together. */
  private plan(entries: readonly V1Entry[]): ReadJob[] {
    const byBlock = new Map<IndexedBlock, { table: SsTable; entries: V1Entry[] }>();
    const jobs: ReadJob[] = [];
    const sliced: ReadJob[] = [];
    for (const entry of entries) {
      const part = entry.parts[0];
      const block = part && !entry.slices ? part.table.blockOf(sliceKey(entry.name, part.stored)) : undefined;
      if (!part || !block) {
        sliced.push(readJob(entry, (e) => this.read(e)));
        continue;
      }
      const known = byBlock.get(block);
      if (known) known.entries.push(entry);
      else byBlock.set(block, { table: part.table, entries: [entry] });
    }
    const order = new Map(this.tables.map((table, i) => [table, i]));
    const blocks = [...byBlock].sort(
      ([a, x], [b, y]) => order.get(x.table)! - order.get(y.table)! || a.offset - b.offset,
    );
    for (const [block, group] of blocks) {
      const run = async (): Promise<(() => NamedArray)[]> => {
        const contents = await this.readBlock(group.table, block, group.entries[0]!);
        return group.entries.map((entry, i) => () => {
          const own = i === group.entries.length - 1 && (i === 0 || fills(entry, block));
          return { name: entry.name, ...this.decode(group.table, contents, entry, entry.parts[0]!, own) };
        });
      };
      jobs.push({ bytes: block.size, run });
    }
    return [...jobs, ...sliced];
  }

  private async readPart(entry: CheckpointEntry, part: Part): Promise<NdArray> {
    const key = sliceKey(entry.name, part.stored);
    const block = part.table.blockOf(key);
    if (!block) throw corrupt('its values are not in the file', { file: part.table.source.name, tensor: entry.name });
    const own = fills(entry, block);
    const contents = own
      ? await this.takeBlock(part.table, block, entry)
      : await this.keepBlock(part.table, block, entry);
    return this.decode(part.table, contents, entry, part, own);
  }

  /** A block of which the caller gets views: nobody else does, as what they write would reach him. */
  private takeBlock(table: SsTable, block: IndexedBlock, entry: CheckpointEntry): Promise<Contents> {
    const { kept } = this;
    if (kept?.block !== block) return this.readBlock(table, block, entry);
    this.kept = undefined;
    return kept.contents;
  }

  /** A block of which the caller gets copies. Neighbours are mostly read one after the other, so that it is kept. */
  private keepBlock(table: SsTable, block: IndexedBlock, entry: CheckpointEntry): Promise<Contents> {
    if (this.kept?.block === block) return this.kept.contents;
    const contents = this.readBlock(table, block, entry);
    if (block.size <= MOST_KEPT) {
      const kept = { block, contents };
      this.kept = kept;
      contents.catch(() => {
        if (this.kept === kept) this.kept = undefined;
      });
    }
    return contents;
  }

  /** A block's contents, placed so that the values of its last tensor lie aligned: large ones come last. */
  private async readBlock(table: SsTable, block: IndexedBlock, entry: CheckpointEntry): Promise<Contents> {
    // Values end where the restarts begin, of which a block of a large tensor has one, after which comes their count.
    const pad = (8 - (block.size % 8)) % 8;
    const bytes = await table.readOwnBlock(block, this.blockLimit, entry.name, pad);
    return { block, bytes, records: readRecords(bytes, { file: table.source.name, offset: block.offset }) };
  }

  /** The tensor in its block; where the block is not the caller's own, as a copy. */
  private decode(
    table: SsTable,
    { block, bytes, records }: Contents,
    entry: CheckpointEntry,
    part: Part,
    own: boolean,
  ): NdArray {
    const where: Where = { file: table.source.name, offset: block.offset, tensor: entry.name };
    const i = indexOfKey(records, sliceKey(entry.name, part.stored));
    if (i < 0) throw corrupt('its values are not in the file', where);
    const reader = new ProtoReader(bytes, where, records.from[i], records.to[i]);
    if (!enterData(reader)) throw corrupt('its record holds no values', where);
    const array = readTensorValues(reader, entry.dtype, part.slice.length);
    const shares = !own && !Array.isArray(array.data) && array.data.buffer === bytes.buffer;
    return shares ? { ...array, data: (array.data as NumericData).slice() } : array;
  }
}

/** Whether a tensor is most of its block: it may then keep it, instead of a copy of its part. */
function fills(entry: CheckpointEntry, block: IndexedBlock): boolean {
  return entry.slices === undefined && entry.bytes * 2 > block.size;
}

/** Goes into SavedTensorSlices.data.data, the TensorProto of a record. */
function enterData(reader: ProtoReader): boolean {
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === 2) {
      reader.enter();
      for (let part = reader.next(); part; part = reader.next()) {
        if (part === 3) {
          reader.enter();
          return true;
        }
        reader.skip();
      }
      return false;
    }
    reader.skip();
  }
  return false;
}

function makeEntry(meta: MetaEntry, parts: readonly Part[], where: Where): V1Entry {
  const { name, shape } = meta;
  const dtype = storedDType(meta.dtype, where);
  const bytes = elementCount(shape, where.file, name) * DTYPES[dtype].itemSize;
  if (parts.length === 0) throw corrupt('no slice of it is in the file', where);
  const whole = parts.length === 1 && sameShape(parts[0]!.slice.length, shape);
  const slices = parts.map((part) => part.slice);
  return { name, dtype, shape, bytes, parts, ...(whole ? {} : { slices }) };
}

function readMetaEntry(reader: ProtoReader): MetaEntry {
  let name = '';
  let shape: readonly number[] = [];
  let dtype = 0;
  const slices: StoredSlice[] = [];
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === 1) name = reader.string();
    else if (field === 3) dtype = reader.uint31();
    else if (field === 2 || field === 4) {
      const outer = reader.enter();
      if (field === 2) shape = readShape(reader);
      else slices.push(readStoredSlice(reader));
      reader.leave(outer);
    } else reader.skip();
  }
  return { name, shape, dtype, slices };
}

async function readMeta(table: SsTable, checksum: Crc32c | undefined): Promise<MetaEntry[]> {
  const { bytes, from, to, where } = await firstRecord(table, checksum);
  const entries: MetaEntry[] = [];
  const reader = new ProtoReader(bytes, where, from, to);
  let listed = false;
  for (let field = reader.next(); field; field = reader.next()) {
    if (field !== 1) {
      reader.skip();
      continue;
    }
    listed = true;
    const outer = reader.enter();
    for (let part = reader.next(); part; part = reader.next()) {
      if (part !== 1) {
        reader.skip();
        continue;
      }
      const tensors = reader.enter();
      entries.push(readMetaEntry(reader));
      reader.leave(tensors);
    }
    reader.leave(outer);
  }
  if (!listed) throw corrupt('Could not find meta data: this is a table, but not of a checkpoint', where);
  return entries;
}

interface FirstRecord {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly where: Where;
}

/** The record that lists the tensors. A large tensor may follow it in its block: that is checked, but not kept. */
async function firstRecord(table: SsTable, checksum: Crc32c | undefined): Promise<FirstRecord> {
  const { source } = table;
  const [block] = table.blocks;
  if (!block) throw corrupt('Could not find meta data: the table is empty', { file: source.name });
  const where: Where = { file: source.name, offset: block.offset };
  const kept = await readExactly(source, block.offset, Math.min(block.size, MAX_META));
  const trailer = await readExactly(source, block.offset + block.size, TRAILER_SIZE);
  if (checksum) {
    let crc = checksum(kept);
    for (let at = kept.length; at < block.size; at += BLOCK_SLACK) {
      crc = checksum(await readExactly(source, block.offset + at, Math.min(BLOCK_SLACK, block.size - at)), crc);
    }
    const actual = maskCrc(checksum(trailer.subarray(0, 1), crc));
    const expected = new DataView(trailer.buffer, trailer.byteOffset).getUint32(1, true);
    if (actual !== expected) {
      throw corrupt(`block checksum mismatch: stored ${expected} vs. calculated ${actual}`, where, {
        expected,
        actual,
      });
    }
  }
  const packed = trailer[0] === 1;
  if (!packed && trailer[0] !== 0) throw corrupt(`bad block type ${trailer[0]}`, where);
  const start = packed ? unsnappyStart(kept, where, 64) : kept;
  const reader = new ProtoReader(start, where, 0, Math.min(start.length, 64));
  reader.wire = 0;
  const [shared, fresh, size] = [reader.uint(), reader.uint(), reader.uint()];
  const from = reader.position;
  if (shared !== 0 || fresh !== 0) throw corrupt('Could not find meta data: the first record is another', where);
  const to = from + size!;
  if (to > MAX_META) throw corrupt(`a list of tensors of ${size} bytes is more than there can be`, where);
  const bytes = packed ? unsnappyStart(kept, where, to) : kept;
  if (to > bytes.length) throw corrupt('the list of tensors goes past the end of its block', where);
  return { bytes, from, to, where };
}
