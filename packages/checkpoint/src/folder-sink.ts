import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from './errors.js';
import type { FileSink, PendingFile } from './file-sink.js';

function writeError(cause: unknown, file: string): CheckpointError {
  if (cause instanceof CheckpointError) return cause;
  const { code = 'unknown', message } = cause as NodeJS.ErrnoException;
  return new CheckpointError('Io', `cannot be written: ${message}`, { file }, { errno: code }, { cause });
}

/** A folder on disk; a file is written under a name of its own, forced to disk, and renamed when it is whole. */
export class FolderSink implements FileSink {
  readonly name: string;

  constructor(private readonly path: string) {
    this.name = path.endsWith('/') ? path : `${path}/`;
  }

  async create(): Promise<PendingFile> {
    const temporary = join(this.path, `.tfparity-${randomBytes(8).toString('hex')}.tmp`);
    const guard = async <T>(work: () => Promise<T>): Promise<T> => {
      try {
        return await work();
      } catch (cause) {
        throw writeError(cause, temporary);
      }
    };
    const handle = await guard(async () => {
      await mkdir(this.path, { recursive: true });
      return open(temporary, 'wx');
    });
    let closed = false;
    const close = async (): Promise<void> => {
      if (!closed) await handle.close();
      closed = true;
    };
    return {
      write: (bytes) =>
        guard(async () => {
          for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
        }),
      commit: (name) =>
        guard(async () => {
          this.check(name);
          await handle.sync();
          await close();
          await rename(temporary, join(this.path, name));
          await this.syncFolder();
        }),
      discard: () =>
        guard(async () => {
          await close();
          await rm(temporary, { force: true });
        }),
    };
  }

  async list(): Promise<readonly string[]> {
    return readdir(this.path).catch(() => []);
  }

  async remove(name: string): Promise<void> {
    this.check(name);
    await rm(join(this.path, name), { force: true });
  }

  async readText(name: string): Promise<string | undefined> {
    return readFile(join(this.path, name), 'utf8').catch(() => undefined);
  }

  /** Names are made by this package from the prefix that the caller gave; still, none may leave the folder. */
  private check(name: string): void {
    if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
      throw new CheckpointError('InvalidArgument', `${JSON.stringify(name)} is not the name of a file`, {
        file: this.path,
      });
    }
  }

  private async syncFolder(): Promise<void> {
    // A rename is only sure to outlive a crash once its folder is on disk; some systems cannot open folders.
    const folder = await open(this.path, 'r').catch(() => undefined);
    await folder?.sync().catch(() => undefined);
    await folder?.close();
  }
}
