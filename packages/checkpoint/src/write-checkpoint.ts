import { type ArrayLike, type NdArray, type Shape, toNdArray, zeros } from '@tfparity/array';
import { loadCrc32c, openSink } from '#platform';
import { Checkpoint } from './checkpoint.js';
import { formatState, parseState } from './checkpoint-state.js';
import { CheckpointError } from './errors.js';
import type { FileSink } from './file-sink.js';
import { OBJECT_GRAPH_KEY } from './object-graph.js';
import { type ObjectTree, objectRecords } from './object-tree.js';
import { copySlice } from './slice-assembly.js';
import type { NamedArray } from './store.js';
import { checkCover, resolveSlice, type TensorSlice } from './tensor-slice.js';
import { type ShardOptions, type WrittenArray, writeBundle } from './write-bundle.js';
import type { KnownTensor } from './write-exchange.js';

/** Formats that can be written. */
export type WriteFormat = 'V2' | 'safetensors' | 'npz' | 'tfjs';

/** A variable as its partitions, which make it without a gap: V2 keeps it in slices, as TF1's `Saver` does. */
export interface PartitionedArray {
  readonly shape: Shape;
  readonly parts: readonly { readonly start: readonly number[]; readonly array: ArrayLike }[];
}

/** Arrays, tensors or partitions by name: a record, a map, pairs, or a stream as `Checkpoint.tensors` gives it. */
export type NamedTensors =
  | Readonly<Record<string, ArrayLike | PartitionedArray>>
  | Iterable<readonly [string, ArrayLike | PartitionedArray]>
  | AsyncIterable<NamedArray>
  | Checkpoint;

/** How and where to write. */
export interface WriteOptions extends ShardOptions {
  /** 'V2' unless it is said otherwise. */
  readonly format?: WriteFormat;
  /** Where the files go, instead of the file system: then the prefix is a bare name. */
  readonly sink?: FileSink;
  /** Is told each tensor's name before it is written. */
  readonly progress?: (name: string) => void;
  /** Whether the folder's `checkpoint` file is made to name this checkpoint; false unless it is said otherwise. */
  readonly updateState?: boolean;
}

/** The arrays in their order; partitions one by one as slices. */
async function* streamSlices(tensors: NamedTensors): AsyncGenerator<WrittenArray> {
  if (tensors instanceof Checkpoint) {
    checkReadable(tensors);
    yield* tensors.tensors((entry) => !entry.slices);
    for (const { name, shape, slices = [] } of tensors.entries) {
      for (const [i, { start }] of slices.entries()) {
        const part = await tensors.getSlice(name, i);
        if (!part.shape.includes(0)) yield { ...part, name, slice: { fullShape: shape, start } };
      }
    }
    return;
  }
  if (Symbol.asyncIterator in tensors) {
    yield* tensors as AsyncIterable<NamedArray>;
    return;
  }
  type Pair = readonly [string, ArrayLike | PartitionedArray];
  const pairs = Symbol.iterator in tensors ? (tensors as Iterable<Pair>) : Object.entries(tensors);
  for (const [name, value] of pairs) {
    if (!isPartitioned(value)) yield { ...toNdArray(value), name };
    else {
      if (value.parts.length === 0) {
        throw new CheckpointError('InvalidArgument', 'a partitioned variable has parts', { tensor: name });
      }
      for (const { start, array } of value.parts) {
        yield { ...toNdArray(array), name, slice: { fullShape: value.shape, start } };
      }
    }
  }
}

const isPartitioned = (value: ArrayLike | PartitionedArray): value is PartitionedArray =>
  typeof value === 'object' && value !== null && 'parts' in value && Array.isArray(value.parts);

/** The arrays in their order, each whole: for formats that have no slices. */
async function* stream(tensors: NamedTensors): AsyncGenerator<NamedArray> {
  if (tensors instanceof Checkpoint) {
    checkReadable(tensors);
    yield* tensors.tensors();
    return;
  }
  let whole: { array: NdArray & { name: string }; slices: TensorSlice[] } | undefined;
  const put = (): NamedArray[] => {
    if (!whole) return [];
    const { array, slices } = whole;
    whole = undefined;
    checkCover(slices, array.shape, { tensor: array.name });
    return [array];
  };
  for await (const { slice, ...tensor } of streamSlices(tensors)) {
    if (whole && whole.array.name !== tensor.name) yield* put();
    if (!slice) {
      yield tensor;
      continue;
    }
    whole ??= { array: { ...zeros(tensor.dtype, slice.fullShape), name: tensor.name }, slices: [] };
    const box = resolveSlice({ start: slice.start, length: tensor.shape }, slice.fullShape, { tensor: tensor.name });
    copySlice(whole.array, box, tensor);
    whole.slices.push(box);
  }
  yield* put();
}

/** A copy that lacks some of its tensors is none. */
function checkReadable({ unreadable: [first], location }: Checkpoint): void {
  if (!first) return;
  throw new CheckpointError(
    'Unsupported',
    `tensors of ${first.dtype} are not read here, so that this is no whole copy: choose those that are wanted by tensors(filter)`,
    { file: location, tensor: first.name },
  );
}

/** The tensors, and the record of their objects where there is one: without it, TensorFlow would restore none of them. */
async function* streamWithGraph(tensors: NamedTensors): AsyncGenerator<WrittenArray> {
  yield* streamSlices(tensors);
  if (tensors instanceof Checkpoint && tensors.objectGraph) {
    yield { ...(await tensors.get(OBJECT_GRAPH_KEY)), name: OBJECT_GRAPH_KEY };
  }
}

/** Shapes first, then values in that order: from a checkpoint without holding more than one, else by collecting all. */
async function inOrder(
  tensors: NamedTensors,
): Promise<{ known: readonly KnownTensor[]; values: AsyncIterable<NamedArray> }> {
  if (tensors instanceof Checkpoint) {
    checkReadable(tensors);
    const { entries } = tensors;
    async function* values(checkpoint: Checkpoint): AsyncGenerator<NamedArray> {
      for (const { name } of entries) yield { ...(await checkpoint.get(name)), name };
    }
    return { known: entries, values: values(tensors) };
  }
  const all: NamedArray[] = [];
  for await (const tensor of stream(tensors)) all.push(tensor);
  async function* values(): AsyncGenerator<NamedArray> {
    yield* all;
  }
  return { known: all, values: values() };
}

async function* told<T extends NamedArray>(
  tensors: AsyncIterable<T>,
  { progress }: Pick<WriteOptions, 'progress'>,
): AsyncGenerator<T> {
  for await (const tensor of tensors) {
    progress?.(tensor.name);
    yield tensor;
  }
}

async function place(prefix: string, sink: FileSink | undefined): Promise<{ sink: FileSink; base: string }> {
  const found = sink ? { sink, base: prefix } : await openSink(prefix);
  if (found.base === '') throw new CheckpointError('InvalidArgument', 'a checkpoint needs a name', { file: prefix });
  return found;
}

/** Makes the folder's `checkpoint` file name this checkpoint as the latest. */
async function addToState(sink: FileSink, base: string): Promise<void> {
  const text = await sink.readText('checkpoint');
  let all: readonly string[] = [];
  try {
    if (text) all = parseState(text, `${sink.name}checkpoint`).all.filter((path) => path !== base);
  } catch {
    // A damaged state is replaced: it only lists what is beside it.
  }
  const file = await sink.create();
  await file.write(new TextEncoder().encode(formatState(base, [...all, base])));
  await file.commit('checkpoint');
}

/**
 * Writes a checkpoint whole or not at all: where the process dies half way, an older one of the same name is as it was.
 *
 * @param prefix  path without an ending for V2 (`model.ckpt-7`), the file for other formats
 * @param tensors  a `Checkpoint`, too: then nothing is held in memory but what is under way
 * @returns the prefix
 * @throws {CheckpointError} `Conflict` for a name that comes twice, `InvalidArgument`, `Io`, `Unsupported` for a dtype
 * that the format does not have
 */
export async function writeCheckpoint(
  prefix: string,
  tensors: NamedTensors,
  options: WriteOptions = {},
): Promise<string> {
  const { sink, base } = await place(prefix, options.sink);
  const { format = 'V2' } = options;
  if (format === 'V2')
    await writeBundle(sink, base, told(streamWithGraph(tensors), options), await loadCrc32c(), options);
  else {
    const exchange = await import('./write-exchange.js');
    if (format === 'npz') await exchange.writeNpz(sink, base, told(stream(tensors), options));
    else if (format === 'tfjs') await exchange.writeTfjs(sink, base, told(stream(tensors), options));
    else if (format === 'safetensors') {
      const { known, values } = await inOrder(tensors);
      await exchange.writeSafetensors(sink, base, known, told(values, options));
    } else throw new CheckpointError('InvalidArgument', `${String(format)} is not a format that is written`);
  }
  if (options.updateState) await addToState(sink, base);
  return prefix;
}

/**
 * Writes an object-based checkpoint, which `tf.train.Checkpoint(**objects).restore(prefix)` loads.
 *
 * @param objects  the children of the root by name: tf.layers models or layers, trees (records, arrays, maps) whose
 * leaves are variables, tensors or arrays; a variable that is reached twice is saved once
 * @returns the prefix
 * @throws {CheckpointError} `InvalidArgument` for a value that is none of these; else as `writeCheckpoint`
 */
export async function writeObjectCheckpoint(
  prefix: string,
  objects: ObjectTree,
  options: Omit<WriteOptions, 'format'> & { readonly saveCounter?: number } = {},
): Promise<string> {
  const { sink, base } = await place(prefix, options.sink);
  const records = told(objectRecords(objects, options.saveCounter ?? 1), options);
  await writeBundle(sink, base, records, await loadCrc32c(), options);
  if (options.updateState) await addToState(sink, base);
  return prefix;
}
