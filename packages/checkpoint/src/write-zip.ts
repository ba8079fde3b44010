// Zip archives with stored members (PKWARE APPNOTE 6.3), written as they come; no Zip64.
import { CheckpointError } from './errors.js';
import type { PendingFile } from './file-sink.js';
import { zipCrc32 } from './zip-archive.js';

const MAX = 0xffffffff;

/** One member: its name, and its contents in parts. */
export interface NewMember {
  readonly name: string;
  readonly parts: readonly Uint8Array[];
}

function record(
  signature: number,
  fields: readonly (readonly [size: 2 | 4, value: number])[],
  name: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(4 + fields.reduce((sum, [size]) => sum + size, 0) + name.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signature, true);
  let at = 4;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  bytes.set(name, at);
  return bytes;
}

/** Writes an archive. @throws {CheckpointError} `Unsupported` from 4 GiB on, or for more than 65,534 members */
export async function writeZip(file: PendingFile, members: AsyncIterable<NewMember>): Promise<void> {
  const directory: Uint8Array[] = [];
  let offset = 0;
  // 1 January 1980, so that equal contents make equal archives; the flag says that names are UTF-8.
  const [date, flags] = [0x21, 0x800];
  for await (const { name, parts } of members) {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const encoded = new TextEncoder().encode(name);
    let crc = 0;
    for (const part of parts) crc = zipCrc32(part, crc);
    if (size >= MAX || offset + size + 1024 >= MAX || directory.length >= 0xfffe || encoded.length > 0xffff) {
      throw new CheckpointError(
        'Unsupported',
        'an .npz of 4 GiB, or of 65,535 arrays, is not written; use safetensors',
        {
          tensor: name,
        },
      );
    }
    const common = [
      [2, flags],
      [2, 0],
      [2, 0],
      [2, date],
      [4, crc],
      [4, size],
      [4, size],
      [2, encoded.length],
      [2, 0],
    ] as const;
    const local = record(0x04034b50, [[2, 20], ...common], encoded);
    const rest = [
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, offset],
    ] as const;
    directory.push(record(0x02014b50, [[2, 20], [2, 20], ...common, ...rest], encoded));
    await file.write(local);
    for (const part of parts) await file.write(part);
    offset += local.length + size;
  }
  let size = 0;
  for (const entry of directory) {
    await file.write(entry);
    size += entry.length;
  }
  const count = directory.length;
  await file.write(
    record(
      0x06054b50,
      [
        [2, 0],
        [2, 0],
        [2, count],
        [2, count],
        [4, size],
        [4, offset],
        [2, 0],
      ],
      new Uint8Array(0),
    ),
  );
}
