/** A file that is being written, and has no name until it is whole. */
export interface PendingFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the file appear under its name, in place of one that was there; all of it, or not at all. */
  commit(name: string): Promise<void>;
  discard(): Promise<void>;
}

/** Where files are written: a folder, or memory. */
export interface FileSink {
  /** What errors call it. */
  readonly name: string;
  create(): Promise<PendingFile>;
  list(): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
  /** A text file there, or `undefined`: for the `checkpoint` file, which is added to. */
  readText(name: string): Promise<string | undefined>;
}

/** Keeps what is written in memory, by file name: to send or to download where there is no file system. */
export class MemorySink implements FileSink {
  readonly name = '';
  readonly files = new Map<string, Uint8Array>();

  async create(): Promise<PendingFile> {
    const parts: Uint8Array[] = [];
    return {
      write: async (bytes) => {
        parts.push(bytes.slice());
      },
      commit: async (name) => {
        const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
        let at = 0;
        for (const part of parts) {
          whole.set(part, at);
          at += part.length;
        }
        this.files.set(name, whole);
      },
      discard: async () => {
        parts.length = 0;
      },
    };
  }

  async list(): Promise<readonly string[]> {
    return [...this.files.keys()];
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
  }

  async readText(name: string): Promise<string | undefined> {
    const bytes = this.files.get(name);
    return bytes && new TextDecoder().decode(bytes);
  }
}
