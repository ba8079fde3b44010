// Protocol-buffer wire format, for the few messages that a checkpoint is made of: bounded, and every fault has its place.
import { corrupt, type Where } from './errors.js';
import { type Cursor, readVarint, readVarint64 } from './varint.js';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Wire types of the protocol-buffer encoding. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Reads one message field by field; nested messages by `enter` and `leave`, in place. */
export class ProtoReader implements Cursor {
  position: number;
  end: number;
  /** The wire type of the field that `next` gave. */
  wire = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly where: Where,
    from = 0,
    to = bytes.length,
  ) {
    this.position = from;
    this.end = to;
  }

  /** Goes on with another message in the same bytes: one reader serves a block of a hundred thousand records. */
  seek(from: number, to: number): this {
    this.position = from;
    this.end = to;
    return this;
  }

  /** The number of the next field, or 0 at the end of the message. */
  next(): number {
    if (this.position >= this.end) return 0;
    const tag = readVarint(this);
    this.wire = tag & 7;
    const field = Math.floor(tag / 8);
    if (field === 0 || field > 536870911) this.fault(`a record has a field numbered ${field}`);
    return field;
  }

  /** A whole number of 0 to 2^53-1. */
  uint(): number {
    this.expect(WIRE.varint);
    return readVarint(this);
  }

  /** A whole number of 0 to 2^31-1. */
  uint31(): number {
    const value = this.uint();
    if (value > 0x7fffffff) this.fault(`a number of 31 bits is ${value}`);
    return value;
  }

  /** 64 bits, unsigned. */
  uint64(): bigint {
    this.expect(WIRE.varint);
    return readVarint64(this);
  }

  fixed32(): number {
    this.expect(WIRE.fixed32);
    if (this.position + 4 > this.end) this.fault('a record ends within a number');
    const { bytes, position: at } = this;
    this.position += 4;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  /** The length of the bytes that come; they lie at `position`. */
  length(): number {
    this.expect(WIRE.bytes);
    const length = readVarint(this);
    if (length > this.end - this.position) {
      this.fault(`a field of ${length} bytes goes past the end of its record`);
    }
    return length;
  }

  /** The bytes of a field, as a view. */
  slice(): Uint8Array {
    const length = this.length();
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  string(): string {
    return utf8.decode(this.slice());
  }

  /** Goes into a nested message; give what it returns to `leave`. */
  enter(): number {
    const length = this.length();
    const outer = this.end;
    this.end = this.position + length;
    return outer;
  }

  leave(outer: number): void {
    this.position = this.end;
    this.end = outer;
  }

  /** Passes over a field that is not known. */
  skip(): void {
    if (this.wire === WIRE.varint) readVarint64(this);
    else if (this.wire === WIRE.bytes) this.slice();
    else if (this.wire === WIRE.fixed32 || this.wire === WIRE.fixed64) {
      this.position += this.wire === WIRE.fixed32 ? 4 : 8;
      if (this.position > this.end) this.fault('a record ends within a number');
    } else this.fault(`a record has wire type ${this.wire}`);
  }

  fault(message: string): never {
    const { offset } = this.where;
    throw corrupt(message, { ...this.where, offset: offset === undefined ? undefined : offset + this.position });
  }

  private expect(wire: number): void {
    if (this.wire !== wire) this.fault(`a field has wire type ${this.wire}, not ${wire}`);
  }
}
