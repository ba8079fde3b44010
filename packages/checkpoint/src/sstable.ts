// LevelDB's table format as TensorFlow keeps it (tensorflow/core/lib/io/{format,block,table}.cc): a footer that points at
// an index block, blocks of prefix-compressed keys, each with its compression type and masked CRC-32C.
import { type BlockRecords, compareKeys, keyAt, readRecords, visitRecords } from './block-records.js';
import { type ByteSource, readExactly, readOwned } from './byte-source.js';
import { type Crc32c, maskCrc } from './crc32c.js';
import { CheckpointError, corrupt, type Where } from './errors.js';
import { unsnappy } from './snappy.js';
import { type Cursor, readVarint } from './varint.js';

/** Bytes of the footer that ends every table. */
export const FOOTER_SIZE = 48;
/** Bytes after each block: its compression type and its checksum. */
export const TRAILER_SIZE = 5;
const MAGIC_LOW = 0x8b80fb57;
const MAGIC_HIGH = 0xdb477524;
// The largest index of a real model is a few megabytes; what is far greater was forged, or is not an index.
const MAX_INDEX_BLOCK = 64 * 2 ** 20;
const WINDOW = 2 ** 20;

/** Where a block lies. */
export interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/** A block of the table, and the last key that can be in it. */
export interface IndexedBlock extends BlockHandle {
  readonly lastKey: Uint8Array;
}

/** Whether the file ends as a table does. */
export async function looksLikeTable(source: ByteSource): Promise<boolean> {
  if (source.size < FOOTER_SIZE) return false;
  return hasMagic(await readExactly(source, source.size - FOOTER_SIZE, FOOTER_SIZE));
}

function hasMagic(footer: Uint8Array): boolean {
  const view = new DataView(footer.buffer, footer.byteOffset, footer.byteLength);
  return view.getUint32(FOOTER_SIZE - 8, true) === MAGIC_LOW && view.getUint32(FOOTER_SIZE - 4, true) === MAGIC_HIGH;
}

/** A table whose index is in memory; blocks are read when they are asked for. */
export class SsTable {
  private constructor(
    readonly source: ByteSource,
    /** The data blocks, in the order of their keys and of the file. */
    readonly blocks: readonly IndexedBlock[],
    private readonly checksum: Crc32c | undefined,
  ) {}

  /**
   * Reads footer and index.
   *
   * @throws {CheckpointError} `NotACheckpoint` without the magic number, `Corrupt` for damage
   */
  static async open(source: ByteSource, checksum: Crc32c | undefined): Promise<SsTable> {
    const file = source.name;
    if (source.size < FOOTER_SIZE) {
      throw new CheckpointError('NotACheckpoint', `file is too short to be an sstable (${source.size} bytes)`, {
        file,
      });
    }
    const offset = source.size - FOOTER_SIZE;
    const footer = await readExactly(source, offset, FOOTER_SIZE);
    if (!hasMagic(footer)) {
      throw new CheckpointError(
        'NotACheckpoint',
        'not an sstable (bad magic number): perhaps your file is in a different file format and you need to use a different restore operator?',
        { file, offset: source.size - 8 },
      );
    }
    const cursor: Cursor = { bytes: footer, position: 0, end: FOOTER_SIZE - 8, where: { file, offset } };
    const meta = readHandle(cursor);
    const index = readHandle(cursor);
    for (let i = cursor.position; i < FOOTER_SIZE - 8; i++) {
      if (footer[i] !== 0) throw corrupt('the padding of the footer is not zero', { file, offset: offset + i });
    }
    const blocks: IndexedBlock[] = [];
    const table = new SsTable(source, blocks, checksum);
    for (const handle of [meta, index]) {
      if (handle.offset + handle.size + TRAILER_SIZE > offset) {
        throw corrupt(`the footer points at ${handle.size} bytes at ${handle.offset}, past the end`, { file, offset });
      }
    }
    visitRecords(await table.readBlock(meta, MAX_INDEX_BLOCK), { file, offset: meta.offset }, () => undefined);
    const where = { file, offset: index.offset };
    visitRecords(await table.readBlock(index, MAX_INDEX_BLOCK), where, (key, block, from, to) => {
      const handle = readHandle({ bytes: block, position: from, end: to, where });
      blocks.push({ ...handle, lastKey: key.slice() });
    });
    table.checkLayout();
    return table;
  }

  /** Whether blocks follow each other without overlapping: only then is the work bounded by the size of the file. */
  private checkLayout(): void {
    let end = 0;
    for (const { offset, size } of this.blocks) {
      if (offset < end || offset + size + TRAILER_SIZE > this.source.size) {
        throw corrupt(`the index points at ${size} bytes, which overlap others or the end`, {
          file: this.source.name,
          offset,
        });
      }
      end = offset + size + TRAILER_SIZE;
    }
  }

  /** The contents of a block, checked and unpacked; `limit` bounds what it may unpack to. */
  async readBlock(handle: BlockHandle, limit: number, tensor?: string): Promise<Uint8Array> {
    if (handle.size > limit) throw this.tooLarge(handle, handle.size, limit, tensor);
    const stored = await readExactly(this.source, handle.offset, handle.size + TRAILER_SIZE, tensor);
    return this.unpack(stored, handle, limit, tensor);
  }

  private tooLarge(handle: BlockHandle, size: number, limit: number, tensor?: string): CheckpointError {
    const where = { file: this.source.name, offset: handle.offset, tensor };
    return corrupt(`a block of ${size} bytes is more than the ${limit} that can be there`, where, { size, limit });
  }

  /** A block that the caller may keep and give away; `pad` unused bytes come before it, to align what is in it. */
  async readOwnBlock(handle: BlockHandle, limit: number, tensor: string, pad: number): Promise<Uint8Array> {
    const { checksum } = this;
    let crc = 0;
    let left = handle.size + 1;
    const look = (piece: Uint8Array): void => {
      if (checksum && left > 0) crc = checksum(piece.subarray(0, left), crc);
      left = Math.max(0, left - piece.length);
    };
    const length = handle.size + TRAILER_SIZE;
    const stored = await readOwned(this.source, handle.offset, length, { tensor, pad, look });
    return this.unpack(stored, handle, limit, tensor, crc);
  }

  /** Checks and unpacks a block that was read with its trailer; `crc` is its checksum, where that is known. */
  unpack(stored: Uint8Array, handle: BlockHandle, limit: number, tensor?: string, crc?: number): Uint8Array {
    const { size, offset } = handle;
    const where: Where = { file: this.source.name, offset, tensor };
    const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
    if (this.checksum) {
      const expected = view.getUint32(size + 1, true);
      const actual = maskCrc(crc ?? this.checksum(stored.subarray(0, size + 1)));
      if (expected !== actual) {
        throw corrupt(`block checksum mismatch: stored ${expected} vs. calculated ${actual}`, where, {
          expected,
          actual,
        });
      }
    }
    const contents = stored.subarray(0, size);
    const kind = stored[size]!;
    if (kind === 0) return contents;
    if (kind !== 1) throw corrupt(`bad block type ${kind}`, where, { kind });
    return unsnappy(contents, where, limit);
  }

  /** Visits the blocks of the table with their records, in order; they are read about a megabyte at a time. */
  async visit(limit: number, visit: (records: BlockRecords, block: Uint8Array) => void): Promise<void> {
    const { blocks, source } = this;
    let last: Uint8Array | undefined;
    for (let i = 0; i < blocks.length; ) {
      const start = blocks[i]!.offset;
      let j = i;
      let end = start;
      for (; j < blocks.length; j++) {
        const next = blocks[j]!.offset + blocks[j]!.size + TRAILER_SIZE;
        if (j > i && next - start > WINDOW) break;
        end = next;
      }
      if (end - start - TRAILER_SIZE > Math.max(limit, WINDOW)) throw this.tooLarge(blocks[i]!, end - start, limit);
      const window = await readExactly(source, start, end - start);
      for (; i < j; i++) {
        const handle = blocks[i]!;
        const from = handle.offset - start;
        const stored = window.subarray(from, from + handle.size + TRAILER_SIZE);
        const where = { file: source.name, offset: handle.offset };
        const block = this.unpack(stored, handle, limit);
        const records = readRecords(block, where);
        if (last && records.count > 0 && compareKeys(keyAt(records, 0), last) <= 0) {
          throw corrupt('the keys of a table are out of order', where);
        }
        visit(records, block);
        last = handle.lastKey;
      }
    }
  }

  /** The block that must hold a key, if any does. */
  blockOf(key: Uint8Array): IndexedBlock | undefined {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.blocks[middle]!.lastKey, key) < 0) low = middle + 1;
      else high = middle;
    }
    return this.blocks[low];
  }
}

function readHandle(cursor: Cursor): BlockHandle {
  return { offset: readVarint(cursor), size: readVarint(cursor) };
}
