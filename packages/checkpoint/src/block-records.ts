// The records of one block of a table (tensorflow/core/lib/io/block.cc): keys that share their beginnings, and values.
import { corrupt, type Where } from './errors.js';
import { type Cursor, readVarint } from './varint.js';

/** Is told each record of a block: its key (only good during the call) and where in `block` its value lies. */
export type RecordVisitor = (key: Uint8Array, block: Uint8Array, from: number, to: number) => void;

// TensorFlow writes every 16th key whole, and ends a block at 256 KB: whole keys are far shorter than this.
const KEY_EXPANSION = 64;
const KEY_SLACK = 2 ** 20;
const USUAL_BLOCK = 2 ** 18;
// A block of a V1 checkpoint may be one large tensor: memory for keys grows with them.
const KEYS_AT_FIRST = 2 ** 12;
const RECORDS_AT_FIRST = 2 ** 6;

/** The records of a block, in their order: whole keys one after the other, and where in the block the values lie. */
export interface BlockRecords {
  readonly count: number;
  readonly keys: Uint8Array;
  /** Where in `keys` each key ends, and the next begins. */
  readonly keyEnds: Int32Array;
  /** Where in the block each value begins, and ends. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Whether every byte of every key is ASCII. */
  readonly ascii: boolean;
}

/** The bytes of one key, as a view. */
export function keyAt({ keys, keyEnds }: BlockRecords, i: number): Uint8Array {
  return keys.subarray(i === 0 ? 0 : keyEnds[i - 1], keyEnds[i]);
}

/** The place of a key among the records, or -1. */
export function indexOfKey(records: BlockRecords, key: Uint8Array): number {
  let low = 0;
  let high = records.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(keyAt(records, middle), key) < 0) low = middle + 1;
    else high = middle;
  }
  return low < records.count && compareKeys(keyAt(records, low), key) === 0 ? low : -1;
}

/** How two keys are ordered: byte by byte. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function grown<A extends Uint8Array | Int32Array>(array: A, length: number): A {
  const larger = new (array.constructor as new (length: number) => A)(length);
  larger.set(array);
  return larger;
}

/** Where the records of a block end: before its list of restarts. */
function recordsEnd(block: Uint8Array, where: Where): number {
  if (block.length < 4) throw corrupt(`a block of ${block.length} bytes has no restart count`, where);
  const restarts = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(block.length - 4, true);
  const end = block.length - 4 - restarts * 4;
  if (restarts === 0 || end < 0) throw corrupt(`a block of ${block.length} bytes claims ${restarts} restarts`, where);
  return end;
}

/**
 * Reads the keys of a block, and where its values lie.
 *
 * One loop without calls, as listing a checkpoint is this loop and little else.
 *
 * @throws {CheckpointError} `Corrupt` for records that do not fit or are out of order, or keys that no writer shares so
 */
export function readRecords(block: Uint8Array, where: Where): BlockRecords {
  const end = recordsEnd(block, where);
  const limit = KEY_SLACK + Math.min(block.length, USUAL_BLOCK) * KEY_EXPANSION;
  const cursor: Cursor = { bytes: block, position: 0, end, where };
  let keys = new Uint8Array(KEYS_AT_FIRST);
  let room = RECORDS_AT_FIRST;
  let keyEnds = new Int32Array(room);
  let from = new Int32Array(room);
  let to = new Int32Array(room);
  let count = 0;
  let at = 0;
  let last = 0;
  let keyEnd = 0;
  let bits = 0;
  while (at < end) {
    let shared = block[at]!;
    let fresh = block[at + 1]!;
    let size = block[at + 2]!;
    if (at + 3 <= end && (shared | fresh | size) < 0x80) at += 3;
    else {
      cursor.position = at;
      shared = readVarint(cursor);
      fresh = readVarint(cursor);
      size = readVarint(cursor);
      at = cursor.position;
    }
    const length = shared + fresh;
    const keep = keyEnd - last;
    if (shared > keep || at + fresh + size > end) throw corrupt('a record goes past the end of its block', where);
    if (keyEnd + length > keys.length) {
      // Keys that share nearly all of their bytes would fill any memory from a small file.
      if (keyEnd + length > limit) throw corrupt(`the keys of a block take more than ${limit} bytes`, where, { limit });
      keys = grown(keys, Math.min(limit, (keyEnd + length) * 2));
    }
    // In order, unless the first fresh byte that differs is less than the last key's, or none differs.
    let same = 0;
    while (same < fresh && shared + same < keep && block[at + same] === keys[last + shared + same]) same++;
    if (same === fresh && count > 0) throw corrupt('a key comes twice, or out of order', where);
    if (same < fresh && shared + same < keep && block[at + same]! < keys[last + shared + same]!) {
      throw corrupt('the keys of a block are out of order', where);
    }
    for (let i = 0; i < shared; i++) keys[keyEnd + i] = keys[last + i]!;
    for (let i = 0; i < fresh; i++) {
      const byte = block[at + i]!;
      bits |= byte;
      keys[keyEnd + shared + i] = byte;
    }
    last = keyEnd;
    keyEnd += length;
    if (count === room) {
      room *= 2;
      keyEnds = grown(keyEnds, room);
      from = grown(from, room);
      to = grown(to, room);
    }
    keyEnds[count] = keyEnd;
    from[count] = at + fresh;
    at += fresh + size;
    to[count++] = at;
  }
  return { count, keys, keyEnds, from, to, ascii: bits < 0x80 };
}

/**
 * Visits the records of a block in order.
 *
 * @throws {CheckpointError} as `readRecords` does
 */
export function visitRecords(block: Uint8Array, where: Where, visit: RecordVisitor): void {
  const records = readRecords(block, where);
  for (let i = 0; i < records.count; i++) visit(keyAt(records, i), block, records.from[i]!, records.to[i]!);
}
