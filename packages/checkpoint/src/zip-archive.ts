// Zip archives by their central directory (PKWARE APPNOTE 6.3), with Zip64; members stored or deflated.
import { inflateSync } from 'fflate';
import { type ByteSource, readExactly } from './byte-source.js';
import { CheckpointError, corrupt } from './errors.js';

/** A file of an archive. */
export interface ZipMember {
  readonly name: string;
  /** The name as it is stored. */
  readonly nameBytes: Uint8Array;
  readonly packed: number;
  readonly size: number;
  readonly crc: number;
  readonly deflated: boolean;
  /** Where its local header is. */
  readonly header: number;
}

const MAX_DIRECTORY = 64 * 2 ** 20;
// Deflate makes at most 1032 bytes of one.
const MAX_RATIO = 1032;

let table: Uint32Array | undefined;

/** The CRC-32 of zip (not the one of TensorFlow). */
export function zipCrc32(bytes: Uint8Array, initial = 0): number {
  table ??= Uint32Array.from({ length: 256 }, (_, i) => {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  let crc = ~initial;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

async function directoryPlace(source: ByteSource): Promise<{ offset: number; size: number; count: number }> {
  const length = Math.min(source.size, 65557);
  const tail = await readExactly(source, source.size - length, length);
  const view = viewOf(tail);
  for (let at = length - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50 || at + 22 + view.getUint16(at + 20, true) !== length) continue;
    const place = {
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      offset: view.getUint32(at + 16, true),
    };
    if (place.offset !== 0xffffffff && place.count !== 0xffff && place.size !== 0xffffffff) return place;
    if (at < 20 || view.getUint32(at - 20, true) !== 0x07064b50) break;
    const record = viewOf(await readExactly(source, Number(view.getBigUint64(at - 12, true)), 56));
    if (record.getUint32(0, true) !== 0x06064b50) break;
    return {
      count: Number(record.getBigUint64(32, true)),
      size: Number(record.getBigUint64(40, true)),
      offset: Number(record.getBigUint64(48, true)),
    };
  }
  throw corrupt('a zip archive without a directory: it was cut short', { file: source.name });
}

/** The files of an archive. @throws {CheckpointError} `Corrupt`, `Unsupported` */
export async function listZip(source: ByteSource): Promise<ZipMember[]> {
  const { offset, size, count } = await directoryPlace(source);
  const where = { file: source.name, offset };
  if (size > MAX_DIRECTORY || count * 46 > size) throw corrupt(`a directory of ${count} files in ${size} bytes`, where);
  const bytes = await readExactly(source, offset, size);
  const view = viewOf(bytes);
  const members: ZipMember[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== 0x02014b50) throw corrupt('a damaged zip directory', where);
    const [method, flags] = [view.getUint16(at + 10, true), view.getUint16(at + 8, true)];
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > size) throw corrupt('a damaged zip directory', where);
    const nameBytes = bytes.subarray(at + 46, at + 46 + nameLength);
    const name = new TextDecoder().decode(nameBytes);
    if (flags & 1 || (method !== 0 && method !== 8)) {
      throw new CheckpointError('Unsupported', `${name} is encrypted, or packed by method ${method}`, where);
    }
    let [packed, plain, header] = [
      view.getUint32(at + 20, true),
      view.getUint32(at + 24, true),
      view.getUint32(at + 42, true),
    ];
    // Zip64: what does not fit in 32 bits is in an extra field, in this order.
    for (let extra = at + 46 + nameLength; extra + 4 <= at + 46 + nameLength + extraLength; ) {
      const [id, length] = [view.getUint16(extra, true), view.getUint16(extra + 2, true)];
      let from = extra + 4;
      const wide = (value: number): number => {
        if (value !== 0xffffffff) return value;
        from += 8;
        if (from > extra + 4 + length || from > size) throw corrupt('a damaged zip directory', where);
        return Number(view.getBigUint64(from - 8, true));
      };
      if (id === 1) [plain, packed, header] = [wide(plain), wide(packed), wide(header)];
      extra += 4 + length;
    }
    members.push({
      name,
      nameBytes,
      packed,
      size: plain,
      crc: view.getUint32(at + 16, true),
      deflated: method === 8,
      header,
    });
    at = next;
  }
  if (at !== size) throw corrupt(`a directory of ${size} bytes lists ${count} files in ${at}`, where);
  return members;
}

/** Where a member's bytes begin. @throws {CheckpointError} `Corrupt` where no such member is there */
export async function memberStart(source: ByteSource, member: ZipMember): Promise<number> {
  const { name, nameBytes, header, deflated, crc, packed, size } = member;
  const where = { file: source.name, offset: header };
  const view = viewOf(await readExactly(source, header, 30));
  if (view.getUint32(0, true) !== 0x04034b50) throw corrupt(`no member ${name} there`, where);
  // The directory has no checksum: what it says must be what the member itself says, whose name comes with the rest.
  const [nameLength, extraLength] = [view.getUint16(26, true), view.getUint16(28, true)];
  const own = await readExactly(source, header + 30, nameLength);
  if (nameLength !== nameBytes.length || own.some((byte, i) => byte !== nameBytes[i])) {
    throw corrupt(`the directory's ${name} is called ${new TextDecoder().decode(own)} there`, where);
  }
  // With bit 3 the sums stand behind the contents; all ones stand for those of Zip64.
  const later = (view.getUint16(6, true) & 8) !== 0;
  const agrees = (at: number, value: number): boolean => {
    const there = view.getUint32(at, true);
    return there === value || (later && there === 0) || (at !== 14 && there === 0xffffffff);
  };
  if (view.getUint16(8, true) !== (deflated ? 8 : 0) || !agrees(14, crc) || !agrees(18, packed) || !agrees(22, size)) {
    throw corrupt(`the directory and the header of ${name} disagree`, where);
  }
  return header + 30 + nameLength + extraLength;
}

/** A member's contents, checked against size and checksum, in memory of their own. @throws {CheckpointError} `Corrupt` */
export async function readMember(source: ByteSource, member: ZipMember, tensor?: string): Promise<Uint8Array> {
  const where = { file: source.name, offset: member.header, tensor };
  const { packed, size, deflated } = member;
  if (deflated ? size > packed * MAX_RATIO + 64 : size !== packed) {
    throw corrupt(`${member.name} of ${packed} bytes claims to hold ${size}`, where);
  }
  const stored = await readExactly(source, await memberStart(source, member), packed, tensor);
  let bytes: Uint8Array;
  try {
    bytes = deflated ? inflateSync(stored, { out: new Uint8Array(size) }) : stored.slice();
  } catch (cause) {
    throw new CheckpointError(
      'Corrupt',
      `${member.name} cannot be unpacked: ${(cause as Error).message}`,
      where,
      {},
      { cause },
    );
  }
  const crc = zipCrc32(bytes);
  if (bytes.length !== size || crc !== member.crc) {
    throw corrupt(`${member.name}: checksum mismatch: stored ${member.crc} vs. calculated ${crc}`, where, {
      expected: member.crc,
      actual: crc,
    });
  }
  return bytes;
}
