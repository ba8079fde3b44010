import { type ByteSource, type FileSet, readExactly } from './byte-source.js';
import { readState } from './checkpoint-state.js';
import type { Crc32c } from './crc32c.js';
import { CheckpointError } from './errors.js';
import { nearestNames } from './nearest-names.js';
import { SavedSlices } from './saved-slices.js';
import { unsnappyStart } from './snappy.js';
import { looksLikeTable, SsTable } from './sstable.js';
import type { TensorStore } from './store.js';
import { TensorBundle } from './tensor-bundle.js';
import { type Cursor, readVarint } from './varint.js';

type Checksum = Crc32c | undefined;

// `?????` is how TensorFlow's V1 saver calls all shards at once, in the `checkpoint` file, too.
const SHARD = /^(.*)-(\d{5}|\?{5})-of-(\d{5})$/;
const DATA_FILE = /^(.*)\.data-\d{5}-of-\d{5}$/;
const MAX_SHARDS = 99999;
// SavedTensorSlices.meta: field 1, as a message.
const V1_META_TAG = 0x0a;

const startsWith = (bytes: Uint8Array, text: string): boolean =>
  [...text].every((char, i) => bytes[i] === char.charCodeAt(0));

/** A file of one of the formats that are not TensorFlow's own: told by its first bytes. */
async function openByContent(source: ByteSource, files: FileSet): Promise<TensorStore | undefined> {
  const start = await readExactly(source, 0, Math.min(source.size, 16));
  const { name = '' } = source;
  if (startsWith(start, '\x93NUMPY')) return (await import('./numpy-file.js')).openNpy(source);
  if (startsWith(start, 'PK\x03\x04') || startsWith(start, 'PK\x05\x06')) {
    return (await import('./zip-formats.js')).openZip(source);
  }
  if (startsWith(start, '\x89HDF\r\n\x1a\n')) return (await import('./keras-h5.js')).openH5(source, 'h5');
  if (start[8] === 0x7b && start.length > 8) return (await import('./safetensors.js')).openSafetensors(source);
  if (/^\s*\{/.test(String.fromCharCode(...start)) && !name.endsWith('.safetensors')) {
    return (await import('./tfjs-weights.js')).openTfjs(source, files);
  }
  return undefined;
}

/** Whether a table is the index of a V2 checkpoint: its first record is then a bundle's header, not a V1 list. */
async function isBundleIndex(source: ByteSource, checksum: Checksum): Promise<boolean> {
  const [block] = (await SsTable.open(source, checksum)).blocks;
  if (!block) return source.name?.endsWith('.index') ?? false;
  const stored = await readExactly(source, block.offset, Math.min(256, block.size));
  const packed = (await readExactly(source, block.offset + block.size, 1))[0] === 1;
  const where = { file: source.name, offset: block.offset };
  const start = packed ? unsnappyStart(stored, where, 32) : stored;
  const cursor: Cursor = { bytes: start, position: 0, end: start.length, where };
  // The record's three lengths, and no key: what follows is the first tag of its message.
  for (let i = 0; i < 3; i++) readVarint(cursor);
  return start[cursor.position] !== V1_META_TAG;
}

async function openTable(source: ByteSource, files: FileSet, base: string, checksum: Checksum): Promise<TensorStore> {
  const location = source.name ?? base;
  const shard = SHARD.exec(base);
  if (shard) {
    const count = Number(shard[3]);
    return SavedSlices.open(`${files.name}${shard[1]}`, await openShards(files, shard[1]!, count), checksum);
  }
  if (base.endsWith('.index') || (await isBundleIndex(source, checksum))) {
    return TensorBundle.open(files, base.replace(/\.index$/, ''), checksum, source);
  }
  return SavedSlices.open(location, [source], checksum);
}

async function openShards(files: FileSet, prefix: string, count: number): Promise<ByteSource[]> {
  if (count < 1 || count > MAX_SHARDS) throw notFound(files, prefix, []);
  const sources: ByteSource[] = [];
  for (let i = 0; i < count; i++) {
    const name = `${prefix}-${String(i).padStart(5, '0')}-of-${String(count).padStart(5, '0')}`;
    const source = await files.open(name);
    if (!source) {
      throw new CheckpointError('NotFound', `no file ${name} there: a shard of the checkpoint is missing`, {
        file: `${files.name}${name}`,
      });
    }
    sources.push(source);
  }
  return sources;
}

function notFound(files: FileSet, base: string, names: readonly string[]): CheckpointError {
  const nearest = nearestNames(
    base,
    names.map((name) => name.replace(/\.index$|\.data-\d{5}-of-\d{5}$/, '')),
    6,
  );
  const near = [...new Set(nearest)].slice(0, 3);
  const hint = near.length ? `; near it are ${near.join(', ')}` : '';
  return new CheckpointError(
    'NotFound',
    `Unsuccessful TensorSliceReader constructor: Failed to find any matching files for ${files.name}${base}${hint}`,
    { file: `${files.name}${base}` },
    { nearest: near },
  );
}

async function openFile(source: ByteSource, files: FileSet, base: string, checksum: Checksum): Promise<TensorStore> {
  if (await looksLikeTable(source)) return openTable(source, files, base, checksum);
  const store = await openByContent(source, files);
  if (store) return store;
  const start = await readExactly(source, 0, Math.min(source.size, 64));
  const page = /^\s*<(!doctype|html|\?xml|head|body)/i.test(String.fromCharCode(...start));
  const what = page ? 'a web page (a server may send one instead of "not found")' : 'no format that is known here';
  throw new CheckpointError('NotACheckpoint', `the ${source.size} bytes are ${what}; as a table: bad magic number`, {
    file: source.name ?? base,
    offset: 0,
  });
}

/** A folder: a SavedModel, what its `checkpoint` file names, a tfjs model, or the one checkpoint that is in it. */
async function openFolder(files: FileSet, checksum: Checksum): Promise<TensorStore> {
  const names = (await files.list?.()) ?? [];
  const state = files.list && !names.includes('checkpoint') ? undefined : await readState(files);
  if (state) return detect(files, await placeOf(files, state.latest), checksum);
  const variables = await files.open('variables/variables.index');
  if (variables) return TensorBundle.open(files, 'variables/variables', checksum, variables, 'SavedModel');
  if (names.includes('variables.index'))
    return TensorBundle.open(files, 'variables', checksum, undefined, 'SavedModel');
  const model = await files.open('model.json');
  if (model) return openFile(model, files, 'model.json', checksum);
  const candidates = [...new Set(names.flatMap((name) => candidateOf(name)))];
  if (candidates.length === 1) return detect(files, candidates[0]!, checksum);
  const found = candidates.length ? `several: ${candidates.slice(0, 8).join(', ')}; name one` : 'none';
  throw new CheckpointError('NotFound', `no checkpoint can be chosen here: there are ${found}`, { file: files.name });
}

/** What a `checkpoint` file names: where it says, or, when the folder was moved since, beside the file. */
export async function placeOf(files: FileSet, named: string): Promise<string> {
  const last = named.split(/[/\\]/).at(-1)!;
  if (last === named || last === '') return named;
  for (const base of [named, last]) {
    for (const name of [`${base}.index`, base.replace(/-\?{5}(-of-\d{5})$/, '-00000$1')]) {
      const found = await files.open(name).catch(() => undefined);
      await found?.close?.();
      if (found) return base;
    }
  }
  return named;
}

function candidateOf(name: string): string[] {
  if (name.endsWith('.index')) return [name.replace(/\.index$/, '')];
  const shard = DATA_FILE.test(name) ? null : SHARD.exec(name);
  if (shard) return [shard[1]!];
  return /\.(safetensors|npz|npy|h5|hdf5|keras|json)$/.test(name) || !name.includes('.') ? [name] : [];
}

/** Tells the format of what lies at `base` among `files` (a folder's own, where `base` is empty), and reads its index. */
export async function detect(files: FileSet, base: string, checksum: Checksum): Promise<TensorStore> {
  if (base === '') return openFolder(files, checksum);
  const all = /^(.*)-\?{5}-of-(\d{5})$/.exec(base);
  if (all) {
    return SavedSlices.open(`${files.name}${all[1]}`, await openShards(files, all[1]!, Number(all[2])), checksum);
  }
  const data = DATA_FILE.exec(base);
  if (data) return detect(files, data[1]!, checksum);
  const named = /\.(index|safetensors|npz|npy|h5|hdf5|keras|json)$/.test(base);
  const tries = named ? [base, `${base}.index`] : [`${base}.index`, base];
  for (const name of tries) {
    const source = await files.open(name);
    if (!source) continue;
    if (name !== base) return TensorBundle.open(files, base, checksum, source);
    return openFile(source, files, base, checksum);
  }
  const names = (await files.list?.()) ?? [];
  const shard = names.map((name) => SHARD.exec(name)).find((match) => match?.[1] === base);
  if (shard) return SavedSlices.open(`${files.name}${base}`, await openShards(files, base, Number(shard[3])), checksum);
  throw notFound(files, base, names);
}
