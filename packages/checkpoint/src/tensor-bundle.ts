// V2 checkpoints: BundleReader of tensorflow/core/util/tensor_bundle/tensor_bundle.cc. An index table, and shards of raw bytes.
import { DTYPES, type NdArray } from '@tfparity/array';
import type { BundleEntry, BundleHeader, BundleTensor } from './bundle-entry.js';
import { readIndex } from './bundle-index.js';
import { type ByteSource, type FileSet, readOwned } from './byte-source.js';
import { type Crc32c, maskCrc } from './crc32c.js';
import { CheckpointError, corrupt, type Where } from './errors.js';
import { decodeObjectGraph, OBJECT_GRAPH_KEY, type ObjectGraph } from './object-graph.js';
import { streamEntries } from './read-ahead.js';
import { assembleSlices } from './slice-assembly.js';
import { SsTable } from './sstable.js';
import {
  arrayOver,
  type CheckpointEntry,
  type CheckpointFormat,
  elementCount,
  type NamedArray,
  swapBytes,
  type TensorStore,
  type UnreadableEntry,
} from './store.js';
import { decodeStrings } from './string-tensor.js';
import { inRuns, readRun, type TensorPiece } from './tensor-pieces.js';
import { checkCover } from './tensor-slice.js';

/** How a shard's file is called. */
export function shardName(base: string, shard: number, count: number): string {
  return `${base}.data-${String(shard).padStart(5, '0')}-of-${String(count).padStart(5, '0')}`;
}

/** A V2 checkpoint whose index was read; data is read when it is asked for. */
export class TensorBundle implements TensorStore {
  readonly format: CheckpointFormat;
  readonly entries: readonly CheckpointEntry[];
  readonly hidden: ReadonlyMap<string, CheckpointEntry>;
  objectGraph: ObjectGraph | undefined;
  private readonly shards = new Map<number, Promise<ByteSource>>();

  private constructor(
    private readonly files: FileSet,
    private readonly base: string,
    readonly location: string,
    private readonly header: BundleHeader,
    entries: readonly BundleTensor[],
    readonly unreadable: readonly UnreadableEntry[],
    private readonly checksum: Crc32c | undefined,
    format: CheckpointFormat | undefined,
  ) {
    const graph = entries.find((entry) => entry.name === OBJECT_GRAPH_KEY);
    this.hidden = new Map(graph ? [[graph.name, graph]] : []);
    this.entries = graph ? entries.filter((entry) => entry !== graph) : entries;
    this.format = format ?? (graph ? 'V2 object graph' : 'V2');
  }

  /**
   * Reads the index of `base` among `files`; of the data, only the object graph where there is one.
   *
   * @throws {CheckpointError} `NotFound`, `NotACheckpoint`, `Corrupt`
   */
  static async open(
    files: FileSet,
    base: string,
    checksum: Crc32c | undefined,
    opened?: ByteSource,
    format?: CheckpointFormat,
  ): Promise<TensorBundle> {
    const index = opened ?? (await files.open(`${base}.index`));
    const location = `${files.name}${base}`;
    if (!index) throw new CheckpointError('NotFound', `no file ${base}.index there`, { file: `${location}.index` });
    try {
      const { header, located, unreadable } = await readIndex(await SsTable.open(index, checksum));
      const bundle = new TensorBundle(files, base, location, header, located, unreadable, checksum, format);
      const graph = bundle.hidden.get(OBJECT_GRAPH_KEY);
      if (graph) bundle.nameByGraph(await bundle.readGraph(graph as BundleTensor));
      return bundle;
    } finally {
      await index.close?.();
    }
  }

  private async readGraph(entry: BundleTensor): Promise<ObjectGraph> {
    const { data } = await this.read(entry);
    const where: Where = { file: this.shardFile(entry), offset: entry.offset, tensor: entry.name };
    if (!Array.isArray(data) || data.length !== 1) throw corrupt('the object graph is not one string', where);
    return decodeObjectGraph(data[0]!, { ...where, offset: undefined });
  }

  private nameByGraph(graph: ObjectGraph): void {
    this.objectGraph = graph;
    const fullNames = new Map<string, string>();
    for (const { attributes } of graph.nodes) {
      for (const { checkpointKey, fullName } of attributes) if (fullName) fullNames.set(checkpointKey, fullName);
    }
    for (const entry of this.entries as readonly BundleTensor[]) {
      const fullName = fullNames.get(entry.name);
      if (fullName !== undefined) entry.fullName = fullName;
    }
  }

  async read(entry: CheckpointEntry): Promise<NdArray> {
    const { parts = [], slices } = entry as BundleTensor;
    if (!slices) return this.readStored(entry.name, entry as BundleTensor);
    const where: Where = { file: `${this.location}.index`, tensor: entry.name };
    let available = 0;
    for (const [, part] of new Map(parts.map((each) => [each.shard, each]))) {
      available += (await this.shard(part, entry.name)).size;
    }
    const whole = { dtype: entry.dtype, shape: entry.shape, slices, available };
    return assembleSlices(whole, where, (i) => this.readStored(entry.name, parts[i]!));
  }

  async readSlice(entry: CheckpointEntry, index: number): Promise<NdArray> {
    return this.readStored(entry.name, (entry as BundleTensor).parts![index]!);
  }

  readPieces(entry: CheckpointEntry, pieceBytes: number): AsyncIterable<TensorPiece> | undefined {
    const tensor = entry as BundleTensor;
    const { slices, parts = [], shape, name } = tensor;
    if (!slices) return this.storedPieces(name, tensor, 0, pieceBytes);
    const order = inRuns(slices, shape);
    if (!order) return undefined;
    const row = shape.slice(1).reduce((a, b) => a * b, 1);
    checkCover(slices, shape, { file: `${this.location}.index`, tensor: name });
    const bundle = this;
    return (async function* () {
      for (const i of order) {
        yield* bundle.storedPieces(name, parts[i]!, (slices[i]!.start[0] ?? 0) * row, pieceBytes);
      }
    })();
  }

  private async *storedPieces(
    name: string,
    stored: BundleEntry,
    first: number,
    pieceBytes: number,
  ): AsyncGenerator<TensorPiece> {
    const { checksum } = this;
    const { dtype, offset, bytes } = stored;
    const source = await this.shard(stored, name);
    let crc = 0;
    const look = checksum && ((piece: Uint8Array) => (crc = checksum(piece, crc)));
    yield* readRun({ source, name, dtype, first, offset, bytes, swap: this.header.bigEndian, look }, pieceBytes);
    const where: Where = { file: this.shardFile(stored), offset, tensor: name };
    if (checksum) checkCrc(stored.crc >>> 0, maskCrc(crc), where);
  }

  stream(entries: readonly CheckpointEntry[]): AsyncIterable<NamedArray> {
    return streamEntries(entries as readonly BundleTensor[], {
      place: ({ shard, offset, bytes, slices }) => (slices ? undefined : { file: shard, offset, size: bytes }),
      read: (entry) => this.read(entry),
      source: (entry) => this.shard(entry, entry.name),
      decode: (entry, bytes) => this.decode(entry.name, entry, bytes),
    });
  }

  async close(): Promise<void> {
    const open = [...this.shards.values()];
    this.shards.clear();
    for (const shard of open) await (await shard.catch(() => undefined))?.close?.();
  }

  private shardFile(stored: BundleEntry): string {
    return `${this.files.name}${shardName(this.base, stored.shard, this.header.numShards)}`;
  }

  private shard(stored: BundleEntry, tensor: string): Promise<ByteSource> {
    const { numShards } = this.header;
    let source = this.shards.get(stored.shard);
    if (!source) {
      const name = shardName(this.base, stored.shard, numShards);
      const missing = (): never => {
        throw new CheckpointError('NotFound', `no file ${name} there: a shard of the checkpoint is missing`, {
          file: this.shardFile(stored),
          tensor,
        });
      };
      source = this.files.open(name).then((found) => found ?? missing());
      this.shards.set(stored.shard, source);
      source.catch(() => this.shards.delete(stored.shard));
    }
    return source;
  }

  private async readStored(name: string, stored: BundleEntry): Promise<NdArray> {
    const source = await this.shard(stored, name);
    if (stored.offset + stored.bytes > source.size) {
      throw corrupt(
        `its ${stored.bytes} bytes are past the end of the shard, which has ${source.size}: it was cut short`,
        { file: source.name ?? this.shardFile(stored), offset: stored.offset, tensor: name },
      );
    }
    const { checksum } = this;
    let crc = 0;
    const look =
      checksum && stored.dtype !== 'string' ? (piece: Uint8Array) => (crc = checksum(piece, crc)) : undefined;
    const bytes = await readOwned(source, stored.offset, stored.bytes, { tensor: name, look });
    return this.decode(name, stored, bytes, crc);
  }

  /** The array in these bytes (which it keeps), once their checksum is right; `crc` is it, where it is known. */
  private decode(name: string, stored: BundleEntry, bytes: Uint8Array, crc?: number): NdArray {
    const where: Where = { file: this.shardFile(stored), offset: stored.offset, tensor: name };
    const { dtype, shape } = stored;
    if (dtype === 'string') {
      const count = elementCount(shape, where.file, name);
      const decoded = decodeStrings(bytes, count, this.checksum, where);
      if (this.checksum) checkCrc(stored.crc >>> 0, maskCrc(decoded.crc), where);
      return { dtype, shape, data: decoded.strings };
    }
    if (this.checksum) checkCrc(stored.crc >>> 0, maskCrc(crc ?? this.checksum(bytes)), where);
    const { itemSize, lanes } = DTYPES[dtype];
    if (this.header.bigEndian) swapBytes(bytes, itemSize / lanes);
    return arrayOver(dtype, shape, bytes);
  }
}

function checkCrc(expected: number, actual: number, where: Where): void {
  if (expected === actual) return;
  throw corrupt(`Checksum does not match: stored ${expected} vs. calculated on the restored bytes ${actual}`, where, {
    expected,
    actual,
  });
}
