import { CheckpointError } from './errors.js';
import type { FileSink } from './file-sink.js';
import type { NamedArray } from './store.js';
export async function writeExchange(
  _sink: FileSink,
  _base: string,
  _tensors: AsyncIterable<NamedArray>,
  format: string,
): Promise<void> {
  throw new CheckpointError('Unsupported', format);
}
