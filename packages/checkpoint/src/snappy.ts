// Snappy's raw format (google/snappy format_description.txt), bounded: the length that is declared is the length that is made.
import { corrupt, type Where } from './errors.js';
import { type Cursor, readVarint } from './varint.js';

// Snappy's densest element makes 64 bytes from 3: what claims more than this cannot come out of those bytes.
const MAX_EXPANSION = 22;

/**
 * The bytes that a Snappy block holds; `limit` bounds how many they may be.
 *
 * @throws {CheckpointError} `Corrupt` for a length that the input cannot make, a copy from before the start, or too few or many bytes
 */
export function unsnappy(input: Uint8Array, where: Where, limit = Number.MAX_SAFE_INTEGER): Uint8Array {
  const cursor: Cursor = { bytes: input, position: 0, end: input.length, where };
  const length = readVarint(cursor);
  if (length > Math.min(limit, input.length * MAX_EXPANSION)) {
    throw corrupt(`a Snappy block of ${input.length} bytes claims to hold ${length}`, where, { claimed: length });
  }
  const output = new Uint8Array(length);
  let from = cursor.position;
  let to = 0;
  const bad = (): never => {
    throw corrupt('a Snappy block is damaged', where);
  };
  while (from < input.length) {
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
      output.set(input.subarray(from, from + count), to);
      from += count;
      to += count;
      continue;
    }
    const width = [0, 1, 2, 4][tag & 3]!;
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
    if (distance >= count) output.copyWithin(to, to - distance, to - distance + count);
    else for (let i = 0; i < count; i++) output[to + i] = output[to - distance + i]!;
    to += count;
  }
  if (to !== length) bad();
  return output;
}
