import type { FileSet } from './byte-source.js';
import { CheckpointError } from './errors.js';

/** TODO */
export async function openUrl(url: URL, _get: typeof fetch): Promise<{ files: FileSet; base: string }> {
  throw new CheckpointError('Unsupported', 'URLs are not read yet', { file: url.href });
}
