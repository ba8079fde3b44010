import {
  DTYPES,
  type DType,
  dtypeFromEnum,
  formatShape,
  type NdArray,
  type NumericData,
  type Shape,
} from '@tfparity/array';
import { CheckpointError, corrupt, type Where } from './errors.js';
import type { ObjectGraph } from './object-graph.js';
import type { TensorPiece } from './tensor-pieces.js';
import type { TensorSlice } from './tensor-slice.js';

/** The formats that `openCheckpoint` tells apart. */
export type CheckpointFormat =
  | 'V1'
  | 'V2'
  | 'V2 object graph'
  | 'SavedModel'
  | 'tfjs'
  | 'safetensors'
  | 'npz'
  | 'npy'
  | 'h5'
  | 'keras';

/** One tensor of a checkpoint, as far as its index tells. */
export interface CheckpointEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** How many bytes of the file hold it (packed, where the format packs). */
  readonly bytes: number;
  /** The slices that a partitioned variable is stored as, in their order; absent for a whole tensor. */
  readonly slices?: readonly TensorSlice[];
  /** In an object-based checkpoint: the variable's own name, such as `dense/kernel`. */
  readonly fullName?: string;
}

/** A tensor that is listed, but of a dtype that arrays do not have (a variant, a resource): asking for it is an error. */
export interface UnreadableEntry {
  readonly name: string;
  /** What the file calls its dtype. */
  readonly dtype: string;
  readonly shape: Shape;
}

/** A tensor with its name. */
export interface NamedArray extends NdArray {
  readonly name: string;
}

/** What a format's reader gives: the entries from its index, and one tensor or all of them on demand. */
export interface TensorStore {
  readonly format: CheckpointFormat;
  /** What errors call it: the path, URL or file name. */
  readonly location: string;
  readonly entries: readonly CheckpointEntry[];
  readonly objectGraph?: ObjectGraph;
  readonly unreadable?: readonly UnreadableEntry[];
  /** Names that `read` knows beside those of `entries` (the record of the object graph). */
  readonly hidden?: ReadonlyMap<string, CheckpointEntry>;
  read(entry: CheckpointEntry): Promise<NdArray>;
  /** One slice of a partitioned variable, by its place in `entry.slices`. */
  readSlice?(entry: CheckpointEntry, index: number): Promise<NdArray>;
  /** The values of one tensor in pieces; `undefined` where it has to be read whole. */
  readPieces?(entry: CheckpointEntry, pieceBytes: number): AsyncIterable<TensorPiece> | undefined;
  /** All tensors, or those asked for, in the order of the file. */
  stream(entries: readonly CheckpointEntry[]): AsyncIterable<NamedArray>;
  close?(): Promise<void>;
}

// Of TensorFlow's DataType (tensorflow/core/framework/types.proto): those that arrays do not have.
const OTHER_DTYPES: Readonly<Record<number, string>> = {
  20: 'resource',
  21: 'variant',
  24: 'float8_e5m2',
  25: 'float8_e4m3fn',
  29: 'int4',
  30: 'uint4',
};

/** What TensorFlow calls a dtype that arrays do not have. */
export function otherDType(value: number): string {
  return OTHER_DTYPES[value] ?? `dtype ${value}`;
}

/** The dtype of a stored enum value. @throws {CheckpointError} `Unsupported` for one that arrays do not have */
export function storedDType(value: number, where: Where): DType {
  const known = value < 100 ? dtypeFromEnum(value) : undefined;
  if (!known) throw new CheckpointError('Unsupported', `tensors of ${otherDType(value)} are not read here`, where);
  return known.name;
}

/** How many elements a stored shape has. @throws {CheckpointError} `Corrupt` beyond 2^53 */
export function elementCount(shape: Shape, file: string | undefined, tensor: string): number {
  let count = 1;
  let empty = false;
  for (const size of shape) {
    if (size === 0) empty = true;
    else count *= size;
    if (count > Number.MAX_SAFE_INTEGER) {
      throw corrupt(`shape ${formatShape(shape)} is beyond any memory`, { file, tensor });
    }
  }
  return empty ? 0 : count;
}

/** The array whose values lie in these bytes, which it keeps; they must start at a multiple of the item size. */
export function arrayOver(dtype: DType, shape: Shape, bytes: Uint8Array): NdArray<NumericData> {
  const { data: Data } = DTYPES[dtype];
  const length = bytes.byteLength / Data!.BYTES_PER_ELEMENT;
  return { dtype, shape: [...shape], data: new Data!(bytes.buffer, bytes.byteOffset, length) };
}

/** Turns each element's bytes around, in place: for files of machines with the other byte order. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  if (width < 2) return;
  for (let at = 0; at + width <= bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}
