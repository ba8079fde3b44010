// What the main entry asks of Node; where there is no file system, `platform-web.ts` stands in its place.
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileSet } from './byte-source.js';
import { type Crc32c, portableCrc32c } from './crc32c.js';
import type { FileSink } from './file-sink.js';
import { splitPath } from './file-source.js';
import { FolderSink } from './folder-sink.js';

let fastest: Crc32c | undefined;

function probe(): Crc32c {
  try {
    // Not by import(): that parses the addon's loader once more, for longer than a large index takes to read.
    const native = createRequire(import.meta.url)('@node-rs/crc32') as typeof import('@node-rs/crc32');
    const crc = native.crc32c as Crc32c;
    // An addon of another machine may load and still be wrong: the check value of CRC-32C decides.
    const check = new TextEncoder().encode('123456789');
    if (crc(check.subarray(4), crc(check.subarray(0, 4))) === 0xe3069283) return crc;
  } catch {
    // It is an optional dependency: without it, portable code does the same, slower.
  }
  return portableCrc32c;
}

/** The fastest CRC-32C there is. */
export async function loadCrc32c(): Promise<Crc32c> {
  fastest ??= probe();
  return fastest;
}

/** A path or `file:` URL as the folder it lies in and the name there. */
export async function openPath(path: string | URL): Promise<{ files: FileSet; base: string }> {
  return splitPath(path instanceof URL ? fileURLToPath(path) : path);
}

/** The folder that a prefix lies in, to write to, and the name there. */
export async function openSink(prefix: string): Promise<{ sink: FileSink; base: string }> {
  return { sink: new FolderSink(dirname(prefix)), base: prefix.endsWith('/') ? '' : basename(prefix) };
}
