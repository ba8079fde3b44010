// Slices of partitioned variables: tensorflow/core/framework/tensor_slice.{proto,h}, and the keys that
// tensorflow/core/util/saved_tensor_slice_util.cc gives them (EncodeTensorNameSlice over lib/strings/ordered_code.cc).
import { formatShape, type Shape } from '@tfparity/array';
import { type CheckpointError, corrupt, type Where } from './errors.js';
import type { ProtoReader } from './proto-reader.js';

/** A box within a tensor: where it starts and how long it is, along each axis. */
export interface TensorSlice {
  readonly start: readonly number[];
  readonly length: readonly number[];
}

/** A slice as it is stored: a length of -1 stands for the whole axis. */
export interface StoredSlice {
  readonly start: readonly number[];
  readonly length: readonly number[];
}

/** Reads a `TensorSliceProto` that the reader has entered. */
export function readStoredSlice(reader: ProtoReader): StoredSlice {
  const start: number[] = [];
  const length: number[] = [];
  for (let field = reader.next(); field; field = reader.next()) {
    if (field !== 1) {
      reader.skip();
      continue;
    }
    const outer = reader.enter();
    let from = 0;
    let count = -1;
    for (let part = reader.next(); part; part = reader.next()) {
      if (part === 1) from = reader.uint();
      else if (part === 2) count = reader.uint();
      else reader.skip();
    }
    reader.leave(outer);
    start.push(from);
    length.push(count);
  }
  return { start, length };
}

/** The box that a stored slice is in a tensor of that shape. @throws {CheckpointError} `Corrupt` where it does not fit */
export function resolveSlice(slice: StoredSlice, shape: Shape, where: Where): TensorSlice {
  if (slice.start.length !== shape.length) {
    throw corrupt(`a slice has ${slice.start.length} axes, the tensor has shape ${formatShape(shape)}`, where);
  }
  const length = slice.length.map((count, axis) => (count < 0 ? shape[axis]! : count));
  shape.forEach((size, axis) => {
    if (slice.start[axis]! + length[axis]! > size) {
      throw corrupt(
        `slice ${formatSlice({ start: slice.start, length })} is outside shape ${formatShape(shape)}`,
        where,
      );
    }
  });
  return { start: [...slice.start], length };
}

/** A slice as TensorFlow prints it: `0,4:-` with start,length of each axis. */
export function formatSlice(slice: StoredSlice): string {
  return slice.start.map((from, axis) => (slice.length[axis]! < 0 ? '-' : `${from},${slice.length[axis]}`)).join(':');
}

function pushSigned(out: number[], value: number): void {
  if (value < 64) {
    out.push(0x80 ^ (value & 0xff));
    return;
  }
  const bits = BigInt(value).toString(2).length;
  const width = Math.floor(bits / 7) + 1;
  const buffer = new Array<number>(10).fill(0);
  let rest = BigInt(value);
  for (let i = 9; i >= 2; i--) {
    buffer[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  const from = 10 - width;
  const high = width >= 8 ? 0xff : (0xff << (8 - width)) & 0xff;
  buffer[from]! ^= high;
  if (width === 9) buffer[from + 1]! ^= 0x80;
  out.push(...buffer.slice(from));
}

function pushUnsigned(out: number[], value: number): void {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  out.push(bytes.length, ...bytes);
}

const utf8 = new TextEncoder();

/** The key under which a slice's entry is stored, beside the entries of whole tensors. */
export function sliceKey(name: string, slice: StoredSlice): Uint8Array {
  const out: number[] = [];
  pushUnsigned(out, 0);
  for (const byte of utf8.encode(name)) {
    if (byte === 0) out.push(0, 0xff);
    else if (byte === 0xff) out.push(0xff, 0);
    else out.push(byte);
  }
  out.push(0, 1);
  pushUnsigned(out, slice.start.length);
  slice.start.forEach((start, axis) => {
    pushSigned(out, start);
    pushSigned(out, slice.length[axis]!);
  });
  return Uint8Array.from(out);
}

function overlap(a: TensorSlice, b: TensorSlice): boolean {
  return a.start.every((from, axis) => {
    const other = b.start[axis]!;
    return from < other + b.length[axis]! && other < from + a.length[axis]!;
  });
}

/**
 * Makes sure that slices cover a tensor, each element once.
 *
 * @throws {CheckpointError} `Corrupt`, naming the two that overlap, or how much is missing
 */
export function checkCover(slices: readonly TensorSlice[], shape: Shape, where: Where): void {
  const total = shape.reduce((a, b) => a * b, 1);
  const covered = slices.reduce((sum, s) => sum + s.length.reduce((a, b) => a * b, 1), 0);
  const clash = findOverlap(slices, shape);
  if (clash) throw overlapping(clash, where);
  if (covered !== total) {
    throw corrupt(`its ${slices.length} slices hold ${covered} of ${total} elements: a slice is missing`, where, {
      covered,
      total,
      slices: slices.map(formatSlice),
    });
  }
}

function overlapping([a, b]: [TensorSlice, TensorSlice], where: Where): CheckpointError {
  return corrupt(`slices ${formatSlice(a)} and ${formatSlice(b)} overlap`, where, {
    slices: [formatSlice(a), formatSlice(b)],
  });
}

function findOverlap(slices: readonly TensorSlice[], shape: Shape): [TensorSlice, TensorSlice] | undefined {
  const filled = slices.filter((slice) => slice.length.every((count) => count > 0));
  // Sorted along the axis that is cut most often, only neighbours can meet: thousands of slices stay fast.
  let axis = 0;
  let most = 0;
  for (let i = 0; i < shape.length; i++) {
    const cuts = new Set(filled.map((slice) => slice.start[i])).size;
    if (cuts > most) [axis, most] = [i, cuts];
  }
  if (shape.length === 0) return filled.length > 1 ? [filled[0]!, filled[1]!] : undefined;
  filled.sort((a, b) => a.start[axis]! - b.start[axis]!);
  for (let i = 0; i < filled.length; i++) {
    const end = filled[i]!.start[axis]! + filled[i]!.length[axis]!;
    for (let j = i + 1; j < filled.length && filled[j]!.start[axis]! < end; j++) {
      if (overlap(filled[i]!, filled[j]!)) return [filled[i]!, filled[j]!];
    }
  }
  return undefined;
}
