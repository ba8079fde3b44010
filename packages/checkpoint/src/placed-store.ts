import type { NdArray } from '@tfparity/array';
import { type ByteSource, readOwned } from './byte-source.js';
import { corrupt } from './errors.js';
import { streamEntries } from './read-ahead.js';
import type { CheckpointEntry, CheckpointFormat, NamedArray, TensorStore } from './store.js';
import { readRun, type TensorPiece } from './tensor-pieces.js';

/** An entry whose bytes are one run of one file. */
export interface PlacedEntry extends CheckpointEntry {
  readonly offset: number;
  /** Whether the bytes are the values as an array holds them. */
  readonly plain?: boolean;
  /** The array in the bytes that were read there, which it may keep. */
  decode(bytes: Uint8Array): NdArray;
}

/** The reader of a format that keeps each tensor as one run of bytes of one file. */
export class PlacedStore implements TensorStore {
  readonly location: string;

  constructor(
    readonly format: CheckpointFormat,
    private readonly source: ByteSource,
    readonly entries: readonly PlacedEntry[],
  ) {
    this.location = source.name ?? 'bytes';
    const names = new Set<string>();
    for (const { name } of entries) {
      if (names.has(name)) throw corrupt('two tensors have this name', { file: this.location, tensor: name });
      names.add(name);
    }
  }

  async read(entry: CheckpointEntry): Promise<NdArray> {
    const { offset, bytes, decode, name } = entry as PlacedEntry;
    return decode(await readOwned(this.source, offset, bytes, { tensor: name }));
  }

  readPieces(entry: CheckpointEntry, pieceBytes: number): AsyncIterable<TensorPiece> | undefined {
    const { name, dtype, offset, bytes, plain } = entry as PlacedEntry;
    if (!plain) return undefined;
    return readRun({ source: this.source, name, dtype, first: 0, offset, bytes, swap: false }, pieceBytes);
  }

  stream(entries: readonly CheckpointEntry[]): AsyncIterable<NamedArray> {
    return streamEntries(entries as readonly PlacedEntry[], {
      place: ({ offset, bytes }) => ({ file: 0, offset, size: bytes }),
      read: (entry) => this.read(entry),
      source: async () => this.source,
      decode: (entry, bytes) => entry.decode(bytes),
    });
  }

  async close(): Promise<void> {
    await this.source.close?.();
  }
}
