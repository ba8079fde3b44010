// Where there is no file system (browsers, workers): the same names as `platform-node.ts`.
import type { FileSet } from './byte-source.js';
import { type Crc32c, portableCrc32c } from './crc32c.js';
import { CheckpointError } from './errors.js';
import type { FileSink } from './file-sink.js';

/** The fastest CRC-32C there is. */
export async function loadCrc32c(): Promise<Crc32c> {
  return portableCrc32c;
}

/** @throws {CheckpointError} `Unsupported`: there are no paths here */
export async function openPath(path: string | URL): Promise<{ files: FileSet; base: string }> {
  throw new CheckpointError(
    'Unsupported',
    `there is no file system here for the path ${path}: give a URL, a File, or bytes`,
    { file: String(path) },
  );
}

/** @throws {CheckpointError} `Unsupported`: there are no folders here */
export async function openSink(prefix: string): Promise<{ sink: FileSink; base: string }> {
  throw new CheckpointError('Unsupported', 'there is no file system here: give a MemorySink as `sink`', {
    file: prefix,
  });
}
