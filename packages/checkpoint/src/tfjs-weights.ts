import type { ByteSource, FileSet } from './byte-source.js';
import { CheckpointError } from './errors.js';
import type { TensorStore } from './store.js';
export async function openTfjs(source: ByteSource, _files: FileSet): Promise<TensorStore> {
  throw new CheckpointError('Unsupported', 'todo', { file: source.name });
}
