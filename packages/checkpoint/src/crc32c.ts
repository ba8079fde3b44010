// CRC-32C (Castagnoli), and the mask under which TensorFlow and LevelDB store it (tensorflow/core/lib/hash/crc32c.h).

/** The CRC-32C of bytes, as an unsigned number; `initial` continues an earlier one. */
export type Crc32c = (bytes: Uint8Array, initial?: number) => number;

let tables: Uint32Array[] | undefined;

function makeTables(): Uint32Array[] {
  const made = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    made[0]![i] = crc;
  }
  for (let i = 0; i < 256; i++) {
    for (let k = 1; k < 8; k++) {
      const before = made[k - 1]![i]!;
      made[k]![i] = (before >>> 8) ^ made[0]![before & 0xff]!;
    }
  }
  return made;
}

/** The CRC-32C in portable code, eight bytes at a time (slicing by 8). */
export function portableCrc32c(bytes: Uint8Array, initial = 0): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let crc = ~initial;
  let i = 0;
  const { length } = bytes;
  while (i < length && (bytes.byteOffset + i) & 3) crc = t0[(crc ^ bytes[i++]!) & 0xff]! ^ (crc >>> 8);
  const pairs = (length - i) >>> 3;
  const words = new Uint32Array(bytes.buffer, pairs ? bytes.byteOffset + i : 0, pairs * 2);
  for (let w = 0; w < words.length; w += 2) {
    const a = words[w]! ^ crc;
    const b = words[w + 1]!;
    crc =
      t7[a & 0xff]! ^
      t6[(a >>> 8) & 0xff]! ^
      t5[(a >>> 16) & 0xff]! ^
      t4[a >>> 24]! ^
      t3[b & 0xff]! ^
      t2[(b >>> 8) & 0xff]! ^
      t1[(b >>> 16) & 0xff]! ^
      t0[b >>> 24]!;
  }
  for (i += pairs * 8; i < length; i++) crc = t0[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** A CRC as it is stored: rotated and offset, so that a CRC of bytes that hold CRCs stays a good one. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
