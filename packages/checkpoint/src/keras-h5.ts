// Keras's .h5 and the weights of .keras, through h5wasm (the HDF5 library itself). Its file is held in memory.
import { DTYPES, type DType, type NdArray, type NumericData } from '@tfparity/array';
import type { Dataset, Group } from 'h5wasm';
import { type ByteSource, readExactly } from './byte-source.js';
import { CheckpointError, corrupt, type Where } from './errors.js';
import { readJob, runAhead } from './read-ahead.js';
import { type CheckpointEntry, elementCount, type TensorStore, type UnreadableEntry } from './store.js';

interface H5Entry extends CheckpointEntry {
  readonly path: string;
}

const TYPES: Readonly<Record<string, DType>> = {
  '<f': 'float32',
  '<d': 'float64',
  '<e': 'float16',
  '<b': 'int8',
  '<h': 'int16',
  '<i': 'int32',
  '<q': 'int64',
  '<B': 'uint8',
  '<H': 'uint16',
  '<I': 'uint32',
  '<Q': 'uint64',
};
// Groups within groups: Keras has a few levels, and a loop of links none.
const MAX_DEPTH = 64;
const MAX_SIZE = 2 ** 31 - 1;
const IDLE_MS = 500;

let opened = 0;

interface OpenedFile {
  readonly root: Group;
  close(): void;
}

async function openFile(source: ByteSource): Promise<OpenedFile> {
  const where: Where = { file: source.name };
  if (source.size > MAX_SIZE) {
    throw new CheckpointError('Unsupported', `an HDF5 file of ${source.size} bytes does not fit in memory here`, where);
  }
  const bytes = await readExactly(source, 0, source.size);
  const { default: h5wasm } = await import('h5wasm');
  const { FS } = await h5wasm.ready;
  // A name of our own: what the file is called outside says nothing in here.
  const path = `/tfparity-${opened++}.h5`;
  FS.writeFile(path, bytes);
  try {
    const file = new h5wasm.File(path, 'r');
    if (file.file_id < 0n) throw new Error('HDF5 cannot open it');
    return {
      root: file,
      close: () => {
        file.close();
        FS.unlink(path);
      },
    };
  } catch (cause) {
    FS.unlink(path);
    throw new CheckpointError('Corrupt', `not an HDF5 file: ${(cause as Error).message}`, where, {}, { cause });
  }
}

const isGroup = (item: unknown): item is Group => typeof item === 'object' && item !== null && 'keys' in item;
const isDataset = (item: unknown): item is Dataset =>
  typeof item === 'object' && item !== null && 'metadata' in item && 'shape' in item;

/** A list of names among the attributes; HDF5 bounds one attribute, and Keras cuts what is longer (NAME0, NAME1, …). */
function nameList({ attrs }: Group, name: string): string[] | undefined {
  const list = (value: unknown): string[] | undefined =>
    Array.isArray(value) ? value.map(String) : ArrayBuffer.isView(value) ? [] : undefined;
  if (attrs[name]) return list(attrs[name].value);
  if (!attrs[`${name}0`]) return undefined;
  const all: string[] = [];
  for (let i = 0; attrs[`${name}${i}`]; i++) all.push(...(list(attrs[`${name}${i}`]!.value) ?? []));
  return all;
}

const TOP_LEVEL = 'top_level_model_weights';

/** The weights by the names that Keras's attributes list; every dataset by its path, where there are none. */
function listDatasets(root: Group, file: string | undefined): { name: string; path: string; dataset: Dataset }[] {
  const found: { name: string; path: string; dataset: Dataset }[] = [];
  const nested = root.get('model_weights');
  const top = isGroup(nested) ? nested : root;
  const layers = nameList(top, 'layer_names');
  const own = layers && isGroup(top.get(TOP_LEVEL)) ? [TOP_LEVEL] : [];
  for (const layer of [...(layers ?? []), ...own]) {
    const group = top.get(layer);
    const weights = isGroup(group) ? nameList(group, 'weight_names') : undefined;
    if (!isGroup(group) || !weights) {
      throw corrupt(`layer ${JSON.stringify(layer)} is listed, but its weights are not`, { file });
    }
    for (const weight of weights) {
      const dataset = group.get(weight);
      const path = `${top === root ? '' : '/model_weights'}/${layer}/${weight}`;
      if (!isDataset(dataset)) throw corrupt('a weight that is listed is not there', { file, tensor: weight });
      found.push({ name: weight.replace(/:0$/, ''), path, dataset });
    }
  }
  if (layers) return found;
  const walk = (group: Group, path: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw corrupt('groups within groups without end', { file });
    for (const key of group.keys()) {
      const item = group.get(key);
      const child = path ? `${path}/${key}` : key;
      if (isGroup(item)) walk(item, child, depth + 1);
      else if (isDataset(item)) found.push({ name: child, path: `/${child}`, dataset: item });
    }
  };
  walk(root, '', 0);
  return found;
}

function dtypeOf({ dtype, metadata }: Dataset): DType | undefined {
  // As h5py writes numpy's bool: an enumeration of these two.
  const members = metadata.enum_type?.members;
  if (members) return members['FALSE'] === 0 && members['TRUE'] === 1 && metadata.size === 1 ? 'bool' : undefined;
  // Values of the other byte order come turned around.
  return typeof dtype === 'string' ? TYPES[dtype.replace(/^[|=>]/, '<')] : undefined;
}

/** What is known of a dataset before it is read; its dtype's own name where arrays have none. */
function describe(name: string, path: string, dataset: Dataset, file: string | undefined): H5Entry | UnreadableEntry {
  const shape = dataset.shape ?? [];
  const dtype = dtypeOf(dataset);
  if (!dtype) return { name, shape, dtype: `HDF5 type ${JSON.stringify(dataset.dtype)}` };
  return { name, dtype, shape, bytes: elementCount(shape, file, name) * DTYPES[dtype].itemSize, path };
}

/** Lists the datasets of an HDF5 file. @throws {CheckpointError} `Corrupt` */
export async function openH5(source: ByteSource, format: 'h5' | 'keras'): Promise<TensorStore> {
  const file = source.name;
  const guard = <T>(work: () => T, tensor?: string): T => {
    try {
      return work();
    } catch (cause) {
      if (cause instanceof CheckpointError) throw cause;
      throw new CheckpointError(
        'Corrupt',
        `HDF5: ${(cause as Error).message ?? String(cause)}`,
        { file, tensor },
        {},
        { cause },
      );
    }
  };
  const held = new HeldFile(source);
  const { root } = await held.open();
  let listed: (H5Entry | UnreadableEntry)[];
  try {
    listed = guard(() =>
      listDatasets(root, file).map(({ name, path, dataset }) => describe(name, path, dataset, file)),
    );
  } catch (error) {
    held.close();
    throw error;
  }
  const entries = listed.filter((entry) => 'path' in entry);
  const unreadable = listed.filter((entry) => !('path' in entry));
  const read = async (entry: CheckpointEntry): Promise<NdArray> => {
    const { path, name, dtype, shape } = entry as H5Entry;
    const opened = await held.open();
    return guard(() => {
      const dataset = opened.root.get(path);
      const values: unknown = isDataset(dataset) ? dataset.value : undefined;
      return { dtype, shape: [...shape], data: typedValues(values, dtype, entry.bytes, { file, tensor: name }) };
    }, name);
  };
  const stream: TensorStore['stream'] = (wanted) => runAhead(wanted.map((entry) => readJob(entry, read)));
  const close = async (): Promise<void> => {
    held.close();
    await source.close?.();
  };
  return { format, location: file ?? 'bytes', entries, unreadable, read, stream, close };
}

/** A file in HDF5's memory: taken in when it is needed, and given back when it was idle. */
class HeldFile {
  private opened: Promise<OpenedFile> | undefined;
  private idle: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly source: ByteSource) {}

  async open(): Promise<OpenedFile> {
    clearTimeout(this.idle);
    this.opened ??= openFile(this.source);
    const opening = this.opened;
    try {
      const opened = await opening;
      this.idle = setTimeout(() => this.close(), IDLE_MS);
      // In Node, a timer keeps the process alive unless it is told not to.
      (this.idle as { unref?: () => void }).unref?.();
      return opened;
    } catch (error) {
      if (this.opened === opening) this.opened = undefined;
      throw error;
    }
  }

  close(): void {
    clearTimeout(this.idle);
    const { opened } = this;
    this.opened = undefined;
    opened?.then((file) => file.close()).catch(() => undefined);
  }
}

function typedValues(values: unknown, dtype: DType, bytes: number, where: Where): NumericData {
  const { data: Data, itemSize } = DTYPES[dtype];
  const count = bytes / itemSize;
  if (ArrayBuffer.isView(values) && values.byteLength === bytes) {
    const copy = new Uint8Array(bytes);
    copy.set(new Uint8Array(values.buffer, values.byteOffset, bytes));
    return new Data!(copy.buffer);
  }
  const list =
    typeof values === 'number' || typeof values === 'bigint' ? [values] : ArrayBuffer.isView(values) ? values : [];
  const data = (Data as unknown as { from(v: unknown): NumericData }).from(list);
  if (data.length !== count || dtype === 'float16') throw corrupt(`${data.length} of ${count} values came`, where);
  return data;
}
