// The index of a V2 checkpoint: a table whose first record is the header, and each further one a tensor or a slice of one.
import { DTYPES } from '@tfparity/array';
import { type BlockRecords, keyAt } from './block-records.js';
import { type BundleEntry, type BundleHeader, type BundleTensor, readEntry, readHeader } from './bundle-entry.js';
import { EntryDecoder } from './entry-decoder.js';
import { corrupt, type Where } from './errors.js';
import { ProtoReader } from './proto-reader.js';
import type { SsTable } from './sstable.js';
import { elementCount, type UnreadableEntry } from './store.js';
import { resolveSlice, type StoredSlice, sliceKey } from './tensor-slice.js';

// An index block unpacks to some 256 KB as TensorFlow writes it; one record can be longer (a variable of many slices).
const MAX_BLOCK = 32 * 2 ** 20;
// What all names together may take, beside so many times the file: keys that share most of their bytes fill any memory.
const NAME_SLACK = 2 ** 24;
const NAME_EXPANSION = 64;

const binary = new TextDecoder('latin1');
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const latin1 = (bytes: Uint8Array): string => binary.decode(bytes);

/** What the index of a V2 checkpoint says. */
export interface BundleIndex {
  readonly header: BundleHeader;
  readonly located: readonly BundleTensor[];
  readonly unreadable: readonly UnreadableEntry[];
}

/** Whether an entry's numbers can be: checked when listing, so that a forged size is never allocated. */
function checkEntry(entry: BundleTensor, header: BundleHeader, file: string | undefined): void {
  const { dtype, shape, bytes, shard, name } = entry;
  const count = elementCount(shape, file, name);
  const expected = count * DTYPES[dtype].itemSize;
  if (entry.storedSlices) return;
  if (shard >= header.numShards) {
    throw corrupt(`it is in shard ${shard}, but there are ${header.numShards}`, { file, tensor: name });
  }
  // Of a string the length is stored, which takes a byte at least, and of all of them a checksum.
  if (dtype === 'string' ? bytes < count + 4 : expected !== bytes) {
    throw corrupt(`Invalid size in bundle entry: key ${name}; stored size ${bytes}; expected size ${expected}`, {
      file,
      tensor: name,
    });
  }
}

/** The names that a block's keys are, by their place: decoded at once where all are ASCII, else one by one. */
function namesOf(records: BlockRecords): (i: number) => string {
  const { keys, keyEnds, count, ascii } = records;
  if (ascii) {
    const text = latin1(keys.subarray(0, keyEnds[count - 1]));
    return (i) => text.substring(i === 0 ? 0 : keyEnds[i - 1]!, keyEnds[i]);
  }
  // The key of a slice is no text: its bytes stand for themselves.
  return (i) => {
    const key = keyAt(records, i);
    return key[0] === 0 ? latin1(key) : utf8.decode(key);
  };
}

class IndexReader {
  header: BundleHeader | undefined;
  readonly located: BundleTensor[] = [];
  private readonly unreadable: UnreadableEntry[] = [];
  private readonly sliced = new Map<string, BundleEntry>();
  private decoder: EntryDecoder | undefined;
  private room: number;

  constructor(
    private readonly file: string | undefined,
    size: number,
  ) {
    this.room = NAME_SLACK + NAME_EXPANSION * size;
  }

  addBlock(records: BlockRecords, block: Uint8Array): void {
    const { keys, keyEnds, count, from, to } = records;
    if (count === 0) return;
    const { file } = this;
    this.room -= keyEnds[count - 1]!;
    if (this.room < 0) throw corrupt('the names in the index take more than a file of its size can hold', { file });
    let i = 0;
    if (!this.header) {
      this.readHeader(records, block);
      i = 1;
    }
    const { located } = this;
    const decoder = this.decoder!;
    const name = namesOf(records);
    for (; i < count; i++) {
      const isSlice = keys[keyEnds[i - 1] ?? 0] === 0;
      const entry = isSlice ? undefined : decoder.decode(block, from[i]!, to[i]!, name(i));
      // Keys come in order and once each, so that a list needs no look-up.
      if (entry) located.push(entry);
      else this.addRecord(block, from[i]!, to[i]!, name(i), isSlice);
    }
  }

  /** The tensors with their slices in place. */
  finish(): BundleIndex {
    const { header, located, unreadable, sliced, file } = this;
    if (!header) throw corrupt('the index is empty: it has no header', { file });
    if (this.decoder!.declined > 0) {
      for (const entry of located) if (entry.storedSlices) locateSlices(entry, entry.storedSlices, sliced, file);
    }
    return { header, located, unreadable };
  }

  private readHeader(records: BlockRecords, block: Uint8Array): void {
    const { file } = this;
    if (records.keyEnds[0] !== 0) {
      throw corrupt('the index has no header: this is a table, but not of a checkpoint', { file });
    }
    this.header = readHeader(new ProtoReader(block, { file }, records.from[0], records.to[0]));
    this.decoder = new EntryDecoder(this.header.numShards);
  }

  /** A record that is more than a plain tensor, or is damaged: read with every check, and an error that says where. */
  private addRecord(block: Uint8Array, from: number, to: number, name: string, isSlice: boolean): void {
    const { file } = this;
    const entry = readEntry(new ProtoReader(block, { file }, from, to), name);
    if (!('crc' in entry)) {
      if (!isSlice) this.unreadable.push(entry);
      return;
    }
    checkEntry(entry, this.header!, file);
    if (isSlice) this.sliced.set(name, entry);
    else this.located.push(entry);
  }
}

/** Reads the whole index. @throws {CheckpointError} `Corrupt`, `Unsupported` */
export async function readIndex(table: SsTable): Promise<BundleIndex> {
  const reader = new IndexReader(table.source.name, table.source.size);
  await table.visit(MAX_BLOCK, (records, block) => reader.addBlock(records, block));
  return reader.finish();
}

function locateSlices(
  entry: BundleTensor,
  storedSlices: readonly StoredSlice[],
  sliced: ReadonlyMap<string, BundleEntry>,
  file: string | undefined,
): void {
  const { name } = entry;
  const where: Where = { file, tensor: name };
  const slices = storedSlices.map((slice) => resolveSlice(slice, entry.shape, where));
  entry.slices = slices;
  entry.parts = storedSlices.map((slice, i) => {
    const part = sliced.get(latin1(sliceKey(name, slice)));
    if (!part) throw corrupt(`its slice ${i} is not in the index`, where);
    if (part.dtype !== entry.dtype || part.storedSlices || part.shape.join() !== slices[i]!.length.join()) {
      throw corrupt(`its slice ${i} has another dtype or shape than the index says`, where);
    }
    return part;
  });
}
