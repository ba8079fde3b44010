// String tensors of V2 bundles: WriteStringTensor and ReadStringTensor of tensorflow/core/util/tensor_bundle/tensor_bundle.cc.
import { type Crc32c, maskCrc } from './crc32c.js';
import { corrupt, type Where } from './errors.js';
import { type Cursor, pushVarint, readVarint } from './varint.js';

function lengthBytes(length: number): Uint8Array {
  const wide = length > 0xffffffff;
  const bytes = new Uint8Array(wide ? 8 : 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length % 2 ** 32, true);
  if (wide) view.setUint32(4, Math.floor(length / 2 ** 32), true);
  return bytes;
}

/**
 * The strings of a tensor: varint lengths, their checksum, and the bytes of each.
 *
 * @param stored  all bytes of the tensor; the strings are copies of its parts
 * @returns the strings, and the checksum that the tensor's entry must hold
 * @throws {CheckpointError} `Corrupt` where lengths and bytes do not agree
 */
export function decodeStrings(
  stored: Uint8Array,
  count: number,
  checksum: Crc32c | undefined,
  where: Where,
): { strings: Uint8Array[]; crc: number } {
  // A length takes a byte at least, so a forged count is told before anything of its size is made.
  if (count + 4 > stored.length) throw corrupt(`${stored.length} bytes cannot hold ${count} strings`, where);
  const cursor: Cursor = { bytes: stored, position: 0, end: stored.length, where };
  const lengths: number[] = [];
  let crc = 0;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const length = readVarint(cursor);
    total += length;
    lengths.push(length);
    if (checksum) crc = checksum(lengthBytes(length), crc);
  }
  if (cursor.position + 4 + total !== stored.length) {
    throw corrupt(
      `the lengths of its strings make ${cursor.position + 4 + total} bytes, stored are ${stored.length}`,
      where,
    );
  }
  const sealed = stored.subarray(cursor.position, cursor.position + 4);
  const expected = new DataView(sealed.buffer, sealed.byteOffset, 4).getUint32(0, true);
  if (checksum && expected !== maskCrc(crc)) {
    throw corrupt(`The length checksum does not match: expected ${expected} but computed ${maskCrc(crc)}`, where, {
      expected,
      actual: maskCrc(crc),
    });
  }
  const tail = stored.subarray(cursor.position);
  if (checksum) crc = checksum(tail, crc);
  let at = 4;
  const strings = lengths.map((length) => {
    at += length;
    return tail.slice(at - length, at);
  });
  return { strings, crc };
}

/** The bytes that hold a string tensor, and their checksum (not masked). */
export function encodeStrings(strings: readonly Uint8Array[], checksum: Crc32c): { bytes: Uint8Array; crc: number } {
  const lengths: number[] = [];
  let crc = 0;
  let total = 0;
  for (const { length } of strings) {
    pushVarint(lengths, length);
    crc = checksum(lengthBytes(length), crc);
    total += length;
  }
  const bytes = new Uint8Array(lengths.length + 4 + total);
  bytes.set(lengths);
  new DataView(bytes.buffer).setUint32(lengths.length, maskCrc(crc), true);
  let at = lengths.length + 4;
  for (const string of strings) {
    bytes.set(string, at);
    at += string.length;
  }
  return { bytes, crc: checksum(bytes.subarray(lengths.length), crc) };
}
