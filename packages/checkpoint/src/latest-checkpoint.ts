import { openPath } from '#platform';
import type { FileSet } from './byte-source.js';
import { readState } from './checkpoint-state.js';
import { placeOf } from './formats.js';

/**
 * The prefix of the newest checkpoint in a folder, as its `checkpoint` file says; `undefined` where there is none, or its
 * files are gone (tf.train.latest_checkpoint).
 *
 * @throws {CheckpointError} `Corrupt` where the `checkpoint` file is no such file
 */
export async function latestCheckpoint(folder: string | FileSet): Promise<string | undefined> {
  const files = typeof folder === 'string' ? await folderOf(folder) : folder;
  if (!files) return undefined;
  const state = await readState(files);
  if (!state) return undefined;
  const latest = await placeOf(files, state.latest);
  const found =
    (await files.open(`${latest}.index`)) ?? (await files.open(latest.replace(/-\?{5}(-of-\d{5})$/, '-00000$1')));
  await found?.close?.();
  const path = /^([/\\]|[a-z]:[/\\])/i.test(latest) ? latest : `${files.name}${latest}`;
  return found ? path : undefined;
}

async function folderOf(path: string): Promise<FileSet | undefined> {
  const { files, base } = await openPath(path);
  return base === '' ? files : undefined;
}
