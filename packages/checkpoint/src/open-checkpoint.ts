import { loadCrc32c, openPath } from '#platform';
import { BlobSource, type ByteSource, BytesSource, FileMap, type FileSet } from './byte-source.js';
import { Checkpoint } from './checkpoint.js';
import { CheckpointError } from './errors.js';
import { detect } from './formats.js';
import { openUrl } from './url-source.js';

/** One file's worth of bytes, wherever it is. */
export type FileLike = ByteSource | Blob | Uint8Array | ArrayBuffer;

/**
 * What can be opened: a path or prefix, a folder, a URL (as a string or `URL`), one file, or several files that belong
 * together, by name (or as the `File`s that a user picked).
 */
export type CheckpointSource = string | URL | FileLike | ReadonlyMap<string, FileLike> | Iterable<File> | FileSet;

/** How to read. */
export interface OpenOptions {
  /** Whether checksums are verified; true unless it is said otherwise. */
  readonly verify?: boolean;
  /** What fetches URLs, instead of the global `fetch` (to add credentials, say). */
  readonly fetch?: typeof fetch;
}

function asSource(file: FileLike, name?: string): ByteSource {
  if (file instanceof Uint8Array) return new BytesSource(file, name);
  if (file instanceof ArrayBuffer) return new BytesSource(new Uint8Array(file), name);
  if (typeof Blob !== 'undefined' && file instanceof Blob) return new BlobSource(file, name);
  return file as ByteSource;
}

const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]+:\/\//i.test(text) || /^(blob|data):/i.test(text);

async function locate(source: CheckpointSource, options: OpenOptions): Promise<{ files: FileSet; base: string }> {
  if (typeof source === 'string' || source instanceof URL) {
    const text = String(source);
    if (source instanceof URL || isUrl(text)) {
      const url = source instanceof URL ? source : new URL(text);
      return url.protocol === 'file:' ? openPath(url) : openUrl(url, options.fetch ?? fetch);
    }
    return openPath(text);
  }
  if (source instanceof Map) {
    return { files: new FileMap(new Map([...source].map(([name, file]) => [name, asSource(file, name)]))), base: '' };
  }
  if (typeof source === 'object' && 'open' in source && typeof source.open === 'function') {
    return { files: source, base: '' };
  }
  if (!(source instanceof Uint8Array) && Symbol.iterator in source) {
    const files = [...(source as Iterable<File>)];
    return { files: new FileMap(new Map(files.map((file) => [file.name, new BlobSource(file)]))), base: '' };
  }
  const file = asSource(source as FileLike);
  if (typeof file?.size !== 'number' || typeof file.read !== 'function') {
    throw new CheckpointError('InvalidArgument', 'openCheckpoint takes a path, URL, File, bytes, or files by name');
  }
  const name = file.name?.split(/[/\\]/).at(-1) || 'bytes';
  return { files: new FileMap(new Map([[name, file]]), ''), base: name };
}

/**
 * Opens a checkpoint of any format it knows, which it tells by itself; reads the index only.
 *
 * A V1 or V2 checkpoint is opened by its prefix, its folder (the latest, by its `checkpoint` file), or one of its files;
 * a SavedModel by its folder; tfjs by its `model.json`; others by their file.
 *
 * @throws {CheckpointError} `NotFound`, `NotACheckpoint`, `Corrupt`, `Unsupported`, `Io`
 */
export async function openCheckpoint(source: CheckpointSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const { files, base } = await locate(source, options);
  const checksum = options.verify === false ? undefined : await loadCrc32c();
  return new Checkpoint(await detect(files, base, checksum));
}
