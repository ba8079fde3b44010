// Arrays in a file: the safetensors format (eight bytes of header length, JSON header, data), which names tensors, knows bfloat16
// and is read by other tools. Complex64 is its C64; string and complex128 arrays it cannot hold.
import { bytesOf, DTYPES, type DType, type NdArray, type NumericData, sizeOf } from '@tfparity/array';
import { NumericsError } from './errors.js';

const NAMES: Partial<Record<DType, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
  complex64: 'C64',
};
const BY_NAME = new Map(Object.entries(NAMES).map(([dtype, name]) => [name, dtype as DType]));

/** The bytes of a golden file with these arrays. @throws {NumericsError} `InvalidGolden` for a dtype that it cannot hold */
export function encodeGolden(arrays: ReadonlyMap<string, NdArray>): Uint8Array {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, array] of arrays) {
    const dtype = NAMES[array.dtype];
    if (dtype === undefined) {
      throw new NumericsError('InvalidGolden', `${name}: a golden file cannot hold ${array.dtype} arrays`, { name });
    }
    const start = end;
    end += bytesOf(array).length;
    header[name] = { dtype, shape: array.shape, data_offsets: [start, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Data begins at a multiple of 8; JSON may end in spaces.
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + end).fill(0x20, 8, 8 + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  let at = 8 + length;
  for (const array of arrays.values()) {
    bytes.set(bytesOf(array), at);
    at += bytesOf(array).length;
  }
  return bytes;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** The arrays of a golden file, in its order. @throws {NumericsError} `InvalidGolden` for a file that is damaged or cut off */
export function decodeGolden(bytes: Uint8Array, file: string): Map<string, NdArray> {
  const bad = (why: string, cause?: unknown): NumericsError =>
    new NumericsError('InvalidGolden', `${file}: ${why}; remake it with -u`, { file }, { cause });
  if (bytes.length < 8) throw bad('has no header');
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (!(length <= bytes.length - 8)) throw bad(`has a header of ${length} bytes in a file of ${bytes.length}`);
  let header: Record<string, Entry>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, Entry>;
  } catch (cause) {
    throw bad('has a header that is not JSON', cause);
  }
  const arrays = new Map<string, NdArray>();
  for (const [name, { dtype: code, shape, data_offsets: [start, end] = [0, 0] }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const dtype = BY_NAME.get(code);
    if (dtype === undefined) throw bad(`${name} has the unknown dtype ${code}`);
    const info = DTYPES[dtype];
    const size = sizeOf(shape) * info.itemSize;
    // A copy: the file may lie at any byte of a larger buffer.
    const data = new Uint8Array(bytes.subarray(8 + length + start, 8 + length + end));
    if (end - start !== size || data.length !== size) throw bad(`${name} has ${data.length} bytes, not ${size}`);
    arrays.set(name, { dtype, shape, data: new info.data!(data.buffer) as NumericData });
  }
  return arrays;
}
