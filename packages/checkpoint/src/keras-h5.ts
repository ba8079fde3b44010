import type { ByteSource } from './byte-source.js';
import { CheckpointError } from './errors.js';
import type { TensorStore } from './store.js';
export async function openH5(source: ByteSource, _format: 'h5' | 'keras'): Promise<TensorStore> {
  throw new CheckpointError('Unsupported', 'todo', { file: source.name });
}
