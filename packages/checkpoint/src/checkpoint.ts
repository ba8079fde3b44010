import type { NdArray, NumericData } from '@tfparity/array';
import { CheckpointError } from './errors.js';
import { nearestNames } from './nearest-names.js';
import type { ObjectGraph } from './object-graph.js';
import type { CheckpointEntry, CheckpointFormat, NamedArray, TensorStore, UnreadableEntry } from './store.js';
import { cutPieces, type TensorPiece } from './tensor-pieces.js';
import type { TensorSlice } from './tensor-slice.js';

const PIECE_BYTES = 4 * 2 ** 20;

/** A checkpoint whose index is in memory; values are read when they are asked for. */
export class Checkpoint {
  readonly format: CheckpointFormat;
  /** The path, URL or file name that was opened. */
  readonly location: string;
  /** Every tensor, in the order of the index. */
  readonly entries: readonly CheckpointEntry[];
  /** What is in the index beside `entries`, and cannot be read: tensors of dtypes that arrays do not have. */
  readonly unreadable: readonly UnreadableEntry[];
  /** The objects of a TF2 object-based checkpoint or SavedModel. */
  readonly objectGraph: ObjectGraph | undefined;
  private byName: Map<string, CheckpointEntry> | undefined;
  private byFullName: Map<string, CheckpointEntry | null> | undefined;

  /** For readers of further formats; `openCheckpoint` is how a checkpoint is opened. */
  constructor(private readonly store: TensorStore) {
    this.format = store.format;
    this.location = store.location;
    this.entries = store.entries;
    this.unreadable = store.unreadable ?? [];
    this.objectGraph = store.objectGraph;
  }

  /** The slices of each variable that is stored in slices, by its name. */
  get slices(): ReadonlyMap<string, readonly TensorSlice[]> {
    return new Map(this.entries.flatMap((entry) => (entry.slices ? [[entry.name, entry.slices] as const] : [])));
  }

  /** Whether a tensor of that name can be read. */
  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  /**
   * What the index says of one tensor; in an object-based checkpoint also by the variable's own name.
   *
   * @throws {CheckpointError} `NotFound` with the nearest names, `Unsupported` for one that is `unreadable`
   */
  entry(name: string): CheckpointEntry {
    const entry = this.find(name);
    if (entry) return entry;
    const other = this.unreadable.find((each) => each.name === name);
    if (other) {
      throw new CheckpointError('Unsupported', `tensors of ${other.dtype} are not read here`, {
        file: this.location,
        tensor: name,
      });
    }
    const nearest = nearestNames(
      name,
      this.entries.map((e) => e.name),
    );
    const hint = nearest.length ? `; near it are ${nearest.join(', ')}` : '';
    throw new CheckpointError(
      'NotFound',
      `Key ${name} not found in checkpoint${hint}`,
      { file: this.location, tensor: name },
      { nearest },
    );
  }

  /**
   * Reads one tensor, verifying its checksum.
   *
   * @param name  as `entries` lists it; a partitioned variable is put together from its slices
   * @throws {CheckpointError} `NotFound` with the nearest names, `Corrupt` with file and byte offset
   */
  async get(name: string): Promise<NdArray> {
    return this.store.read(this.entry(name));
  }

  /**
   * Reads one slice of a partitioned variable, by its place in `slices`.
   *
   * @throws {CheckpointError} `NotFound` where there is no such slice
   */
  async getSlice(name: string, index: number): Promise<NdArray> {
    const entry = this.entry(name);
    if (!entry.slices?.[index] || !this.store.readSlice) {
      const count = entry.slices?.length ?? 0;
      throw new CheckpointError('NotFound', `no slice ${index}: it has ${count}`, {
        tensor: name,
        file: this.location,
      });
    }
    return this.store.readSlice(entry, index);
  }

  /**
   * The values of one tensor in order, some megabytes at a time. The checksum is verified after the last of them: until the
   * iteration has ended, nothing is known to be right.
   *
   * A tensor that its format packs, or keeps in slices along another axis than the first, is read whole.
   *
   * @param pieceBytes  how large a piece is at most
   * @throws {CheckpointError} as `get` does; `InvalidArgument` for strings, which `get` reads
   */
  async *pieces(name: string, pieceBytes = PIECE_BYTES): AsyncGenerator<TensorPiece> {
    const entry = this.entry(name);
    if (entry.dtype === 'string' || !(pieceBytes > 0)) {
      throw new CheckpointError(
        'InvalidArgument',
        entry.dtype === 'string' ? 'strings are read whole, by get' : `a piece has more than ${pieceBytes} bytes`,
        { file: this.location, tensor: name },
      );
    }
    const pieces = this.store.readPieces?.(entry, pieceBytes);
    if (pieces) yield* pieces;
    else yield* cutPieces((await this.store.read(entry)) as NdArray<NumericData>, pieceBytes);
  }

  /**
   * Every tensor (or those that `filter` lets pass) in the order of the file, a bounded number of bytes at a time.
   *
   * @throws {CheckpointError} as `get` does, at the tensor that is damaged
   */
  tensors(filter?: (entry: CheckpointEntry) => boolean): AsyncIterable<NamedArray> {
    return this.store.stream(filter ? this.entries.filter(filter) : this.entries);
  }

  /** Gives back what is held open (files); reading opens them again. */
  async close(): Promise<void> {
    await this.store.close?.();
  }

  private find(name: string): CheckpointEntry | undefined {
    this.byName ??= new Map(this.entries.map((entry) => [entry.name, entry]));
    const entry = this.byName.get(name) ?? this.store.hidden?.get(name);
    if (entry || !this.objectGraph) return entry;
    if (!this.byFullName) {
      this.byFullName = new Map();
      for (const e of this.entries) {
        // Two variables may bear one name (two models side by side): then only the path tells them apart.
        if (e.fullName) this.byFullName.set(e.fullName, this.byFullName.has(e.fullName) ? null : e);
      }
    }
    return this.byFullName.get(name) ?? undefined;
  }
}
