import { DTYPES, type DType, formatShape, type NdArray, type Shape, sameShape } from '@tfparity/array';
import { castArray } from './cast.js';
import type { Checkpoint } from './checkpoint.js';
import { CheckpointError } from './errors.js';
import { cutSlice } from './slice-assembly.js';
import { resolveSlice, type TensorSlice } from './tensor-slice.js';

/** A variable of a model, as far as a checkpoint needs to know it; a tfjs `Variable` is one. */
export interface ModelVariable {
  /** With or without TensorFlow's `:0`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype?: string;
  readonly trainable?: boolean;
  /** For a part of a partitioned variable: the whole variable's name, and where in it the part lies. */
  readonly slice?: TensorSlice & { readonly fullName: string; readonly fullShape: Shape };
}

/** One variable and the tensor that is meant for it. */
export interface Assignment<V extends ModelVariable = ModelVariable> {
  readonly variable: V;
  /** The name in the checkpoint. */
  readonly tensor: string;
  /** The part of that tensor which the variable is, where it is a part. */
  readonly slice?: TensorSlice;
}

/** An assignment with its values. */
export interface ReadAssignment<V extends ModelVariable = ModelVariable> extends Assignment<V> {
  readonly array: NdArray;
}

/** How values are handed over. */
export interface AssignOptions<V extends ModelVariable = ModelVariable> {
  /** Called for each variable with its values, one after the other; the values are not kept. */
  readonly assign?: (variable: V, array: NdArray) => void | Promise<void>;
  /** Whether values are cast to the variable's dtype where the checkpoint has another. */
  readonly cast?: boolean;
  /** Whether a tensor of another shape with as many elements will do. */
  readonly reshape?: boolean;
}

/** A variable's name without the `:0` that TensorFlow puts after it. */
export function plainName(variable: { readonly name: string }): string {
  return variable.name.replace(/:\d+$/, '');
}

/**
 * Reads the tensors of a plan, each once, and hands them over.
 *
 * @returns the assignments, with their values where no `assign` took them
 * @throws {CheckpointError} `Mismatch` for dtypes or shapes, else as `get` does
 */
export async function carryOut<V extends ModelVariable>(
  checkpoint: Checkpoint,
  plan: readonly Assignment<V>[],
  { assign, cast = false, reshape = false }: AssignOptions<V>,
): Promise<ReadAssignment<V>[] | Assignment<V>[]> {
  const done: ReadAssignment<V>[] = [];
  // Everything that can be told without values is told before the first variable changes.
  for (const item of plan) checkDType(checkpoint, item, cast);
  let last: { name: string; array: NdArray } | undefined;
  for (const item of plan) {
    if (last?.name !== item.tensor) last = { name: item.tensor, array: await checkpoint.get(item.tensor) };
    const array = fit(last.array, item, cast, reshape);
    if (assign) await assign(item.variable, array);
    else done.push({ ...item, array });
  }
  return assign ? [...plan] : done;
}

function checkDType(checkpoint: Checkpoint, { variable, tensor }: Assignment, cast: boolean): void {
  const { dtype } = checkpoint.entry(tensor);
  if (cast || variable.dtype === undefined || variable.dtype === dtype) return;
  throw new CheckpointError(
    'Mismatch',
    `tensor_name = ${tensor}; expected dtype ${variable.dtype} does not equal original dtype ${dtype}; ask for a cast if that is meant`,
    { file: checkpoint.location, tensor },
    { expected: variable.dtype, actual: dtype, variable: variable.name },
  );
}

function fit(whole: NdArray, { variable, tensor, slice }: Assignment, cast: boolean, reshape: boolean): NdArray {
  const where = { tensor };
  let array = slice ? cutSlice(whole, resolveSlice(slice, whole.shape, where)) : whole;
  if (!sameShape(array.shape, variable.shape)) {
    const count = variable.shape.reduce((a, b) => a * b, 1) * DTYPES[array.dtype].lanes;
    if (!reshape || count !== array.data.length) {
      throw new CheckpointError(
        'Mismatch',
        `checkpoint has ${formatShape(array.shape)}, model has ${formatShape(variable.shape)}; add a rename or fix the shape`,
        where,
        { expected: variable.shape, actual: array.shape, variable: variable.name },
      );
    }
    array = { ...array, shape: [...variable.shape] };
  }
  const wanted = variable.dtype as DType | undefined;
  return cast && wanted && wanted !== array.dtype ? castArray(array, wanted, where) : array;
}

/** The whole that parts make when they are put one after the other along an axis. */
function stacked(parts: readonly ModelVariable[], axis: number): number[] {
  const first = parts[0]?.shape ?? [];
  return first.map((size, i) => (i === axis ? parts.reduce((sum, { shape }) => sum + shape[i]!, 0) : size));
}

/** The axis along which parts without places of their own are cut: they must make the whole. */
function cutAxis(parts: readonly ModelVariable[], whole: Shape, tensor: string): number {
  const axes = whole.length === 0 ? [0] : whole.map((_, axis) => axis);
  const found = axes.find(
    (axis) =>
      sameShape(stacked(parts, axis), whole) &&
      parts.every(({ shape }) => shape.every((size, i) => i === axis || size === whole[i])),
  );
  if (found === undefined) {
    const cut = axes.find((axis) => parts.some(({ shape }) => shape[axis] !== whole[axis])) ?? 0;
    throw otherWhole(stacked(parts, cut), whole, tensor);
  }
  return found;
}

function otherWhole(model: Shape, whole: Shape, tensor: string): CheckpointError {
  const list = (shape: Shape): string => `[${shape.join(',')}]`;
  return new CheckpointError(
    'Mismatch',
    `tensor_name = ${tensor}; shape in shape_and_slice spec ${list(model)} does not match the shape stored in checkpoint: ${list(whole)}`,
    { tensor },
    { expected: model, actual: whole },
  );
}

/**
 * The parts of a partitioned variable as slices of the whole: where they say it themselves, else one after the other.
 *
 * @throws {CheckpointError} `Mismatch` where they are of several tensors, or make another shape than the checkpoint has
 */
export function partSlices(parts: readonly ModelVariable[], whole: Shape, tensor: string): TensorSlice[] {
  const own = parts.flatMap(({ slice }) => (slice ? [slice] : []));
  const names = [...new Set(own.map((slice) => slice.fullName))];
  if (names.length > 1) {
    throw new CheckpointError(
      'Mismatch',
      `Slices must all be from the same tensor: ${names[0]} != ${names[1]}`,
      { tensor },
      { names },
    );
  }
  for (const { fullShape } of own) if (!sameShape(fullShape, whole)) throw otherWhole(fullShape, whole, tensor);
  if (own.length === parts.length) return own.map(({ start, length }) => ({ start, length }));
  const axis = cutAxis(parts, whole, tensor);
  let from = 0;
  return parts.map(({ shape }) => {
    const start = whole.map((_, i) => (i === axis ? from : 0));
    from += shape[axis] ?? 0;
    return { start, length: [...shape] };
  });
}
