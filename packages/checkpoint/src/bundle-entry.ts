// BundleHeaderProto and BundleEntryProto (tensorflow/core/protobuf/tensor_bundle.proto), and TensorShapeProto.
import { DTYPES, type DType } from '@tfparity/array';
import { corrupt } from './errors.js';
import type { ProtoReader } from './proto-reader.js';
import { otherDType, type UnreadableEntry } from './store.js';
import { readStoredSlice, type StoredSlice, type TensorSlice } from './tensor-slice.js';

/** Dtypes by the value that TensorFlow stores for them. */
export const DTYPE_OF: readonly (DType | undefined)[] = Array.from(
  { length: 24 },
  (_, value) => Object.values(DTYPES).find(({ enumValue }) => enumValue === value)?.name,
);

/** What the index says first: in how many files the data lies, and how its bytes are ordered. */
export interface BundleHeader {
  readonly numShards: number;
  readonly bigEndian: boolean;
  readonly producer: number;
}

/** What the index says of one tensor, or of one slice. */
export interface BundleEntry {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes in the shard. */
  readonly bytes: number;
  readonly shard: number;
  readonly offset: number;
  /** Masked, as a signed number: those of 32 bits without a sign take memory of their own. */
  readonly crc: number;
  readonly storedSlices?: readonly StoredSlice[];
}

/** A tensor of the index: an entry of the checkpoint, and where its bytes are. */
export interface BundleTensor extends BundleEntry {
  readonly name: string;
  slices?: readonly TensorSlice[];
  fullName?: string;
  /** Where the bytes of each slice are. */
  parts?: readonly BundleEntry[];
}

// TensorShape::MaxDimensions() of TensorFlow.
const MAX_RANK = 254;

/** Reads a `TensorShapeProto` that the reader has entered. */
export function readShape(reader: ProtoReader): number[] {
  const shape: number[] = [];
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === 2) {
      const outer = reader.enter();
      let size = 0;
      for (let part = reader.next(); part; part = reader.next()) {
        if (part === 1) size = reader.uint();
        else reader.skip();
      }
      reader.leave(outer);
      if (shape.push(size) > MAX_RANK) reader.fault(`a shape has more than ${MAX_RANK} axes`);
    } else if (field === 3) {
      if (reader.uint() !== 0) reader.fault('a shape has an unknown rank');
    } else reader.skip();
  }
  return shape;
}

/** Reads the header record. @throws {CheckpointError} `Corrupt`, or `Unsupported` for a newer format */
export function readHeader(reader: ProtoReader): BundleHeader {
  let numShards = 0;
  let endianness = 0;
  let producer = 0;
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === 1) numShards = reader.uint31();
    else if (field === 2) endianness = reader.uint31();
    else if (field === 3) {
      const outer = reader.enter();
      for (let part = reader.next(); part; part = reader.next()) {
        if (part === 1) producer = reader.uint31();
        else if (part === 2 && reader.wire === 0) {
          const consumer = reader.uint31();
          if (consumer > 1) reader.fault(`the bundle needs a reader of version ${consumer}; this is version 1`);
        } else reader.skip();
      }
      reader.leave(outer);
    } else reader.skip();
  }
  if (endianness > 1) throw corrupt(`byte order ${endianness} is none`, reader.where);
  return { numShards, bigEndian: endianness === 1, producer };
}

/** Reads the record of a tensor, also of one whose dtype arrays do not have. @throws {CheckpointError} `Corrupt` */
export function readEntry(reader: ProtoReader, name: string): BundleTensor | UnreadableEntry {
  let dtype = 0;
  let shape: readonly number[] = [];
  let shard = 0;
  let offset = 0;
  let bytes = 0;
  let crc = 0;
  let storedSlices: StoredSlice[] | undefined;
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === 1) dtype = reader.uint31();
    else if (field === 2) {
      const outer = reader.enter();
      shape = readShape(reader);
      reader.leave(outer);
    } else if (field === 3) shard = reader.uint31();
    else if (field === 4) offset = reader.uint();
    else if (field === 5) bytes = reader.uint();
    else if (field === 6) crc = reader.fixed32();
    else if (field === 7) {
      const outer = reader.enter();
      storedSlices ??= [];
      storedSlices.push(readStoredSlice(reader));
      reader.leave(outer);
    } else reader.skip();
  }
  const known = DTYPE_OF[dtype];
  if (known === undefined) return { name, dtype: otherDType(dtype), shape };
  return { name, dtype: known, shape, bytes, shard, offset, crc: crc | 0, ...(storedSlices ? { storedSlices } : {}) };
}
