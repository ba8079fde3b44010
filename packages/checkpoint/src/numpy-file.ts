// .npy files (numpy/lib/format.py): a Python dict as text, then the bytes.
import { DTYPES, type DType, type NdArray, type Shape } from '@tfparity/array';
import { type ByteSource, readExactly } from './byte-source.js';
import { CheckpointError, corrupt, type Where } from './errors.js';
import { transposeArray } from './layout-rules.js';
import { PlacedStore } from './placed-store.js';
import { arrayOver, elementCount, swapBytes, type TensorStore } from './store.js';

/** What the header of a .npy says. */
export interface NpyHeader {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Bytes before the values. */
  readonly start: number;
  /** Bytes of all values. */
  readonly size: number;
  decode(bytes: Uint8Array): NdArray;
}

// The longest that numpy itself reads without being told to trust the file.
const MAX_HEADER = 10_000;
const MOST_EMPTY = 10_000;
const MAGIC = '\x93NUMPY';
const NAMES: Readonly<Partial<Record<DType, string>>> = {
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
  complex64: '<c8',
  complex128: '<c16',
  // As numpy writes the bfloat16 of ml_dtypes, which TensorFlow uses.
  bfloat16: '<V2',
};

interface Kind {
  readonly dtype: DType;
  readonly itemSize: number;
  readonly swap: boolean;
}

function kindOf(descr: string, where: Where): Kind {
  const match = /^([<>|=])([a-zA-Z])(\d+)$/.exec(descr);
  if (match) {
    const [, order, letter, count] = match as unknown as [string, string, string, string];
    const size = Number(count);
    if (letter === 'S') return { dtype: 'string', itemSize: size, swap: false };
    if (letter === 'U' && order !== '>') return { dtype: 'string', itemSize: size * 4, swap: false };
    const found = Object.entries(NAMES).find(([, name]) => name.slice(1) === letter + count);
    if (found) {
      const dtype = found[0] as DType;
      return { dtype, itemSize: DTYPES[dtype].itemSize, swap: order === '>' };
    }
  }
  throw new CheckpointError('Unsupported', `numpy dtype ${descr} is not read here`, where, { descr });
}

const trimmed = (bytes: Uint8Array): Uint8Array => {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.slice(0, end);
};

function readText(bytes: Uint8Array, wide: boolean): Uint8Array {
  if (!wide) return trimmed(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at, true);
    text += point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
  }
  return new TextEncoder().encode(text.replace(/\0+$/, ''));
}

/** How many bytes the header takes, from the file's first 12; for reading just these. */
export function npyHeaderSize(start: Uint8Array, where: Where): number {
  const magic = String.fromCharCode(...start.subarray(0, 6));
  const version = start[6]!;
  if (start.length < 12 || magic !== MAGIC || version < 1 || version > 3) throw corrupt('no numpy header', where);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const size = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (size > MAX_HEADER) throw corrupt(`a numpy header of ${size} bytes is more than there can be`, where);
  return (version === 1 ? 10 : 12) + size;
}

/** Reads a header. @throws {CheckpointError} `Corrupt`, `Unsupported` (Python objects, records) */
export function parseNpyHeader(bytes: Uint8Array, file: string | undefined, tensor: string): NpyHeader {
  const where: Where = { file, tensor };
  const start = npyHeaderSize(bytes, where);
  const text = new TextDecoder().decode(bytes.subarray(bytes[6] === 1 ? 10 : 12, start));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const axes = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (descr === undefined && /'descr'\s*:\s*\[/.test(text)) {
    throw new CheckpointError('Unsupported', 'records (structured dtypes) are not read here', where);
  }
  if (descr === undefined || fortran === undefined || axes === undefined)
    throw corrupt('a numpy header that is none', where);
  const shape = (axes.match(/\d+/g) ?? []).map(Number);
  const kind = kindOf(descr, where);
  const count = elementCount(shape, file, tensor);
  const size = count * kind.itemSize;
  // Strings of no bytes cost their file nothing, however many it claims.
  if (kind.itemSize === 0 && count > MOST_EMPTY)
    throw corrupt(`${count} strings of no bytes are more than it can hold`, where);
  const { dtype } = kind;
  const stored = fortran === 'True' ? [...shape].reverse() : shape;
  const decode = (values: Uint8Array): NdArray => {
    let array: NdArray;
    if (dtype === 'string') {
      const wide = descr.includes('U');
      const data = Array.from({ length: count }, (_, i) =>
        readText(values.subarray(i * kind.itemSize, (i + 1) * kind.itemSize), wide),
      );
      array = { dtype, shape: stored, data };
    } else {
      if (kind.swap) swapBytes(values, kind.itemSize / DTYPES[dtype].lanes);
      array = arrayOver(dtype, stored, values);
    }
    if (fortran === 'False' || shape.length < 2) return array;
    const order = shape.map((_, axis) => shape.length - 1 - axis);
    return transposeArray(array, order);
  };
  return { dtype, shape, start, size, decode };
}

/** A .npy as a checkpoint of one tensor, named by its file. */
export async function openNpy(source: ByteSource): Promise<TensorStore> {
  const file = source.name;
  const tensor = (file ?? 'array')
    .split(/[/\\]/)
    .at(-1)!
    .replace(/\.npy$/, '');
  const size = npyHeaderSize(await readExactly(source, 0, 12), { file });
  const header = parseNpyHeader(await readExactly(source, 0, size), file, tensor);
  if (header.start + header.size !== source.size) {
    throw corrupt(`its shape needs ${header.start + header.size} bytes, the file has ${source.size}`, { file, tensor });
  }
  const { dtype, shape, start, decode } = header;
  return new PlacedStore('npy', source, [{ name: tensor, dtype, shape, bytes: header.size, offset: start, decode }]);
}

/** The header of a .npy with these contents. @throws {CheckpointError} `Unsupported` for a dtype that numpy lacks */
export function npyHeader({ dtype, shape, data }: NdArray, tensor: string): { header: Uint8Array; itemSize: number } {
  let descr = NAMES[dtype];
  let { itemSize } = DTYPES[dtype];
  if (Array.isArray(data)) {
    itemSize = data.reduce((most, string) => Math.max(most, string.length), 1);
    if (data.some((string) => string.at(-1) === 0)) {
      throw new CheckpointError('Unsupported', 'numpy drops the NULs at the end of a string', { tensor });
    }
    descr = `|S${itemSize}`;
  }
  if (!descr) throw new CheckpointError('Unsupported', `numpy has no dtype for ${dtype}; cast it first`, { tensor });
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${axes}), }`;
  const padded = Math.ceil((text.length + 11) / 64) * 64 - 10;
  const header = new TextEncoder().encode(`${MAGIC.slice(1)}\x01\0\0\0${text.padEnd(padded - 1)}\n`);
  const whole = new Uint8Array(header.length + 1);
  whole[0] = 0x93;
  whole.set(header, 1);
  new DataView(whole.buffer).setUint16(8, padded, true);
  return { header: whole, itemSize };
}
