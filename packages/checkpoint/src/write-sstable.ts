// LevelDB's table format, written as TensorFlow's TableBuilder does without compression (tensorflow/core/lib/io/table_builder.cc).
import { type Crc32c, maskCrc } from './crc32c.js';
import { FOOTER_SIZE, TRAILER_SIZE } from './sstable.js';
import { pushVarint } from './varint.js';

const BLOCK_SIZE = 256 * 1024;
const RESTART_INTERVAL = 16;

class BlockBuilder {
  private parts: Uint8Array[] = [];
  private restarts: number[] = [0];
  private sinceRestart = 0;
  private lastKey = new Uint8Array(0);
  size = 0;

  add(key: Uint8Array, value: Uint8Array): void {
    let shared = 0;
    if (this.sinceRestart < RESTART_INTERVAL) {
      const most = Math.min(key.length, this.lastKey.length);
      while (shared < most && key[shared] === this.lastKey[shared]) shared++;
    } else {
      this.restarts.push(this.size);
      this.sinceRestart = 0;
    }
    const head: number[] = [];
    pushVarint(head, shared);
    pushVarint(head, key.length - shared);
    pushVarint(head, value.length);
    this.push(Uint8Array.from(head));
    this.push(key.subarray(shared));
    this.push(value);
    this.lastKey = Uint8Array.from(key);
    this.sinceRestart++;
  }

  /** The block with its trailer. */
  finish(checksum: Crc32c): Uint8Array {
    const size = this.size + this.restarts.length * 4 + 4;
    const block = new Uint8Array(size + TRAILER_SIZE);
    let at = 0;
    for (const part of this.parts) {
      block.set(part, at);
      at += part.length;
    }
    const view = new DataView(block.buffer);
    for (const restart of [...this.restarts, this.restarts.length]) {
      view.setUint32(at, restart, true);
      at += 4;
    }
    view.setUint32(size + 1, maskCrc(checksum(block.subarray(0, size + 1))), true);
    return block;
  }

  private push(part: Uint8Array): void {
    this.parts.push(part);
    this.size += part.length;
  }
}

/** The parts, in order, of a table that holds these records, which must come sorted by their keys. */
export function buildTable(records: Iterable<readonly [Uint8Array, Uint8Array]>, checksum: Crc32c): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const index = new BlockBuilder();
  const emit = (block: BlockBuilder): Uint8Array => {
    const bytes = block.finish(checksum);
    const handle: number[] = [];
    pushVarint(handle, offset);
    pushVarint(handle, bytes.length - TRAILER_SIZE);
    offset += bytes.length;
    parts.push(bytes);
    return Uint8Array.from(handle);
  };
  let block: BlockBuilder | undefined;
  let lastKey = new Uint8Array(0);
  for (const [key, value] of records) {
    block ??= new BlockBuilder();
    block.add(key, value);
    lastKey = Uint8Array.from(key);
    if (block.size >= BLOCK_SIZE) {
      index.add(lastKey, emit(block));
      block = undefined;
    }
  }
  if (block) index.add(lastKey, emit(block));
  const footer = new Uint8Array(FOOTER_SIZE);
  const meta = emit(new BlockBuilder());
  footer.set(meta);
  footer.set(emit(index), meta.length);
  footer.set([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb], FOOTER_SIZE - 8);
  parts.push(footer);
  return parts;
}
