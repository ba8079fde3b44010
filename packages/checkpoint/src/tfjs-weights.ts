// TensorFlow.js's model.json and weight shards: decodeWeights of @tensorflow/tfjs-core 4.22 (src/io/io_utils.ts).
import { DTYPES, type DType, float16Value, type NdArray, type Shape } from '@tfparity/array';
import { type ByteSource, type FileSet, readExactly, readFully } from './byte-source.js';
import { CheckpointError, corrupt, type Where } from './errors.js';
import { readJob, runAhead } from './read-ahead.js';
import { arrayOver, type CheckpointEntry, elementCount, type TensorStore } from './store.js';

interface Quantization {
  readonly dtype: 'uint8' | 'uint16' | 'float16';
  readonly scale: number;
  readonly min: number;
}

interface Weight {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly quantization?: Quantization;
}

interface TfjsEntry extends CheckpointEntry {
  readonly group: readonly ByteSource[];
  readonly offset: number;
  readonly quantization?: Quantization;
}

const MAX_JSON = 256 * 2 ** 20;
const HELD: readonly string[] = ['float32', 'int32', 'bool', 'string', 'complex64'];
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Bytes of a group, whose shards stand one after the other. */
async function readGroup(
  shards: readonly ByteSource[],
  offset: number,
  target: Uint8Array,
  tensor: string,
): Promise<void> {
  let base = 0;
  let done = 0;
  for (const shard of shards) {
    const from = Math.max(0, offset + done - base);
    const count = Math.min(target.length - done, shard.size - from);
    if (from < shard.size && count > 0) {
      await readFully(shard, from, target.subarray(done, done + count), tensor);
      done += count;
    }
    base += shard.size;
  }
  if (done < target.length) {
    throw corrupt(`${target.length} bytes are needed from ${offset}, the shards have ${base}`, {
      file: shards.at(-1)?.name,
      offset,
      tensor,
    });
  }
}

function parseWeight(value: unknown, file: string | undefined): Weight {
  const { name, dtype, shape, quantization } = isRecord(value) ? value : {};
  const where: Where = { file, tensor: typeof name === 'string' ? name : undefined };
  if (typeof name !== 'string' || !Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw corrupt('a weight of the manifest has no name or no shape', where);
  }
  if (!HELD.includes(String(dtype)))
    throw new CheckpointError('Unsupported', `dtype ${String(dtype)} is none of tfjs`, where);
  if (quantization === undefined) return { name, dtype: dtype as DType, shape };
  const { dtype: packed, scale, min } = isRecord(quantization) ? quantization : {};
  const known =
    packed === 'float16' ||
    ((packed === 'uint8' || packed === 'uint16') && Number.isFinite(scale) && Number.isFinite(min));
  if (!known || (dtype !== 'float32' && dtype !== 'int32')) {
    throw new CheckpointError('Unsupported', `quantization ${JSON.stringify(quantization)} of ${String(dtype)}`, where);
  }
  return { name, dtype: dtype as DType, shape, quantization: quantization as unknown as Quantization };
}

async function stringsSize(
  shards: readonly ByteSource[],
  offset: number,
  count: number,
  name: string,
): Promise<number> {
  const length = new Uint8Array(4);
  let at = offset;
  for (let i = 0; i < count; i++) {
    await readGroup(shards, at, length, name);
    at += 4 + new DataView(length.buffer).getUint32(0, true);
  }
  return at - offset;
}

async function readManifest(source: ByteSource): Promise<Record<string, unknown>[]> {
  const file = source.name;
  if (source.size > MAX_JSON) throw corrupt(`${source.size} bytes are no model.json`, { file });
  let model: unknown;
  try {
    model = JSON.parse(new TextDecoder().decode(await readExactly(source, 0, source.size)));
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    throw new CheckpointError('Corrupt', `not JSON: ${(cause as Error).message}`, { file }, {}, { cause });
  }
  const manifest = isRecord(model) ? model['weightsManifest'] : undefined;
  if (!Array.isArray(manifest) || !manifest.every(isRecord)) {
    throw new CheckpointError('NotACheckpoint', 'JSON without a weightsManifest: not the model.json of tfjs', { file });
  }
  return manifest;
}

/** Reads the manifest of a model.json; its shards are found beside it. @throws {CheckpointError} `NotFound` for a shard */
export async function openTfjs(source: ByteSource, files: FileSet): Promise<TensorStore> {
  const file = source.name;
  const entries: TfjsEntry[] = [];
  const names = new Set<string>();
  for (const group of await readManifest(source)) {
    const { paths, weights } = group;
    if (!Array.isArray(paths) || !Array.isArray(weights))
      throw corrupt('a group of the manifest lacks paths or weights', { file });
    const shards: ByteSource[] = [];
    for (const path of paths) shards.push(await openShard(files, String(path)));
    const size = shards.reduce((sum, shard) => sum + shard.size, 0);
    let offset = 0;
    for (const value of weights) {
      const { name, dtype, shape, quantization } = parseWeight(value, file);
      if (names.has(name)) throw corrupt('two weights have this name', { file, tensor: name });
      names.add(name);
      const count = elementCount(shape, file, name);
      const itemSize = quantization ? DTYPES[quantization.dtype].itemSize : DTYPES[dtype].itemSize;
      const bytes = dtype === 'string' ? await stringsSize(shards, offset, count, name) : count * itemSize;
      if (offset + bytes > size) {
        throw corrupt(`its ${bytes} bytes from ${offset} are more than the shards have (${size})`, {
          file: shards.at(-1)?.name ?? file,
          tensor: name,
        });
      }
      entries.push({ name, dtype, shape, bytes, group: shards, offset, ...(quantization ? { quantization } : {}) });
      offset += bytes;
    }
  }
  const read = async (entry: CheckpointEntry): Promise<NdArray> => {
    const { group, offset, bytes, name } = entry as TfjsEntry;
    const stored = new Uint8Array(bytes);
    await readGroup(group, offset, stored, name);
    return decode(entry as TfjsEntry, stored);
  };
  return {
    format: 'tfjs',
    location: file ?? 'model.json',
    entries,
    read,
    stream: (wanted) => runAhead(wanted.map((entry) => readJob(entry, read))),
    close: async () => {
      for (const { group } of entries) for (const shard of group) await shard.close?.();
    },
  };
}

async function openShard(files: FileSet, path: string): Promise<ByteSource> {
  // A manifest names files; it must not name them outside its folder.
  if (/^[/\\]|^[a-z][a-z0-9+.-]*:|(^|[/\\])\.\.([/\\]|$)/i.test(path)) {
    throw new CheckpointError('Corrupt', `the manifest names ${path}, which is outside its folder`, {
      file: files.name,
    });
  }
  const shard = await files.open(path);
  if (!shard)
    throw new CheckpointError('NotFound', `no file ${path} there: a shard of the weights is missing`, {
      file: `${files.name}${path}`,
    });
  return shard;
}

function decode({ dtype, shape, quantization, name }: TfjsEntry, stored: Uint8Array): NdArray {
  if (dtype === 'string') {
    const view = new DataView(stored.buffer);
    const data: Uint8Array[] = [];
    for (let at = 0; at < stored.length; ) {
      const length = view.getUint32(at, true);
      if (at + 4 + length > stored.length) throw corrupt('its strings go past its end', { tensor: name });
      data.push(stored.slice(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return { dtype, shape: [...shape], data };
  }
  if (!quantization) return arrayOver(dtype, shape, stored);
  const packed = arrayOver(quantization.dtype, shape, stored).data;
  const { scale, min } = quantization;
  const data = dtype === 'int32' ? new Int32Array(packed.length) : new Float32Array(packed.length);
  for (let i = 0; i < packed.length; i++) {
    const value = Number(packed[i]);
    const plain = quantization.dtype === 'float16' ? float16Value(value) : value * scale + min;
    data[i] = dtype === 'int32' ? Math.round(plain) : plain;
  }
  return { dtype, shape: [...shape], data };
}
