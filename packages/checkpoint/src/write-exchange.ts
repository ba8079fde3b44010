// The formats that other tools read: .safetensors, .npz, and tfjs's model.json with its shards.
import { bytesOf, DTYPES, type NdArray } from '@tfparity/array';
import { CheckpointError } from './errors.js';
import type { FileSink, PendingFile } from './file-sink.js';
import { npyHeader } from './numpy-file.js';
import { SAFETENSORS_DTYPES } from './safetensors.js';
import type { NamedArray } from './store.js';
import { writeZip } from './write-zip.js';

const TFJS_DTYPES: readonly string[] = ['float32', 'int32', 'bool', 'string', 'complex64'];
const TFJS_SHARD = 4 * 2 ** 20;
const TFJS_FILE = /^\.group(\d{1,9})-shard\d+of\d+\.bin$/;

/** Names of dtypes and shapes that are known before the values: what a header at the front needs. */
export interface KnownTensor {
  readonly name: string;
  readonly dtype: NdArray['dtype'];
  readonly shape: readonly number[];
}

async function whole(sink: FileSink, name: string, write: (file: PendingFile) => Promise<void>): Promise<void> {
  const file = await sink.create();
  try {
    await write(file);
    await file.commit(name);
  } catch (error) {
    await file.discard().catch(() => undefined);
    throw error;
  }
}

function unsupported(format: string, { name, dtype }: KnownTensor): CheckpointError {
  return new CheckpointError(
    'Unsupported',
    `${format} has no dtype for ${dtype}; cast it first`,
    { tensor: name },
    { dtype },
  );
}

function uniqueNames(): (name: string) => void {
  const seen = new Set<string>();
  return (name) => {
    if (seen.has(name)) throw new CheckpointError('Conflict', 'two tensors have this name', { tensor: name });
    seen.add(name);
  };
}

/** A .safetensors: its header stands before the values, so that shapes are known first, and values come in that order. */
export async function writeSafetensors(
  sink: FileSink,
  base: string,
  known: readonly KnownTensor[],
  values: AsyncIterable<NamedArray>,
): Promise<void> {
  const unique = uniqueNames();
  // Put together as text: a name like __proto__ is no key that a plain object takes.
  const header: string[] = [];
  let offset = 0;
  // The reference writes wider dtypes first, so that values stay aligned; our order is the caller's.
  for (const tensor of known) {
    unique(tensor.name);
    const dtype = SAFETENSORS_DTYPES[tensor.dtype];
    if (!dtype) throw unsupported('safetensors', tensor);
    if (tensor.name === '__metadata__') {
      throw new CheckpointError('Unsupported', 'safetensors keeps this name for itself', { tensor: tensor.name });
    }
    const end = offset + tensor.shape.reduce((a, b) => a * b, 1) * DTYPES[tensor.dtype].itemSize;
    const place = JSON.stringify({ dtype, shape: tensor.shape, data_offsets: [offset, end] });
    header.push(`${JSON.stringify(tensor.name)}:${place}`);
    offset = end;
  }
  const text = new TextEncoder().encode(`{${header.join()}}`);
  const start = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(start.length - 8), true);
  start.set(text, 8);
  await whole(sink, base, async (file) => {
    await file.write(start);
    for await (const array of values) await file.write(bytesOf(array));
  });
}

/** An .npz with each tensor stored as it is. */
export async function writeNpz(sink: FileSink, base: string, values: AsyncIterable<NamedArray>): Promise<void> {
  const unique = uniqueNames();
  async function* members(): AsyncGenerator<{ name: string; parts: Uint8Array[] }> {
    for await (const array of values) {
      unique(array.name);
      const { header, itemSize } = npyHeader(array, array.name);
      yield { name: `${array.name}.npy`, parts: [header, fixedBytes(array, itemSize)] };
    }
  }
  await whole(sink, base, (file) => writeZip(file, members()));
}

function fixedBytes(array: NdArray, itemSize: number): Uint8Array {
  const { data } = array;
  if (!Array.isArray(data)) return bytesOf(array);
  const bytes = new Uint8Array(data.length * itemSize);
  data.forEach((string, i) => {
    bytes.set(string, i * itemSize);
  });
  return bytes;
}

function tfjsBytes(array: NamedArray): Uint8Array {
  const { data } = array;
  if (!Array.isArray(data)) return bytesOf(array);
  const bytes = new Uint8Array(data.reduce((sum, string) => sum + 4 + string.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const string of data) {
    view.setUint32(at, string.length, true);
    bytes.set(string, at + 4);
    at += 4 + string.length;
  }
  return bytes;
}

/** Shards of an older model of that name, and a number of a group that none of them has: they stay until the manifest is new. */
async function freeGroup(sink: FileSink, stem: string): Promise<{ group: number; old: string[] }> {
  const old = (await sink.list()).filter((name) => name.startsWith(stem) && TFJS_FILE.test(name.slice(stem.length)));
  const groups = new Set(old.map((name) => Number(TFJS_FILE.exec(name.slice(stem.length))![1])));
  let group = 1;
  while (groups.has(group)) group++;
  return { group, old };
}

/** A tfjs weights manifest as `base` (a model.json), and its shards of 4 MB beside it; the manifest appears last. */
export async function writeTfjs(sink: FileSink, base: string, values: AsyncIterable<NamedArray>): Promise<void> {
  const unique = uniqueNames();
  const shards: PendingFile[] = [];
  const weights: KnownTensor[] = [];
  let room = 0;
  const stem = base.replace(/\.json$/, '');
  const { group, old } = await freeGroup(sink, stem);
  const committed: string[] = [];
  try {
    for await (const array of values) {
      unique(array.name);
      if (!TFJS_DTYPES.includes(array.dtype)) throw unsupported('tfjs', array);
      weights.push({ name: array.name, shape: array.shape, dtype: array.dtype });
      const bytes = tfjsBytes(array);
      for (let at = 0; at < bytes.length; ) {
        if (room === 0) {
          shards.push(await sink.create());
          room = TFJS_SHARD;
        }
        const part = bytes.subarray(at, at + room);
        await shards.at(-1)!.write(part);
        at += part.length;
        room -= part.length;
      }
    }
    const paths = shards.map((_, i) => `${stem}.group${group}-shard${i + 1}of${shards.length}.bin`);
    for (const [i, shard] of shards.entries()) {
      await shard.commit(paths[i]!);
      committed.push(paths[i]!);
    }
    const manifest = { format: 'weights', generatedBy: 'tfparity', weightsManifest: [{ paths, weights }] };
    await whole(sink, base, (file) => file.write(new TextEncoder().encode(JSON.stringify(manifest))));
  } catch (error) {
    for (const shard of shards) await shard.discard().catch(() => undefined);
    for (const name of committed) await sink.remove(name).catch(() => undefined);
    throw error;
  }
  for (const name of old) await sink.remove(name);
}
