// BundleHeaderProto and BundleEntryProto (tensorflow/core/protobuf/tensor_bundle.proto), and TensorShapeProto.
import { corrupt } from './errors.js';
import type { ProtoReader } from './proto-reader.js';
import { readStoredSlice, type StoredSlice } from './tensor-slice.js';

/** What the index says first: in how many files the data lies, and how its bytes are ordered. */
export interface BundleHeader {
  readonly numShards: number;
  readonly bigEndian: boolean;
  readonly producer: number;
}

/** What the index says of one tensor, or of one slice. */
export interface BundleEntry {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  readonly crc: number;
  readonly slices: readonly StoredSlice[] | undefined;
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

/** Reads the record of a tensor. @throws {CheckpointError} `Corrupt` */
export function readEntry(reader: ProtoReader): BundleEntry {
  let dtype = 0;
  let shape: number[] = [];
  let shard = 0;
  let offset = 0;
  let size = 0;
  let crc = 0;
  let slices: StoredSlice[] | undefined;
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === 1) dtype = reader.uint31();
    else if (field === 2) {
      const outer = reader.enter();
      shape = readShape(reader);
      reader.leave(outer);
    } else if (field === 3) shard = reader.uint31();
    else if (field === 4) offset = reader.uint();
    else if (field === 5) size = reader.uint();
    else if (field === 6) crc = reader.fixed32();
    else if (field === 7) {
      const outer = reader.enter();
      slices ??= [];
      slices.push(readStoredSlice(reader));
      reader.leave(outer);
    } else reader.skip();
  }
  return { dtype, shape, shard, offset, size, crc, slices };
}
