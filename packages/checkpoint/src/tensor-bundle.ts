// V2 checkpoints: BundleReader of tensorflow/core/util/tensor_bundle/tensor_bundle.cc. An index table, and shards of raw bytes.
import { DTYPES, type NdArray } from '@tfparity/array';
import { type BundleEntry, type BundleHeader, readEntry, readHeader } from './bundle-entry.js';
import { type ByteSource, type FileSet, readFully } from './byte-source.js';
import { type Crc32c, maskCrc } from './crc32c.js';
import { CheckpointError, corrupt, type Where } from './errors.js';
import { decodeObjectGraph, OBJECT_GRAPH_KEY, type ObjectGraph } from './object-graph.js';
import { ProtoReader } from './proto-reader.js';
import { streamEntries } from './read-ahead.js';
import { assembleSlices } from './slice-assembly.js';
import { SsTable } from './sstable.js';
import {
  arrayOver,
  type CheckpointEntry,
  type CheckpointFormat,
  elementCount,
  type NamedArray,
  storedDType,
  swapBytes,
  type TensorStore,
} from './store.js';
import { decodeStrings } from './string-tensor.js';
import { resolveSlice, sliceKey } from './tensor-slice.js';

// An index block unpacks to some 256 KB as TensorFlow writes it; one record can be longer (a variable of many slices).
const MAX_BLOCK = 32 * 2 ** 20;

/** How a shard's file is called. */
export function shardName(base: string, shard: number, count: number): string {
  return `${base}.data-${String(shard).padStart(5, '0')}-of-${String(count).padStart(5, '0')}`;
}

interface Located extends CheckpointEntry {
  readonly stored: BundleEntry;
  /** Where each slice's bytes are. */
  readonly parts: readonly BundleEntry[];
}

const binary = new TextDecoder('latin1');
const latin1 = (bytes: Uint8Array): string => binary.decode(bytes);

/** A V2 checkpoint whose index was read; data is read when it is asked for. */
export class TensorBundle implements TensorStore {
  readonly format: CheckpointFormat;
  entries: readonly CheckpointEntry[];
  readonly hidden: ReadonlyMap<string, CheckpointEntry>;
  objectGraph: ObjectGraph | undefined;
  private readonly shards = new Map<number, Promise<ByteSource>>();

  private constructor(
    private readonly files: FileSet,
    private readonly base: string,
    readonly location: string,
    private readonly header: BundleHeader,
    entries: readonly Located[],
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
      const { header, located } = await readIndex(await SsTable.open(index, checksum));
      const bundle = new TensorBundle(files, base, location, header, located, checksum, format);
      const graph = bundle.hidden.get(OBJECT_GRAPH_KEY);
      if (graph) bundle.nameByGraph(await bundle.readGraph(graph as Located));
      return bundle;
    } finally {
      await index.close?.();
    }
  }

  private async readGraph(entry: Located): Promise<ObjectGraph> {
    const { data } = await this.read(entry);
    const where: Where = { file: this.shardFile(entry.stored), offset: entry.stored.offset, tensor: entry.name };
    if (!Array.isArray(data) || data.length !== 1) throw corrupt('the object graph is not one string', where);
    return decodeObjectGraph(data[0]!, { ...where, offset: undefined });
  }

  private nameByGraph(graph: ObjectGraph): void {
    this.objectGraph = graph;
    const fullNames = new Map<string, string>();
    for (const { attributes } of graph.nodes) {
      for (const { checkpointKey, fullName } of attributes) if (fullName) fullNames.set(checkpointKey, fullName);
    }
    this.entries = this.entries.map((entry) => {
      const fullName = fullNames.get(entry.name);
      return fullName === undefined ? entry : { ...entry, fullName };
    });
  }

  async read(entry: CheckpointEntry): Promise<NdArray> {
    const { stored, parts, slices } = entry as Located;
    if (!slices) return this.readStored(entry.name, stored);
    const where: Where = { file: `${this.location}.index`, tensor: entry.name };
    return assembleSlices(entry.dtype, entry.shape, slices, where, (i) => this.readStored(entry.name, parts[i]!));
  }

  async readSlice(entry: CheckpointEntry, index: number): Promise<NdArray> {
    return this.readStored(entry.name, (entry as Located).parts[index]!);
  }

  stream(entries: readonly CheckpointEntry[]): AsyncIterable<NamedArray> {
    return streamEntries(entries as readonly Located[], {
      place: ({ stored, slices }) =>
        slices ? undefined : { file: stored.shard, offset: stored.offset, size: stored.size },
      read: (entry) => this.read(entry),
      source: (entry) => this.shard(entry.stored, entry.name),
      decode: (entry, bytes) => this.decode(entry.name, entry.stored, bytes),
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
    if (stored.offset + stored.size > source.size) {
      throw corrupt(
        `its ${stored.size} bytes are past the end of the shard, which has ${source.size}: it was cut short`,
        { file: source.name ?? this.shardFile(stored), offset: stored.offset, tensor: name },
      );
    }
    const bytes = new Uint8Array(stored.size);
    await readFully(source, stored.offset, bytes, name);
    return this.decode(name, stored, bytes);
  }

  /** The array in these bytes (which it keeps), once their checksum is right. */
  private decode(name: string, stored: BundleEntry, bytes: Uint8Array): NdArray {
    const where: Where = { file: this.shardFile(stored), offset: stored.offset, tensor: name };
    const dtype = storedDType(stored.dtype, where);
    const { shape } = stored;
    if (dtype === 'string') {
      const count = elementCount(shape, where);
      const { strings, crc } = decodeStrings(bytes, count, this.checksum, where);
      if (this.checksum) checkCrc(stored.crc, maskCrc(crc), where);
      return { dtype, shape, data: strings };
    }
    if (this.checksum) checkCrc(stored.crc, maskCrc(this.checksum(bytes)), where);
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

/** Whether an entry's numbers can be: checked when listing, so that a forged size is never allocated. */
function checkEntry(name: string, entry: BundleEntry, header: BundleHeader, where: Where): void {
  const dtype = storedDType(entry.dtype, where);
  const count = elementCount(entry.shape, where);
  if (entry.slices) return;
  if (entry.shard >= header.numShards) {
    throw corrupt(`it is in shard ${entry.shard}, but there are ${header.numShards}`, where);
  }
  const expected = count * DTYPES[dtype].itemSize;
  if (dtype !== 'string' && expected !== entry.size) {
    throw corrupt(
      `Invalid size in bundle entry: key ${name}; stored size ${entry.size}; expected size ${expected}`,
      where,
    );
  }
}

async function readIndex(table: SsTable): Promise<{ header: BundleHeader; located: Located[] }> {
  const file = table.source.name;
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  let header: BundleHeader | undefined;
  const whole = new Map<string, BundleEntry>();
  const sliced = new Map<string, BundleEntry>();
  await table.visit(MAX_BLOCK, (key, block, from, to) => {
    const reader = new ProtoReader(block, { file }, from, to);
    if (!header) {
      if (key.length > 0) throw corrupt('the index has no header: this is a table, but not of a checkpoint', { file });
      header = readHeader(reader);
      return;
    }
    const isSlice = key[0] === 0;
    const name = isSlice ? latin1(key) : utf8.decode(key);
    const entry = readEntry(reader);
    (isSlice ? sliced : whole).set(name, entry);
    checkEntry(name, entry, header, { file, tensor: isSlice ? undefined : name });
  });
  if (!header) throw corrupt('the index is empty: it has no header', { file });
  const located: Located[] = [];
  for (const [name, stored] of whole) located.push(locate(name, stored, sliced, { file, tensor: name }));
  return { header, located };
}

const NO_PARTS: readonly BundleEntry[] = [];

function locate(name: string, stored: BundleEntry, sliced: Map<string, BundleEntry>, where: Where): Located {
  const dtype = storedDType(stored.dtype, where);
  const { shape } = stored;
  if (!stored.slices) return { name, dtype, shape, bytes: stored.size, stored, parts: NO_PARTS };
  const slices = stored.slices.map((slice) => resolveSlice(slice, shape, where));
  const parts = stored.slices.map((slice, i) => {
    const part = sliced.get(latin1(sliceKey(name, slice)));
    if (!part) throw corrupt(`its slice ${i} is not in the index`, where);
    const { length } = slices[i]!;
    if (part.dtype !== stored.dtype || part.slices || part.shape.join() !== length.join()) {
      throw corrupt(`its slice ${i} has another dtype or shape than the index says`, where);
    }
    return part;
  });
  const bytes = parts.reduce((sum, part) => sum + part.size, 0);
  return { name, dtype, shape, bytes, slices, stored, parts };
}
