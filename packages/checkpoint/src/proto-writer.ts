// Protocol-buffer wire format, written: for the few messages that a checkpoint is made of. Fields of value 0 are left out.
import { pushVarint } from './varint.js';

const utf8 = new TextEncoder();

/** Collects the fields of one message. */
export class ProtoWriter {
  private readonly out: number[] = [];

  uint(field: number, value: number): this {
    if (value !== 0) {
      pushVarint(this.out, field * 8);
      pushVarint(this.out, value);
    }
    return this;
  }

  fixed32(field: number, value: number): this {
    if (value !== 0) {
      pushVarint(this.out, field * 8 + 5);
      this.out.push(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
    }
    return this;
  }

  string(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, utf8.encode(value));
  }

  message(field: number, message: ProtoWriter): this {
    return this.bytes(field, message.out);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.out);
  }

  private bytes(field: number, bytes: ArrayLike<number>): this {
    pushVarint(this.out, field * 8 + 2);
    pushVarint(this.out, bytes.length);
    for (let i = 0; i < bytes.length; i++) this.out.push(bytes[i]!);
    return this;
  }
}
