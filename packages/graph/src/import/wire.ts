import { malformed } from './malformed.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

// Names are short and plain, and there are very many: for them, TextEncoder takes longer than a loop.
const SHORT = 200;

/** Reads protobuf's wire format from a view of bytes; whatever does not fit is an error, and nothing is read twice. */
export class WireReader {
  constructor(
    readonly bytes: Uint8Array,
    public position = 0,
    readonly end = bytes.length,
  ) {}

  // Made when it is needed: most messages hold no numbers of fixed width.
  private get view(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  /** A varint of at most 64 bits. */
  varint(): bigint {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      if (shift === 63n && byte > 1) throw malformed('a varint is wider than 64 bits', this.position - 1);
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw malformed('a varint is longer than 10 bytes', this.position);
  }

  /** A varint that counts or indexes something here: below 2^31. */
  length(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 7) throw malformed('a length is 2^31 or more', this.position - 1);
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw malformed('a length is longer than 5 bytes', this.position);
  }

  /** The key of the next field: its number and its wire type. */
  key(): { id: number; wire: number } {
    const start = this.position;
    const first = this.bytes[start]!;
    if (first >= 8 && first < 128) {
      this.position = start + 1;
      return { id: first >> 3, wire: first & 7 };
    }
    const key = Number(this.varint());
    if (key < 8 || key > 0xffffffff) throw malformed(`${key} is not the key of a field`, start);
    return { id: Math.floor(key / 8), wire: key % 8 };
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.varint());
  }

  int32(): number {
    const first = this.bytes[this.position]!;
    if (first < 128 && this.position < this.end) {
      this.position += 1;
      return first;
    }
    return Number(BigInt.asIntN(32, this.varint()));
  }

  bool(): boolean {
    return this.varint() !== 0n;
  }

  float(): number {
    return this.view.getFloat32(this.take(4), true);
  }

  double(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  fixed64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }

  /** A view of the next length-delimited bytes. */
  block(): Uint8Array {
    const length = this.length();
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  string(): string {
    const start = this.position;
    try {
      return utf8.decode(this.block());
    } catch (cause) {
      if (cause instanceof TypeError) throw malformed('a string is not UTF-8', start);
      throw cause;
    }
  }

  /** Steps over the value of a field nobody here knows. */
  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 1) this.take(8);
    else if (wire === 2) this.block();
    else if (wire === 5) this.take(4);
    else throw malformed(`wire type ${wire} (a group, or none at all)`, this.position);
  }

  private byte(): number {
    if (this.position >= this.end) throw malformed('the bytes end before a value does', this.position);
    return this.bytes[this.position++]!;
  }

  private take(count: number): number {
    const start = this.position;
    if (start + count > this.end) {
      throw malformed(`the bytes end ${start + count - this.end} before a value does`, start);
    }
    this.position = start + count;
    return start;
  }
}

/** Collects bytes in protobuf's wire format. */
export class WireWriter {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private size = 0;

  /** Writes what `body` writes as one length-delimited block, without a buffer of its own. */
  nested(body: () => void): void {
    const at = this.grow(1);
    body();
    const length = this.size - at - 1;
    let width = 1;
    for (let rest = length; rest > 127; rest >>>= 7) width += 1;
    if (width > 1) {
      this.grow(width - 1);
      this.bytes.copyWithin(at + width, at + 1, at + 1 + length);
    }
    let rest = length;
    for (let i = 0; i < width; i++) {
      this.bytes[at + i] = i < width - 1 ? (rest & 0x7f) | 0x80 : rest;
      rest >>>= 7;
    }
  }

  /** What was written; a copy. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.size);
  }

  key(id: number, wire: number): void {
    this.count(id * 8 + wire);
  }

  /** A varint from a number that is no bigger than a length can be. */
  count(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.push(rest);
  }

  varint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    if (rest < 128n) {
      this.push(Number(rest));
      return;
    }
    while (rest > 127n) {
      this.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.push(Number(rest));
  }

  float(value: number): void {
    const at = this.grow(4);
    this.view.setFloat32(at, value, true);
  }

  double(value: number): void {
    const at = this.grow(8);
    this.view.setFloat64(at, value, true);
  }

  fixed64(value: bigint): void {
    const at = this.grow(8);
    this.view.setBigUint64(at, value, true);
  }

  block(value: Uint8Array): void {
    this.count(value.length);
    this.raw(value);
  }

  string(value: string): void {
    if (value.length > SHORT) {
      this.block(encoder.encode(value));
      return;
    }
    const before = this.size;
    this.count(value.length);
    const at = this.grow(value.length);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) {
        this.size = before;
        this.block(encoder.encode(value));
        return;
      }
      this.bytes[at + i] = code;
    }
  }

  raw(value: Uint8Array): void {
    const at = this.grow(value.length);
    this.bytes.set(value, at);
  }

  private push(byte: number): void {
    const at = this.grow(1); // before `this.bytes` is looked up: growing replaces it
    this.bytes[at] = byte;
  }

  private grow(count: number): number {
    const start = this.size;
    this.size += count;
    if (this.size > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.size, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, start));
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return start;
  }
}
