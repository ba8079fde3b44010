// Protocol-buffer varints, bounded: 10 bytes and 64 bits at most, and a value that a number cannot hold is an error.
import { corrupt, type Where } from './errors.js';

/** A place in some bytes, and where those bytes came from. */
export interface Cursor {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;
  readonly where: Where;
}

function fault(cursor: Cursor, message: string): never {
  const { offset } = cursor.where;
  throw corrupt(message, { ...cursor.where, offset: offset === undefined ? undefined : offset + cursor.position });
}

/**
 * The next varint as a whole number of 0 to 2^53-1.
 *
 * @throws {CheckpointError} `Corrupt` past the end, past 10 bytes, or for a greater (or negative) value
 */
export function readVarint(cursor: Cursor): number {
  const { bytes, end } = cursor;
  let position = cursor.position;
  if (position < end && bytes[position]! < 0x80) {
    cursor.position = position + 1;
    return bytes[position]!;
  }
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    if (position >= end) fault(cursor, 'a number (varint) goes past the end of its record');
    const byte = bytes[position++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      // Nobody writes a number longer than it needs to be: such a one was damaged.
      if (byte === 0) fault(cursor, 'a number (varint) is longer than its value');
      if (value > Number.MAX_SAFE_INTEGER) fault(cursor, 'a count or offset is negative or beyond 2^53');
      cursor.position = position;
      return value;
    }
    scale *= 128;
  }
  return fault(cursor, 'a number (varint) is longer than 10 bytes');
}

/**
 * The next varint, all 64 bits of it, unsigned.
 *
 * @throws {CheckpointError} `Corrupt` past the end, or past 64 bits
 */
export function readVarint64(cursor: Cursor): bigint {
  const { bytes, end } = cursor;
  let position = cursor.position;
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    if (position >= end) fault(cursor, 'a number (varint) goes past the end of its record');
    const byte = bytes[position++]!;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (value > 0xffffffffffffffffn) fault(cursor, 'a number (varint) has more than 64 bits');
      cursor.position = position;
      return value;
    }
  }
  return fault(cursor, 'a number (varint) is longer than 10 bytes');
}

/** Appends a varint of a whole number of 0 to 2^53-1. */
export function pushVarint(out: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}
