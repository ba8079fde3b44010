import type { ByteSource } from './byte-source.js';
import { CheckpointError } from './errors.js';
import type { TensorStore } from './store.js';
export async function openSafetensors(source: ByteSource): Promise<TensorStore> {
  throw new CheckpointError('Unsupported', 'todo', { file: source.name });
}
