// The formats that are zip archives: numpy's .npz, and Keras 3's .keras.
import type { NdArray } from '@tfparity/array';
import { Inflate } from 'fflate';
import { type ByteSource, BytesSource, readExactly } from './byte-source.js';
import { CheckpointError, corrupt } from './errors.js';
import { openH5 } from './keras-h5.js';
import { type NpyHeader, npyHeaderSize, parseNpyHeader } from './numpy-file.js';
import { readJob, runAhead } from './read-ahead.js';
import type { CheckpointEntry, NamedArray, TensorStore, UnreadableEntry } from './store.js';
import { listZip, memberStart, readMember, type ZipMember } from './zip-archive.js';

interface NpzEntry extends CheckpointEntry {
  readonly member: ZipMember;
  readonly header: NpyHeader;
}

const HEADER_READ = 4096;
const KERAS_WEIGHTS = 'model.weights.h5';

/** The first bytes of a member, unpacked if need be. */
async function startOf(source: ByteSource, member: ZipMember): Promise<Uint8Array> {
  const start = await memberStart(source, member);
  const stored = await readExactly(source, start, Math.min(member.packed, HEADER_READ), member.name);
  if (!member.deflated) return stored;
  const parts: Uint8Array[] = [];
  const inflate = new Inflate((part) => parts.push(part));
  try {
    inflate.push(stored, member.packed <= HEADER_READ);
  } catch (cause) {
    throw new CheckpointError(
      'Corrupt',
      `${member.name} cannot be unpacked`,
      { file: source.name, offset: start },
      {},
      { cause },
    );
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** An .npz or a .keras, by what is in it. @throws {CheckpointError} `NotACheckpoint` for another archive */
export async function openZip(source: ByteSource): Promise<TensorStore> {
  const members = await listZip(source);
  const weights = members.find((member) => member.name === KERAS_WEIGHTS);
  if (weights) return openH5(new BytesSource(await readMember(source, weights), source.name), 'keras');
  const isArray = ({ name }: ZipMember): boolean => name.endsWith('.npy');
  const arrays = members.filter(isArray);
  if (arrays.length === 0 && members.length > 0) {
    throw new CheckpointError('NotACheckpoint', `a zip archive without .npy or ${KERAS_WEIGHTS}`, {
      file: source.name,
    });
  }
  // numpy gives what is no array as bytes: it is there, and it is not read.
  const unreadable: UnreadableEntry[] = [];
  for (const member of members.filter((each) => !isArray(each))) {
    await memberStart(source, member);
    unreadable.push({ name: member.name, dtype: 'file', shape: [] });
  }
  return openNpz(source, arrays, unreadable);
}

async function openNpz(
  source: ByteSource,
  members: readonly ZipMember[],
  unreadable: readonly UnreadableEntry[],
): Promise<TensorStore> {
  const entries: NpzEntry[] = [];
  const names = new Set<string>();
  for (const member of members) {
    const name = member.name.replace(/\.npy$/, '');
    const where = { file: source.name, offset: member.header, tensor: name };
    if (names.has(name)) throw corrupt('two tensors have this name', where);
    names.add(name);
    const start = await startOf(source, member);
    if (npyHeaderSize(start, where) > start.length) throw corrupt('its header is cut short', where);
    const header = parseNpyHeader(start, source.name, name);
    if (header.start + header.size !== member.size) {
      throw corrupt(`its shape needs ${header.start + header.size} bytes, the archive has ${member.size}`, where);
    }
    entries.push({ name, dtype: header.dtype, shape: header.shape, bytes: header.size, member, header });
  }
  const read = async (entry: CheckpointEntry): Promise<NdArray> => {
    const { member, name, header } = entry as NpzEntry;
    const bytes = await readMember(source, member, name);
    // The header was read before the checksum was known to be right: what counts is what it covers.
    const checked = parseNpyHeader(bytes, source.name, name);
    if (checked.dtype !== header.dtype || checked.shape.join() !== header.shape.join()) {
      throw corrupt('its header changed while it was read', { file: source.name, tensor: name });
    }
    return checked.decode(bytes.slice(checked.start));
  };
  const stream = (wanted: readonly CheckpointEntry[]): AsyncIterable<NamedArray> =>
    runAhead(wanted.map((entry) => readJob(entry, read)));
  const close = async (): Promise<void> => source.close?.();
  return { format: 'npz', location: source.name ?? 'bytes', entries, unreadable, read, stream, close };
}
