// How much is read: listing reads the index only, one tensor its own bytes only, and memory stays bounded.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DTYPES } from '@tfparity/array';
import { goldenPath } from '@tfparity/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ByteSource, BytesSource, type FileSet, mapCheckpoint, nameMap, openCheckpoint } from '../src/index.js';
import { fingerprint } from './forgery.js';

class Counted implements FileSet {
  readonly name = 'counted/';
  readonly reads: { file: string; offset: number; length: number }[] = [];

  constructor(private readonly base: string) {}

  async list(): Promise<string[]> {
    return [`${this.base}.index`, `${this.base}.data-00000-of-00001`];
  }

  async open(name: string): Promise<ByteSource | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(readFileSync(goldenPath(`checkpoints/${name}`)));
    } catch {
      return undefined;
    }
    const inner = new BytesSource(bytes, name);
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      this.reads.push({ file: name, offset, length });
      return inner.read(offset, length);
    };
    return { size: inner.size, name, read };
  }

  bytes(ending: string): number {
    return this.reads.filter(({ file }) => file.endsWith(ending)).reduce((sum, { length }) => sum + length, 0);
  }
}

describe('reads are counted', () => {
  it('V2: listing reads the index once and no data; one tensor is one read of its bytes', async () => {
    const files = new Counted('v2_many');
    const checkpoint = await openCheckpoint(files);
    expect(checkpoint.entries).toHaveLength(900);
    expect(files.bytes('00001')).toBe(0);
    expect(files.bytes('.index')).toBeLessThanOrEqual(readFileSync(goldenPath('checkpoints/v2_many.index')).length);
    expect(files.reads.length).toBeLessThanOrEqual(5);
    files.reads.length = 0;
    const { name, bytes } = checkpoint.entries[500]!;
    await checkpoint.get(name);
    expect(files.reads).toEqual([{ file: 'v2_many.data-00000-of-00001', offset: expect.any(Number), length: bytes }]);
    files.reads.length = 0;
    let count = 0;
    for await (const _ of checkpoint.tensors()) count++;
    expect(count).toBe(900);
    expect(files.reads).toEqual([{ file: 'v2_many.data-00000-of-00001', offset: 0, length: 9000 }]);
  });

  it('V1: listing reads no block but the first; one tensor reads its block', async () => {
    const files = new Counted('v1_dtypes.ckpt');
    const source = (await files.open('v1_dtypes.ckpt'))!;
    const checkpoint = await openCheckpoint(source);
    const [first] = [...files.reads].sort((a, b) => a.offset - b.offset || b.length - a.length);
    const others = files.reads.filter(({ offset }) => offset >= first!.length + 5);
    expect(others.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(1000);
    files.reads.length = 0;
    const { data } = await checkpoint.get('snappy/constant');
    expect(data).toHaveLength(60000);
    // A look at where the values begin, and the block.
    expect(files.reads.length).toBeLessThanOrEqual(2);
    expect(files.bytes('')).toBeLessThanOrEqual(source.size + 4096);
  });

  it('a file that ends early, or a source that gives too little, is an error', async () => {
    const bytes = new Uint8Array(readFileSync(goldenPath('checkpoints/v1_partitioned')));
    const short: ByteSource = {
      size: bytes.length,
      read: async (offset, length) => bytes.subarray(offset, offset + length - 1),
    };
    await expect(openCheckpoint(short)).rejects.toMatchObject({ code: 'Corrupt' });
    // A view into a larger buffer is read from where it begins, and is not written to.
    const wide = new Uint8Array(bytes.length + 7).fill(9);
    wide.set(bytes, 7);
    const before = wide.slice();
    const checkpoint = await openCheckpoint(wide.subarray(7));
    const { data } = await checkpoint.get('plain');
    (data as Float32Array).fill(0);
    expect(wide).toEqual(before);
  });
});

describe("what is read is its reader's own", () => {
  it.each(['v1_dtypes.ckpt', 'v1_partitioned', 'v2_dtypes'])(
    '%s: writing to a tensor, or giving it away, changes no other',
    async (name) => {
      const whole = await fingerprint(await openCheckpoint(goldenPath(`checkpoints/${name}`)));
      const checkpoint = await openCheckpoint(goldenPath(`checkpoints/${name}`));
      const spoil = (data: unknown): void => {
        if (Array.isArray(data)) for (const string of data as Uint8Array[]) string.fill(0xee);
        else structuredClone(data, { transfer: [(data as Float32Array).buffer as ArrayBuffer] });
      };
      for (const { name: tensor } of checkpoint.entries) {
        const { data } = await checkpoint.get(tensor);
        if (!Array.isArray(data)) new Uint8Array(data.buffer, data.byteOffset, data.byteLength).fill(0xee);
        spoil(data);
        expect(await fingerprint(checkpoint), tensor).toBe(whole);
      }
      let streamed = 0;
      for await (const { data } of checkpoint.tensors()) {
        spoil(data);
        streamed++;
      }
      expect(streamed).toBe(checkpoint.entries.length);
    },
  );
});

describe('one tensor in pieces', () => {
  const open = (name: string) => openCheckpoint(goldenPath(`checkpoints/${name}`));

  it.each(['v2_dtypes', 'v2_partitioned', 'v1_dtypes.ckpt', 'tf2_object-1'])(
    '%s: they make the tensor',
    async (name) => {
      const checkpoint = await open(name);
      const mapped = mapCheckpoint(checkpoint, { names: nameMap([{ regex: '(.+)', to: 'm/$1' }]) });
      for (const { name: tensor, dtype } of checkpoint.entries) {
        if (dtype === 'string') {
          await expect(checkpoint.pieces(tensor).next()).rejects.toMatchObject({ code: 'InvalidArgument', tensor });
          continue;
        }
        const whole = (await checkpoint.get(tensor)).data as Float32Array;
        const { lanes, itemSize } = DTYPES[dtype];
        for (const pieces of [checkpoint.pieces(tensor, 50), mapped.pieces(`m/${tensor}`, 50)]) {
          let next = 0;
          for await (const { offset, data } of pieces) {
            expect(offset).toBe(next);
            expect(data.byteLength).toBeLessThanOrEqual(Math.max(50, itemSize));
            expect(data).toEqual(whole.subarray(next * lanes, next * lanes + data.length));
            next += data.length / lanes;
          }
          expect(next * lanes, tensor).toBe(whole.length);
        }
      }
    },
  );

  it('a damaged one is known before the iteration ends', async () => {
    const files = new Map(
      ['v2_many.index', 'v2_many.data-00000-of-00001'].map((file) => [
        file,
        new Uint8Array(readFileSync(goldenPath(`checkpoints/${file}`))),
      ]),
    );
    files.get('v2_many.data-00000-of-00001')![0]! ^= 1;
    const checkpoint = await openCheckpoint(files);
    const read = async (): Promise<void> => {
      for await (const _ of checkpoint.pieces(checkpoint.entries[0]!.name, 4));
    };
    await expect(read()).rejects.toMatchObject({ code: 'Corrupt', tensor: checkpoint.entries[0]!.name });
  });
});

describe('URLs', () => {
  let server: Server;
  let url = '';
  let requests: string[] = [];
  let mode: 'ranges' | 'whole' | 'no-head' | 'page' | 'wrong' = 'ranges';
  const folder = mkdtempSync(join(tmpdir(), 'tfparity-url-'));

  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = decodeURIComponent(new URL(request.url!, 'http://x').pathname.slice(1));
      requests.push(`${request.method} ${path} ${request.headers.range ?? ''}`.trim());
      if (mode === 'page') {
        const page = '<!doctype html><p>not found, but 200</p>'.padEnd(100);
        response.writeHead(200, { 'content-length': page.length }).end(request.method === 'HEAD' ? '' : page);
        return;
      }
      let bytes: Buffer;
      try {
        bytes = readFileSync(goldenPath(`checkpoints/${path}`));
      } catch {
        response.writeHead(404).end('gone');
        return;
      }
      if (request.method === 'HEAD' && mode === 'no-head') response.writeHead(405).end();
      else if (request.method === 'HEAD') response.writeHead(200, { 'content-length': bytes.length }).end();
      else if (mode === 'whole') response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      else {
        const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range!)!.map(Number) as [number, number, number];
        const start = mode === 'wrong' ? from + 1 : from;
        response.writeHead(206, { 'content-range': `bytes ${start}-${to}/${bytes.length}` });
        response.end(bytes.subarray(start, to + 1));
      }
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['ranges', 'no-head', 'whole'] as const)('V2, V1 and object-based by a server of kind %s', async (kind) => {
    mode = kind;
    for (const name of ['v2_dtypes', 'v1_partitioned', 'tf2_object-1', 'saved_model/']) {
      const here = await openCheckpoint(goldenPath(`checkpoints/${name}`));
      expect(await fingerprint(await openCheckpoint(url + name))).toBe(await fingerprint(here));
    }
  });

  it('fetches only the bytes of one tensor', async () => {
    mode = 'ranges';
    requests = [];
    const checkpoint = await openCheckpoint(`${url}v2_many?token=1`);
    const { name, bytes } = checkpoint.entries[10]!;
    const listed = requests.length;
    expect(requests.every((line) => line.includes('v2_many.index'))).toBe(true);
    await checkpoint.get(name);
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(requests.at(-1)!)!.map(Number) as [number, number, number];
    expect(to - from + 1).toBe(bytes);
    expect(requests.length - listed).toBe(2);
  });

  it('says what a server did wrong', async () => {
    mode = 'page';
    await expect(openCheckpoint(`${url}x`)).rejects.toMatchObject({ code: 'NotACheckpoint' });
    await expect(openCheckpoint(`${url}x.safetensors`)).rejects.toMatchObject({
      message: expect.stringContaining('a web page'),
    });
    mode = 'ranges';
    await expect(openCheckpoint(`${url}none`)).rejects.toMatchObject({ code: 'NotFound' });
    mode = 'wrong';
    await expect(openCheckpoint(`${url}v2_many`)).rejects.toMatchObject({ code: 'Corrupt' });
    await expect(openCheckpoint('http://127.0.0.1:1/x')).rejects.toMatchObject({ code: 'Io' });
  });
});
