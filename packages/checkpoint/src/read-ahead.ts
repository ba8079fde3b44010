import type { NdArray } from '@tfparity/array';
import { type ByteSource, readOwned } from './byte-source.js';
import type { CheckpointEntry, NamedArray } from './store.js';

/** Reading that takes so many bytes of memory, and what is then to be given out, each decoded when its turn comes. */
export interface ReadJob {
  readonly bytes: number;
  run(): Promise<(() => NamedArray)[]>;
}

// Tensors of up to SMALL bytes are read together, up to BATCH, and copied out; larger ones straight to where they stay. Up to AHEAD bytes are under way while the caller works on what came.
const SMALL = 2 ** 16;
const BATCH = 2 ** 20;
const AHEAD = 32 * 2 ** 20;
const MAX_PENDING = 8;

/** Runs jobs in order, a few at a time and a bounded number of bytes ahead of the caller. */
export async function* runAhead(jobs: readonly ReadJob[]): AsyncGenerator<NamedArray> {
  const pending: { bytes: number; result: Promise<(() => NamedArray)[]> }[] = [];
  let next = 0;
  let ahead = 0;
  while (next < jobs.length || pending.length) {
    while (next < jobs.length && pending.length < MAX_PENDING && (ahead === 0 || ahead + jobs[next]!.bytes <= AHEAD)) {
      const job = jobs[next++]!;
      const result = job.run();
      // The caller may stop early; an error that nobody waits for must not end the process.
      result.catch(() => undefined);
      pending.push({ bytes: job.bytes, result });
      ahead += job.bytes;
    }
    const { bytes, result } = pending.shift()!;
    for (const decode of await result) yield decode();
    ahead -= bytes;
  }
}

/** A job that reads one entry by itself. */
export function readJob<E extends CheckpointEntry>(entry: E, read: (entry: E) => Promise<NdArray>): ReadJob {
  return {
    bytes: entry.bytes,
    run: async () => {
      const array = await read(entry);
      return [() => ({ name: entry.name, ...array })];
    },
  };
}

/** Where an entry's bytes lie; `file` only tells files apart and orders them. */
export interface Place {
  readonly file: number;
  readonly offset: number;
  readonly size: number;
}

/** How a format finds, reads and decodes its entries. */
export interface EntryReader<E extends CheckpointEntry> {
  /** Where an entry lies; `undefined` where it is not one run of bytes. */
  place(entry: E): Place | undefined;
  read(entry: E): Promise<NdArray>;
  source(entry: E): Promise<ByteSource>;
  /** The array in these bytes, which it may keep. */
  decode(entry: E, bytes: Uint8Array): NdArray;
}

/** Tensors whose bytes lie as they are, in the order of the file; neighbours that are small are read together. */
export function streamEntries<E extends CheckpointEntry>(
  entries: readonly E[],
  reader: EntryReader<E>,
): AsyncGenerator<NamedArray> {
  const placed = entries.map((entry, i) => ({ entry, i, place: reader.place(entry) }));
  placed.sort((a, b) => {
    if (!a.place || !b.place) return a.place ? -1 : b.place ? 1 : a.i - b.i;
    return a.place.file - b.place.file || a.place.offset - b.place.offset || a.i - b.i;
  });
  const jobs: ReadJob[] = [];
  let batch: { entry: E; place: Place }[] = [];
  let bytes = 0;
  const flush = (): void => {
    if (batch.length) jobs.push(batchJob(batch, bytes, reader));
    batch = [];
    bytes = 0;
  };
  for (const { entry, place } of placed) {
    if (!place) {
      flush();
      jobs.push(readJob(entry, (e) => reader.read(e)));
      continue;
    }
    const last = batch.at(-1)?.place;
    const joins = last && place.file === last.file && place.offset === last.offset + last.size;
    if (!joins || Math.max(place.size, last.size) > SMALL || bytes + place.size > BATCH) flush();
    batch.push({ entry, place });
    bytes += place.size;
  }
  flush();
  return runAhead(jobs);
}

function batchJob<E extends CheckpointEntry>(
  batch: readonly { entry: E; place: Place }[],
  size: number,
  reader: EntryReader<E>,
): ReadJob {
  const run = async (): Promise<(() => NamedArray)[]> => {
    const { entry: first, place } = batch[0]!;
    const source = await reader.source(first);
    // A batch that does not fit is read tensor by tensor, so that the error names the first that is missing.
    if (place.offset + size > source.size) {
      const jobs = batch.map(({ entry }) => readJob(entry, (e) => reader.read(e)));
      const all: (() => NamedArray)[] = [];
      for (const job of jobs) all.push(...(await job.run()));
      return all;
    }
    const bytes = await readOwned(source, place.offset, size, { tensor: first.name });
    if (batch.length === 1) return [() => ({ name: first.name, ...reader.decode(first, bytes) })];
    return batch.map(({ entry, place: { offset, size: length } }) => () => {
      const from = offset - place.offset;
      return { name: entry.name, ...reader.decode(entry, bytes.slice(from, from + length)) };
    });
  };
  return { bytes: size, run };
}
