import type { FileSet } from './byte-source.js';
import type { Crc32c } from './crc32c.js';
import type { TensorStore } from './store.js';
import { TensorBundle } from './tensor-bundle.js';

/** Tells the format of what lies at `base` among `files`, and reads its index. */
export async function detect(files: FileSet, base: string, checksum: Crc32c | undefined): Promise<TensorStore> {
  return TensorBundle.open(files, base.replace(/\.index$/, ''), checksum);
}
