// BundleEntryProto (tensorflow/core/protobuf/tensor_bundle.proto) of a plain tensor, as TensorFlow's writer encodes it.
import { DTYPES } from '@tfparity/array';
import { type BundleTensor, DTYPE_OF } from './bundle-entry.js';

const ITEM_SIZES: readonly number[] = DTYPE_OF.map((dtype) => (dtype === undefined ? 0 : DTYPES[dtype].itemSize));
const STRING = DTYPES.string.enumValue;
// Tags: the number of the field, times 8, and its wire type.
const DTYPE = 0x08;
const SHAPE = 0x12;
const SHARD = 0x18;
const OFFSET = 0x20;
const SIZE = 0x28;
const CRC = 0x35;
const AXIS = 0x12;
const AXIS_SIZE = 0x08;
const MOST_AXES = 16;
const SHARED_SHAPES = 1024;

/**
 * Decodes the records of an index a hundred thousand at a time: those of plain tensors that are in order. All others it
 * declines, for the reader that says what is the matter.
 */
export class EntryDecoder {
  /** How many records were not decoded. */
  declined = 0;
  private at = 0;
  private readonly axes = new Array<number>(MOST_AXES).fill(0);
  private rank = 0;
  // Nets repeat their shapes: one array for each saves half of the memory of a list.
  private readonly shapes = new Array<readonly number[] | undefined>(SHARED_SHAPES).fill(undefined);

  constructor(private readonly numShards: number) {}

  /** The tensor in these bytes; `undefined` where it is declined. */
  decode(bytes: Uint8Array, from: number, to: number, name: string): BundleTensor | undefined {
    let kind = 0;
    let shard = 0;
    let offset = 0;
    let size = 0;
    let crc = 0;
    this.rank = 0;
    this.at = from;
    while (this.at < to) {
      const tag = bytes[this.at++];
      if (tag === SHAPE) {
        if (!this.readAxes(bytes)) return this.decline();
      } else if (tag === CRC) {
        const at = this.at;
        crc = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
        this.at = at + 4;
      } else {
        const value = this.varint(bytes);
        if (tag === DTYPE) kind = value;
        else if (tag === SHARD) shard = value;
        else if (tag === OFFSET) offset = value;
        else if (tag === SIZE) size = value;
        else return this.decline();
        if (value < 0) return this.decline();
      }
    }
    const dtype = DTYPE_OF[kind];
    if (this.at !== to || dtype === undefined || shard >= this.numShards) return this.decline();
    const fits = kind === STRING ? this.count() + 4 <= size : this.count() * ITEM_SIZES[kind]! === size;
    if (!fits) return this.decline();
    return { name, dtype, shape: this.shape(), bytes: size, shard, offset, crc };
  }

  private decline(): undefined {
    this.declined++;
    return undefined;
  }

  /** A number of up to 49 bits; -1 for any other, and for one that is longer than its value. */
  private varint(bytes: Uint8Array): number {
    let byte = bytes[this.at++]!;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 128;
    for (let i = 0; i < 6; i++) {
      byte = bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return byte === 0 ? -1 : value;
      scale *= 128;
    }
    return -1;
  }

  private readAxes(bytes: Uint8Array): boolean {
    const length = this.varint(bytes);
    const end = this.at + length;
    this.rank = 0;
    if (length < 0) return false;
    while (this.at < end) {
      if (bytes[this.at] !== AXIS || this.rank === MOST_AXES) return false;
      const axisEnd = this.at + 2 + bytes[this.at + 1]!;
      this.at += 2;
      let size = 0;
      if (this.at !== axisEnd) {
        if (bytes[this.at++] !== AXIS_SIZE) return false;
        size = this.varint(bytes);
      }
      if (size < 0 || this.at !== axisEnd) return false;
      this.axes[this.rank++] = size;
    }
    return this.at === end;
  }

  /** How many elements the shape has; NaN where a number cannot hold them. */
  private count(): number {
    let count = 1;
    for (let i = 0; i < this.rank; i++) {
      count *= this.axes[i]!;
      if (count > Number.MAX_SAFE_INTEGER) return Number.NaN;
    }
    return count;
  }

  private shape(): readonly number[] {
    const { axes, rank } = this;
    let hash = rank;
    for (let i = 0; i < rank; i++) hash = (Math.imul(hash, 31) + axes[i]!) | 0;
    const place = (hash ^ (hash >>> 10)) & (SHARED_SHAPES - 1);
    const known = this.shapes[place];
    if (known?.length === rank) {
      let same = true;
      for (let i = 0; i < rank; i++) if (known[i] !== axes[i]) same = false;
      if (same) return known;
    }
    const made = Object.freeze(axes.slice(0, rank));
    this.shapes[place] = made;
    return made;
  }
}
