import type { NdArray } from '@tfparity/array';
import { type ByteSource, readFully } from './byte-source.js';
import type { CheckpointEntry, NamedArray } from './store.js';

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

// Small tensors are read together up to BATCH; up to AHEAD bytes are under way while the caller works on what came.
const BATCH = 2 * 2 ** 20;
const AHEAD = 32 * 2 ** 20;
const MAX_PENDING = 8;

interface Job<E> {
  readonly entries: readonly E[];
  readonly bytes: number;
}

function plan<E extends CheckpointEntry>(entries: readonly E[], reader: EntryReader<E>): Job<E>[] {
  const placed = entries.map((entry, i) => ({ entry, i, place: reader.place(entry) }));
  placed.sort((a, b) => {
    if (!a.place || !b.place) return a.place ? -1 : b.place ? 1 : a.i - b.i;
    return a.place.file - b.place.file || a.place.offset - b.place.offset || a.i - b.i;
  });
  const jobs: Job<E>[] = [];
  let batch: E[] = [];
  let last: Place | undefined;
  let bytes = 0;
  const flush = (): void => {
    if (batch.length) jobs.push({ entries: batch, bytes });
    batch = [];
    bytes = 0;
    last = undefined;
  };
  for (const { entry, place } of placed) {
    const joins = last && place && place.file === last.file && place.offset === last.offset + last.size;
    if (!joins || bytes + place.size > BATCH) flush();
    batch.push(entry);
    bytes += place ? place.size : entry.bytes;
    last = place;
    if (!place || bytes >= BATCH) flush();
  }
  flush();
  return jobs;
}

async function run<E extends CheckpointEntry>(job: Job<E>, reader: EntryReader<E>): Promise<(() => NdArray)[]> {
  const [first] = job.entries;
  const place = reader.place(first!);
  if (!place) {
    const array = await reader.read(first!);
    return [() => array];
  }
  const source = await reader.source(first!);
  // A batch that does not fit is read tensor by tensor, so that the error names the first that is missing.
  if (place.offset + job.bytes > source.size) {
    return Promise.all(
      job.entries.map(async (entry) => {
        const array = await reader.read(entry);
        return () => array;
      }),
    );
  }
  const bytes = new Uint8Array(job.bytes);
  await readFully(source, place.offset, bytes, first!.name);
  if (job.entries.length === 1) return [() => reader.decode(first!, bytes)];
  return job.entries.map((entry) => () => {
    const { offset, size } = reader.place(entry)!;
    const from = offset - place.offset;
    return reader.decode(entry, bytes.slice(from, from + size));
  });
}

/** Tensors in the order of the file: a few reads under way at a time, and a bounded number of bytes. */
export async function* streamEntries<E extends CheckpointEntry>(
  entries: readonly E[],
  reader: EntryReader<E>,
): AsyncGenerator<NamedArray> {
  const jobs = plan(entries, reader);
  const pending: { job: Job<E>; result: Promise<(() => NdArray)[]> }[] = [];
  let next = 0;
  let ahead = 0;
  while (next < jobs.length || pending.length) {
    while (next < jobs.length && pending.length < MAX_PENDING && (ahead === 0 || ahead + jobs[next]!.bytes <= AHEAD)) {
      const job = jobs[next++]!;
      const result = run(job, reader);
      // The caller may stop early; an error that nobody waits for must not end the process.
      result.catch(() => undefined);
      pending.push({ job, result });
      ahead += job.bytes;
    }
    const { job, result } = pending.shift()!;
    const arrays = await result;
    for (let i = 0; i < arrays.length; i++) {
      const { dtype, shape, data } = arrays[i]!();
      yield { name: job.entries[i]!.name, dtype, shape, data };
    }
    ahead -= job.bytes;
  }
}
