// .safetensors: 8 bytes of length, a JSON header, and the bytes of the tensors (huggingface/safetensors, README "Format").
import { DTYPES, type DType } from '@tfparity/array';
import { type ByteSource, readExactly } from './byte-source.js';
import { CheckpointError, corrupt, type Where } from './errors.js';
import { type PlacedEntry, PlacedStore } from './placed-store.js';
import { arrayOver, elementCount, type TensorStore } from './store.js';

// The reference implementation's own limit.
const MAX_HEADER = 100_000_000;

/** The names that safetensors has for dtypes. */
export const SAFETENSORS_DTYPES: Readonly<Partial<Record<DType, string>>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  bfloat16: 'BF16',
  int8: 'I8',
  int16: 'I16',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
  complex64: 'C64',
};

const BY_NAME = new Map(Object.entries(SAFETENSORS_DTYPES).map(([dtype, name]) => [name, dtype as DType]));

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);

/** Reads the header. @throws {CheckpointError} `Corrupt`, or `Unsupported` for a dtype */
export async function openSafetensors(source: ByteSource): Promise<TensorStore> {
  const file = source.name;
  const prefix = await readExactly(source, 0, 8);
  const size = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (size > Math.min(MAX_HEADER, source.size - 8)) {
    throw corrupt(`a header of ${size} bytes cannot be in a file of ${source.size}`, { file, offset: 0 });
  }
  const header = parseHeader(await readExactly(source, 8, size), { file, offset: 8 });
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => readEntry(name, value, size + 8, file));
  entries.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = size + 8;
  for (const { name, offset, bytes } of entries) {
    if (offset !== end) {
      throw corrupt(`it begins at byte ${offset}, but what is before it ends at ${end}`, {
        file,
        offset,
        tensor: name,
      });
    }
    end += bytes;
  }
  if (end !== source.size)
    throw corrupt(`its tensors end at byte ${end}, the file at ${source.size}`, { file, offset: end });
  return new PlacedStore('safetensors', source, entries);
}

function parseHeader(bytes: Uint8Array, where: Where): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof header === 'object' && header !== null && !Array.isArray(header))
      return header as Record<string, unknown>;
  } catch (cause) {
    throw new CheckpointError('Corrupt', `the header is not JSON: ${(cause as Error).message}`, where, {}, { cause });
  }
  throw corrupt('the header is not a JSON object', where);
}

function readEntry(name: string, value: unknown, base: number, file: string | undefined): PlacedEntry {
  const where: Where = { file, offset: 8, tensor: name };
  const { dtype: stored, shape, data_offsets: range } = (value ?? {}) as Record<string, unknown>;
  const dtype = BY_NAME.get(String(stored));
  if (!dtype)
    throw new CheckpointError('Unsupported', `dtype ${String(stored)} of safetensors is not read here`, where);
  if (!isCounts(shape) || !isCounts(range) || range.length !== 2)
    throw corrupt('its shape or place is no list of counts', where);
  const [from, to] = range as [number, number];
  const needed = elementCount(shape, file, name) * DTYPES[dtype].itemSize;
  if (to - from !== needed) throw corrupt(`it has ${to - from} bytes, its shape needs ${needed}`, where);
  const decode = (bytes: Uint8Array) => arrayOver(dtype, shape, bytes);
  return { name, dtype, shape, bytes: needed, offset: base + from, plain: true, decode };
}
