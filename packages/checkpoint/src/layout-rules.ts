import { DTYPES, type DType, formatShape, type NdArray, type Shape, zeros } from '@tfparity/array';
import { castArray } from './cast.js';
import { Checkpoint } from './checkpoint.js';
import { CheckpointError } from './errors.js';
import type { NameMap } from './name-map.js';
import { readJob, runAhead } from './read-ahead.js';
import { copySlice, cutSlice } from './slice-assembly.js';
import type { CheckpointEntry, TensorStore } from './store.js';

/** A named change of layout; names are those of the checkpoint, before any rename. */
export type LayoutRule =
  | { readonly layout: 'transpose'; readonly tensor: string; readonly perm: readonly number[] }
  | { readonly layout: 'cast'; readonly tensor: string; readonly dtype: DType }
  | {
      readonly layout: 'split';
      readonly tensor: string;
      readonly to: readonly string[];
      readonly axis: number;
      /** How long each part is along the axis; equal parts, where it is left out. */
      readonly sizes?: readonly number[];
    }
  | { readonly layout: 'concatenate'; readonly tensors: readonly string[]; readonly to: string; readonly axis: number };

interface Mapped extends CheckpointEntry {
  load(): Promise<NdArray>;
  /** The name under which the checkpoint has it, unchanged. */
  readonly source?: string;
}

const bad = (rule: LayoutRule, why: string): CheckpointError =>
  new CheckpointError('InvalidArgument', `layout rule ${JSON.stringify(rule)}: ${why}`, {}, { rule });

/** The array with its axes in another order (numpy.transpose). */
export function transposeArray(array: NdArray, perm: readonly number[]): NdArray {
  const { shape, data } = array;
  const lanes = DTYPES[array.dtype].lanes;
  const result = zeros(
    array.dtype,
    perm.map((axis) => shape[axis]!),
  );
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = lanes as number; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  const steps = perm.map((axis) => strides[axis]!);
  const index = new Array<number>(perm.length).fill(0);
  const target = result.data as Float32Array;
  const source = data as Float32Array;
  for (let at = 0, from = 0; at < target.length; at += lanes) {
    for (let lane = 0; lane < lanes; lane++) target[at + lane] = source[from + lane]!;
    for (let axis = perm.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < result.shape[axis]!) break;
      from -= steps[axis]! * result.shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

function withAxis(shape: Shape, axis: number, size: number): number[] {
  return shape.map((old, i) => (i === axis ? size : old));
}

function splitEntry(rule: LayoutRule & { layout: 'split' }, entry: Mapped): Mapped[] {
  const { axis, to } = rule;
  const whole = entry.shape[axis];
  if (whole === undefined) throw bad(rule, `${formatShape(entry.shape)} has no axis ${axis}`);
  const sizes = rule.sizes ?? to.map(() => whole / to.length);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (sizes.length !== to.length || total !== whole || sizes.some((size) => !Number.isInteger(size) || size < 0)) {
    throw bad(rule, `axis ${axis} of ${formatShape(entry.shape)} cannot be cut into ${sizes.join(', ')}`);
  }
  let from = 0;
  return to.map((name, i) => {
    const start = entry.shape.map((_, at) => (at === axis ? from : 0));
    const length = withAxis(entry.shape, axis, sizes[i]!);
    from += sizes[i]!;
    const load = async (): Promise<NdArray> => cutSlice(await entry.load(), { start, length });
    return { name, dtype: entry.dtype, shape: length, bytes: (entry.bytes / whole) * sizes[i]! || 0, load };
  });
}

function joinEntries(rule: LayoutRule & { layout: 'concatenate' }, parts: readonly Mapped[]): Mapped {
  const { axis, to } = rule;
  const [first] = parts;
  if (!first || axis < 0 || axis >= first.shape.length) throw bad(rule, `there is no axis ${axis}`);
  for (const part of parts) {
    const fits =
      part.dtype === first.dtype && withAxis(part.shape, axis, 0).join() === withAxis(first.shape, axis, 0).join();
    if (!fits)
      throw bad(
        rule,
        `${part.name} is ${part.dtype} ${formatShape(part.shape)}, ${first.name} ${first.dtype} ${formatShape(first.shape)}`,
      );
  }
  const shape = withAxis(
    first.shape,
    axis,
    parts.reduce((sum, part) => sum + part.shape[axis]!, 0),
  );
  const load = async (): Promise<NdArray> => {
    const whole = zeros(first.dtype, shape);
    let from = 0;
    for (const part of parts) {
      const start = shape.map((_, at) => (at === axis ? from : 0));
      copySlice(whole, { start, length: part.shape }, await part.load());
      from += part.shape[axis]!;
    }
    return whole;
  };
  return { name: to, dtype: first.dtype, shape, bytes: parts.reduce((sum, part) => sum + part.bytes, 0), load };
}

function applyRule(entries: Map<string, Mapped>, rule: LayoutRule): void {
  const take = (name: string): Mapped => {
    const entry = entries.get(name);
    if (!entry)
      throw new CheckpointError('NotFound', `layout rule '${rule.layout}': no tensor ${name}`, { tensor: name });
    entries.delete(name);
    return entry;
  };
  const put = (entry: Mapped): void => {
    if (entries.has(entry.name)) {
      throw new CheckpointError('Conflict', `layout rule '${rule.layout}': there is a tensor of that name`, {
        tensor: entry.name,
      });
    }
    entries.set(entry.name, entry);
  };
  if (rule.layout === 'concatenate') put(joinEntries(rule, rule.tensors.map(take)));
  else if (rule.layout === 'split') for (const part of splitEntry(rule, take(rule.tensor))) put(part);
  else if (rule.layout === 'cast') {
    const entry = take(rule.tensor);
    const { dtype } = rule;
    const load = async (): Promise<NdArray> => castArray(await entry.load(), dtype, { tensor: entry.name });
    put({ name: entry.name, dtype, shape: entry.shape, bytes: entry.bytes, load });
  } else {
    const entry = take(rule.tensor);
    const { perm } = rule;
    const axes = [...perm].sort((a, b) => a - b);
    if (axes.length !== entry.shape.length || axes.some((axis, i) => axis !== i)) {
      throw bad(
        rule,
        `${perm.join(', ')} is no order of the ${entry.shape.length} axes of ${formatShape(entry.shape)}`,
      );
    }
    const shape = perm.map((axis) => entry.shape[axis]!);
    put({
      ...entry,
      source: undefined,
      slices: undefined,
      shape,
      load: async () => transposeArray(await entry.load(), perm),
    });
  }
}

/** How a checkpoint is changed. */
export interface MapOptions {
  /** Which tensors are taken; all, where it is left out. */
  readonly filter?: (entry: CheckpointEntry) => boolean;
  readonly layouts?: readonly LayoutRule[];
  readonly names?: NameMap;
}

/**
 * A checkpoint as another model wants it: some tensors of it, layouts changed, then names; values are read and changed when they are asked for.
 *
 * @throws {CheckpointError} `NotFound` for a rule's tensor, `Conflict` for names that meet, `InvalidArgument` for a rule that does
 * not fit its tensor
 */
export function mapCheckpoint(
  checkpoint: Checkpoint,
  { filter = () => true, names, layouts = [] }: MapOptions,
): Checkpoint {
  const entries = new Map<string, Mapped>();
  for (const { name, dtype, shape, bytes, fullName } of checkpoint.entries.filter(filter)) {
    const own = fullName === undefined ? {} : { fullName };
    entries.set(name, { name, dtype, shape, bytes, ...own, load: () => checkpoint.get(name), source: name });
  }
  for (const rule of layouts) applyRule(entries, rule);
  const renamed = names?.applyAll(entries.keys());
  const mapped = [...entries.values()].map((entry) => ({ ...entry, name: renamed?.get(entry.name) ?? entry.name }));
  const read = (entry: CheckpointEntry): Promise<NdArray> => (entry as Mapped).load();
  const store: TensorStore = {
    // Its objects are named by what they were: what is changed has none.
    format: checkpoint.objectGraph ? 'V2' : checkpoint.format,
    unreadable: checkpoint.unreadable,
    location: checkpoint.location,
    entries: mapped,
    read,
    readPieces: (entry, pieceBytes) => {
      const { source } = entry as Mapped;
      return source === undefined ? undefined : checkpoint.pieces(source, pieceBytes);
    },
    stream: (wanted) => runAhead(wanted.map((entry) => readJob(entry, read))),
    close: () => checkpoint.close(),
  };
  return new Checkpoint(store);
}

/** Whole bits of a dtype's numbers, without the sign: what a dtype must hold to give them back. */
const WHOLE_BITS: Readonly<Partial<Record<DType, number>>> = {
  bool: 1,
  int8: 7,
  uint8: 8,
  int16: 15,
  uint16: 16,
  int32: 31,
  uint32: 32,
  int64: 63,
  uint64: 64,
  bfloat16: 8,
  float16: 11,
  float32: 24,
  float64: 53,
};
const WIDER_FLOATS: Readonly<Partial<Record<DType, readonly DType[]>>> = {
  float16: ['float32', 'float64'],
  bfloat16: ['float32', 'float64'],
  float32: ['float64'],
  complex64: ['complex128'],
};

/** Whether a cast keeps every value, so that a cast back undoes it. */
function keepsValues(from: DType, to: DType): boolean {
  if (from === to || WIDER_FLOATS[from]?.includes(to)) return true;
  const bits = WHOLE_BITS[from];
  const room = WHOLE_BITS[to];
  if (bits === undefined || room === undefined || WIDER_FLOATS[from] || from === 'float64') return false;
  const loses = from.startsWith('int') && (to.startsWith('uint') || to === 'bool');
  return bits <= room && !loses;
}

function invertRule(rule: LayoutRule, entries: ReadonlyMap<string, Mapped>): LayoutRule {
  const entryOf = (name: string): Mapped => {
    const entry = entries.get(name);
    if (!entry) throw bad(rule, `there is no ${name} when its turn comes`);
    return entry;
  };
  if (rule.layout === 'transpose') return { ...rule, perm: rule.perm.map((_, axis) => rule.perm.indexOf(axis)) };
  if (rule.layout === 'split') return { layout: 'concatenate', tensors: rule.to, to: rule.tensor, axis: rule.axis };
  if (rule.layout === 'cast') {
    const { dtype } = entryOf(rule.tensor);
    if (!keepsValues(dtype, rule.dtype)) {
      throw bad(rule, `a cast of ${dtype} to ${rule.dtype} may lose values, so that nothing undoes it`);
    }
    return { layout: 'cast', tensor: rule.tensor, dtype };
  }
  const sizes = rule.tensors.map((name) => entryOf(name).shape[rule.axis]!);
  return { layout: 'split', tensor: rule.to, to: rule.tensors, axis: rule.axis, sizes };
}

/**
 * The layout rules that undo these, in reverse; `entries` are those of the checkpoint that the rules were made for.
 *
 * @throws {CheckpointError} `InvalidArgument` for a cast that may lose values; as `mapCheckpoint` for rules that do not fit
 */
export function invertLayouts(rules: readonly LayoutRule[], entries: readonly CheckpointEntry[]): LayoutRule[] {
  // A rule is undone by what its tensors were when its turn came: earlier rules may have changed them.
  const load = (): never => {
    throw new CheckpointError('InvalidArgument', 'rules are inverted without values');
  };
  const state = new Map(
    entries.map(({ name, dtype, shape, bytes }) => [name, { name, dtype, shape, bytes, load }] as [string, Mapped]),
  );
  const inverse: LayoutRule[] = [];
  for (const rule of rules) {
    const undo = invertRule(rule, state);
    applyRule(state, rule);
    inverse.unshift(undo);
  }
  return inverse;
}
