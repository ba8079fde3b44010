import { CheckpointError, corrupt, type Where } from './errors.js';

/** Random access to bytes that may be far away: a file, a `Blob`, a URL with ranges, or bytes in memory. */
export interface ByteSource {
  /** How many bytes there are. */
  readonly size: number;
  /** What errors call it. */
  readonly name?: string;
  /** Exactly `length` bytes from `offset`; the caller does not write to them, and the source does not reuse them. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Like `read`, straight into the caller's memory; a source that cannot do so leaves it out. */
  readInto?(offset: number, target: Uint8Array): Promise<void>;
  /** Memory that `readInto` is about to fill wholly, and that may hold anything before; left out where zeros cost nothing. */
  allocate?(length: number): Uint8Array;
  /** Gives back what the source holds (a file handle); it may be read again afterwards. */
  close?(): Promise<void>;
}

/** Files that lie beside each other, by name: a checkpoint of several files is opened through one. */
export interface FileSet {
  /** What errors call the place: a folder, the start of a URL. */
  readonly name: string;
  /** The file of that name, or `undefined` if there is none. */
  open(name: string): Promise<ByteSource | undefined>;
  /** The names of all files; left out where they cannot be known (a URL). */
  list?(): Promise<readonly string[]>;
}

/** Bytes in memory; `byteOffset` of the view is honoured, and the bytes are never written to. */
export class BytesSource implements ByteSource {
  readonly size: number;

  constructor(
    private readonly bytes: Uint8Array,
    readonly name = 'bytes',
  ) {
    this.size = bytes.byteLength;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return this.bytes.subarray(offset, offset + length);
  }

  async readInto(offset: number, target: Uint8Array): Promise<void> {
    target.set(this.bytes.subarray(offset, offset + target.byteLength));
  }
}

/** A `Blob` or `File` of the browser, read by slices. */
export class BlobSource implements ByteSource {
  readonly size: number;
  readonly name: string;

  constructor(
    private readonly blob: Blob,
    name?: string,
  ) {
    this.size = blob.size;
    this.name = name ?? (blob as Partial<File>).name ?? 'blob';
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    try {
      return new Uint8Array(await this.blob.slice(offset, offset + length).arrayBuffer());
    } catch (cause) {
      throw new CheckpointError(
        'Io',
        'the file can no longer be read',
        { file: this.name, offset },
        { length },
        { cause },
      );
    }
  }
}

/** A `FileSet` over files that are at hand (picked, dropped, unpacked). */
export class FileMap implements FileSet {
  constructor(
    private readonly files: ReadonlyMap<string, ByteSource>,
    readonly name = 'files',
  ) {}

  async open(name: string): Promise<ByteSource | undefined> {
    return this.files.get(name);
  }

  async list(): Promise<readonly string[]> {
    return [...this.files.keys()];
  }
}

function checkRange(source: ByteSource, offset: number, length: number, tensor: string | undefined): Where {
  const where: Where = { file: source.name, offset, tensor };
  if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0)) {
    throw corrupt(`${length} bytes cannot be read there`, where, { length });
  }
  if (offset + length > source.size) {
    throw corrupt(
      `${length} bytes are needed there, but the file has ${source.size} in all: it was cut short, or is another file`,
      where,
      { length, size: source.size },
    );
  }
  return where;
}

/**
 * Exactly the bytes asked for, which are not to be written to.
 *
 * @throws {CheckpointError} `Corrupt` where they lie outside the file, or fewer came
 */
export async function readExactly(
  source: ByteSource,
  offset: number,
  length: number,
  tensor?: string,
): Promise<Uint8Array> {
  const where = checkRange(source, offset, length, tensor);
  if (length === 0) return new Uint8Array(0);
  const bytes = await source.read(offset, length);
  if (bytes.byteLength !== length) {
    throw corrupt(`${length} bytes were asked for, ${bytes.byteLength} came`, where, { length });
  }
  return bytes;
}

// While one piece of a large tensor is looked at, the next is read.
const PIECE = 2 * 2 ** 20;

function allocate(source: ByteSource, length: number, where: Where): Uint8Array {
  try {
    return source.allocate?.(length) ?? new Uint8Array(length);
  } catch (cause) {
    throw new CheckpointError('Unsupported', `${length} bytes do not fit in one array here`, where, {}, { cause });
  }
}

/** How bytes are read into memory of one's own. */
export interface OwnedRead {
  readonly tensor?: string;
  /** Unused bytes that come before, to align what is in the others. */
  readonly pad?: number;
  /** Is given the bytes in order, once each, in pieces, as they come: to check them while more is read. */
  readonly look?: (piece: Uint8Array) => void;
}

/**
 * The bytes asked for, in memory that is the caller's own.
 *
 * @throws {CheckpointError} `Corrupt` where they lie outside the file, or fewer came; what `look` throws
 */
export async function readOwned(
  source: ByteSource,
  offset: number,
  length: number,
  { tensor, pad = 0, look }: OwnedRead = {},
): Promise<Uint8Array> {
  checkRange(source, offset, length, tensor);
  const bytes = allocate(source, pad + length, { file: source.name, offset, tensor }).subarray(pad);
  // Only a file is cheap to read in pieces: each piece of a URL is a request.
  const step = look && source.allocate ? PIECE : length;
  let ready: Uint8Array | undefined;
  for (let at = 0; at < length; at += step) {
    const piece = bytes.subarray(at, at + step);
    const reading = readFully(source, offset + at, piece, tensor);
    try {
      if (ready) look?.(ready);
    } finally {
      await reading;
    }
    ready = piece;
  }
  if (ready) look?.(ready);
  return bytes;
}

/**
 * Fills the caller's memory from the file.
 *
 * @throws {CheckpointError} `Corrupt` where the bytes lie outside the file, or fewer came
 */
export async function readFully(
  source: ByteSource,
  offset: number,
  target: Uint8Array,
  tensor?: string,
): Promise<void> {
  checkRange(source, offset, target.byteLength, tensor);
  if (target.byteLength === 0) return;
  if (source.readInto) await source.readInto(offset, target);
  else target.set(await readExactly(source, offset, target.byteLength, tensor));
}
