// Files and folders of a machine that has them (Node and what is like it).
import { close, fstat, open, type PathLike, read } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import type { ByteSource, FileSet } from './byte-source.js';
import { CheckpointError } from './errors.js';

const openFile = promisify(open) as (path: PathLike, flags: string) => Promise<number>;
const closeFile = promisify(close) as (fd: number) => Promise<void>;
const statFile = promisify(fstat);
// One read of a regular file may be at most 2 GiB.
const MAX_READ = 2 ** 30;
// A handle that nobody has used for so long is given back, so that a caller need not close anything.
const IDLE_MS = 500;

function systemError(cause: unknown, file: string): CheckpointError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  const message = (cause as Error).message;
  return new CheckpointError(code === 'ENOENT' ? 'NotFound' : 'Io', message, { file }, { errno: code }, { cause });
}

/** A file on disk; its handle is opened when needed, and given back when idle. */
export class FileSource implements ByteSource {
  private handle: Promise<number> | undefined;
  private idle: NodeJS.Timeout | undefined;
  private active = 0;

  private constructor(
    readonly name: string,
    readonly size: number,
    private readonly identity: string,
  ) {}

  /** @throws {CheckpointError} `NotFound`, or `Io` (a folder, a loop of links, no permission) */
  static async open(path: string): Promise<FileSource> {
    try {
      const found = await stat(path);
      if (!found.isFile()) throw new CheckpointError('Io', 'is not a file', { file: path });
      return new FileSource(path, found.size, identityOf(found));
    } catch (cause) {
      throw cause instanceof CheckpointError ? cause : systemError(cause, path);
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    await this.readInto(offset, bytes);
    return bytes;
  }

  allocate(length: number): Uint8Array {
    // Zeroing a quarter of a gigabyte takes as long as reading it; every byte is read over, or the read throws.
    return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  }

  async readInto(offset: number, target: Uint8Array): Promise<void> {
    this.active++;
    if (this.idle) clearTimeout(this.idle);
    try {
      this.handle ??= this.openHandle();
      const fd = await this.handle;
      for (let done = 0; done < target.byteLength; ) {
        const part = target.subarray(done, done + MAX_READ);
        const count = await readAt(fd, part, offset + done);
        if (count === 0) {
          throw new CheckpointError('Corrupt', `the file ends after ${done} of ${target.byteLength} bytes`, {
            file: this.name,
            offset,
          });
        }
        done += count;
      }
    } catch (cause) {
      throw cause instanceof CheckpointError ? cause : systemError(cause, this.name);
    } finally {
      if (--this.active === 0) {
        this.idle = setTimeout(() => void this.close(), IDLE_MS);
        this.idle.unref();
      }
    }
  }

  async close(): Promise<void> {
    if (this.active > 0 || !this.handle) return;
    if (this.idle) clearTimeout(this.idle);
    const { handle } = this;
    this.handle = undefined;
    const fd = await handle.catch(() => undefined);
    if (fd !== undefined) await closeFile(fd);
  }

  private async openHandle(): Promise<number> {
    try {
      const fd = await openFile(this.name, 'r');
      // An index and data of two different savings must never be mixed.
      if (identityOf(await statFile(fd)) !== this.identity) {
        await closeFile(fd);
        throw new CheckpointError('Io', 'the file was replaced since it was opened: open the checkpoint again', {
          file: this.name,
        });
      }
      return fd;
    } catch (error) {
      this.handle = undefined;
      throw error;
    }
  }
}

const identityOf = (s: { dev: number; ino: number; size: number; mtimeMs: number }): string =>
  `${s.dev}:${s.ino}:${s.size}:${s.mtimeMs}`;

function readAt(fd: number, target: Uint8Array, offset: number): Promise<number> {
  return new Promise((done, fail) => {
    read(fd, target, 0, target.byteLength, offset, (error, count) => (error ? fail(error) : done(count)));
  });
}

/** The files of a folder. */
export class Folder implements FileSet {
  readonly name: string;

  constructor(private readonly path: string) {
    this.name = path.endsWith('/') ? path : `${path}/`;
  }

  async open(name: string): Promise<ByteSource | undefined> {
    try {
      return await FileSource.open(isAbsolute(name) ? name : join(this.path, name));
    } catch (error) {
      if (error instanceof CheckpointError && error.code === 'NotFound') return undefined;
      throw error;
    }
  }

  async list(): Promise<readonly string[]> {
    try {
      return (await readdir(this.path)).sort();
    } catch (cause) {
      throw systemError(cause, this.path);
    }
  }
}

/** The folder that a path names or lies in, and the rest of the path (empty for a folder). */
export async function splitPath(path: string): Promise<{ files: FileSet; base: string }> {
  try {
    if ((await stat(path)).isDirectory()) return { files: new Folder(path), base: '' };
  } catch (cause) {
    // What is not there may still be the prefix of a checkpoint's files.
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw systemError(cause, path);
  }
  return { files: new Folder(dirname(path)), base: basename(path) };
}
