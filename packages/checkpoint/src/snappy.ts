// Snappy's raw format (google/snappy format_description.txt), bounded: the length that is declared is the length that is made.
import { corrupt, type Where } from './errors.js';
import { type Cursor, readVarint } from './varint.js';

/** Snappy's densest element makes 64 bytes from 3: what claims more than this cannot come out of those bytes. */
export const MAX_EXPANSION = 22;
// Bytes of the distance that follows each kind of copy.
const COPY_WIDTHS = [0, 1, 2, 4];

/**
 * The bytes that a Snappy block holds; `limit` bounds how many they may be.
 *
 * @throws {CheckpointError} `Corrupt` for a length that the input cannot make, a copy from before the start, or too few or
 * many bytes
 */
export function unsnappy(input: Uint8Array, where: Where, limit = Number.MAX_SAFE_INTEGER): Uint8Array {
  const { cursor, length } = claimedLength(input, where);
  if (length > Math.min(limit, input.length * MAX_EXPANSION)) {
    throw corrupt(`a Snappy block of ${input.length} bytes claims to hold ${length}`, where, { claimed: length });
  }
  return expand(cursor, length, length);
}

/** The first bytes of what a Snappy block holds: `wanted`, or all where there are fewer. @throws {CheckpointError} `Corrupt` */
export function unsnappyStart(input: Uint8Array, where: Where, wanted: number): Uint8Array {
  const { cursor, length } = claimedLength(input, where);
  return expand(cursor, length, Math.min(wanted, length));
}

function claimedLength(input: Uint8Array, where: Where): { cursor: Cursor; length: number } {
  const cursor: Cursor = { bytes: input, position: 0, end: input.length, where };
  return { length: readVarint(cursor), cursor };
}

function expand({ bytes: input, position, where }: Cursor, length: number, wanted: number): Uint8Array {
  const output = new Uint8Array(wanted);
  let from = position;
  let to = 0;
  const bad = (): never => {
    throw corrupt('a Snappy block is damaged', where);
  };
  while (from < input.length && to < wanted) {
    const tag = input[from++]!;
    let count = tag >>> 2;
    if ((tag & 3) === 0) {
      if (count >= 60) {
        const width = count - 59;
        if (from + width > input.length) bad();
        count = 0;
        for (let i = width - 1; i >= 0; i--) count = count * 256 + input[from + i]!;
        from += width;
      }
      count++;
      if (from + count > input.length || to + count > length) bad();
      output.set(input.subarray(from, from + Math.min(count, wanted - to)), to);
      from += count;
      to += count;
      continue;
    }
    const width = COPY_WIDTHS[tag & 3]!;
    if (from + width > input.length) bad();
    let distance = 0;
    for (let i = width - 1; i >= 0; i--) distance = distance * 256 + input[from + i]!;
    from += width;
    if (width === 1) {
      distance |= (tag >>> 5) << 8;
      count = (count & 7) + 3;
    }
    count++;
    if (distance === 0 || distance > to || to + count > length) bad();
    // A copy may overlap itself, by which Snappy repeats a pattern: copyWithin would read what is not yet there.
    // (Where only the start is wanted, what goes past its end is dropped by the array.)
    if (distance >= count) output.copyWithin(to, to - distance, to - distance + count);
    else for (let i = 0; i < count; i++) output[to + i] = output[to - distance + i]!;
    to += count;
  }
  if (to < wanted || (wanted === length && (to !== length || from !== input.length))) bad();
  return output;
}
