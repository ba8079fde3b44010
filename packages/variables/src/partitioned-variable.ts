// Ports partitioned variables (_VariableStore._get_partitioned_variable, python/ops/variable_scope.py, TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import type { VariableContext } from './context.js';
import { valueError } from './errors.js';
import { constantFacts, constantTensor } from './initial-value.js';
import { type GetterArguments, isConstantInitializer } from './variable-arguments.js';

/** A variable that a graph keeps as slices `name/part_0`, `name/part_1`, … along one axis. */
export class PartitionedVariable {
  constructor(
    readonly name: string,
    readonly shape: readonly number[],
    readonly dtype: string,
    readonly parts: readonly tf.Variable[],
    readonly axis: number,
  ) {}

  /** The whole value, put together from the slices. */
  asTensor(): tf.Tensor {
    return this.parts.length === 1 ? tf.clone(this.parts[0] as tf.Tensor) : tf.concat([...this.parts], this.axis);
  }
}

/** Whether what `getVariable` returned is kept in slices, as it is where a partitioner was given to it or the scope. */
export function isPartitionedVariable(value: unknown): value is PartitionedVariable {
  return value instanceof PartitionedVariable;
}

/** How many slices, along which axis. */
function slicing(args: GetterArguments, shape: readonly number[]): { axis: number; count: number } {
  const partitions = args.partitioner?.(shape, args.dtype) ?? [];
  if (partitions.length !== shape.length) {
    throw valueError(
      `Partitioner returned a partition list that does not match the Variable's rank: [${partitions.join(', ')}] vs. ${formatTuple(shape)}`,
      { name: args.name, partitions, shape },
    );
  }
  if (partitions.some((count) => count < 1)) {
    throw valueError(`Partitioner returned zero partitions for some axes: [${partitions.join(', ')}]`, {
      name: args.name,
    });
  }
  const sliced = partitions.flatMap((count, axis) => (count > 1 ? [axis] : []));
  if (sliced.length > 1) {
    throw valueError(
      `Can only slice a variable along one dimension: shape: ${formatTuple(shape)}, partitioning: [${partitions.join(', ')}]`,
      {
        name: args.name,
      },
    );
  }
  const axis = sliced[0] ?? 0;
  return { axis, count: partitions[axis] ?? 1 };
}

/** The arguments of one slice: a constant is cut, any other initializer makes the slice's shape. */
function sliceArguments(args: GetterArguments, index: number, axis: number, start: number, shape: number[]) {
  const { initializer } = args;
  const common = { ...args, partitioner: null, name: `${args.name}/part_${index}` };
  if (initializer === null || initializer === undefined || !isConstantInitializer(initializer)) {
    return { ...common, shape };
  }
  const begin = shape.map((_, i) => (i === axis ? start : 0));
  const cut = () => tf.slice(constantTensor(initializer), begin, shape);
  return { ...common, shape: null, initializer: cut };
}

function formatTuple(shape: readonly (number | null)[]): string {
  return `(${shape.map((size) => size ?? 'None').join(', ')}${shape.length === 1 ? ',' : ''})`;
}

function checkUnpartitioned(context: VariableContext, args: GetterArguments): void {
  const { name } = args;
  if (context.kind !== 'graph') {
    throw valueError(
      '`partitioner` arg for `get_variable` is unsupported in TF2. File a bug if you need help. ' +
        `You passed ${args.partitioner?.name || 'a partitioner'}`,
      { name },
    );
  }
  if (context.store?.variables.has(name)) {
    throw valueError(
      `A partitioner was provided, but an unpartitioned version of the variable was found: ${name}.  ` +
        'Perhaps a variable of the same name was already created without partitioning?',
      { name },
    );
  }
}

/** The partitioned variable that exists, checked against the request. */
function existing(found: PartitionedVariable, args: GetterArguments): PartitionedVariable {
  const { name, shape } = args;
  if (!args.reuse) {
    throw valueError(
      `Partitioned variable with name ${name} already exists. ` +
        'Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?',
      { name },
    );
  }
  if (
    shape &&
    (shape.length !== found.shape.length || shape.some((size, i) => size !== null && size !== found.shape[i]))
  ) {
    throw valueError(
      `Trying to reuse partitioned variable ${name}, but specified shape ${formatTuple(shape)} ` +
        `and found shape ${formatTuple(found.shape)}.`,
      { name, expected: shape, actual: found.shape },
    );
  }
  if (args.dtype !== found.dtype) {
    throw valueError(
      `Trying to reuse partitioned variable ${name}, but specified dtype ${args.dtype} and found dtype ${found.dtype}.`,
      { name, expected: args.dtype, actual: found.dtype },
    );
  }
  return found;
}

/** The full shape of a new partitioned variable: as asked, or its constant initializer's. */
function wholeShape(args: GetterArguments): readonly number[] {
  const { initializer } = args;
  const constant = initializer !== null && initializer !== undefined && isConstantInitializer(initializer);
  const shape = args.shape ?? (constant ? constantFacts(initializer).shape : null);
  if (shape === null || shape.includes(null)) {
    const found = shape === null ? '<unknown>' : formatTuple(shape);
    throw valueError(`Shape of a new partitioned variable must be fully defined, but instead was ${found}.`, {
      name: args.name,
      shape,
    });
  }
  return shape as readonly number[];
}

/**
 * Gets or makes a variable in slices: the first `size % count` slices are one longer.
 *
 * @throws {VariablesError} `ValueError` in TensorFlow's words; outside a graph always, as TF2's `get_variable` does.
 */
export function getPartitioned(
  context: VariableContext,
  args: GetterArguments,
  getSingle: (context: VariableContext, args: GetterArguments) => tf.Variable,
): tf.Variable {
  const { name } = args;
  checkUnpartitioned(context, args);
  const found = context.store?.partitioned.get(name);
  // The type that getVariable promises is a single variable's; `isPartitionedVariable` tells.
  if (isPartitionedVariable(found)) return existing(found, args) as unknown as tf.Variable;
  if (args.reuse === true) {
    throw valueError(
      `PartitionedVariable ${name} does not exist, or was not created with tf.get_variable(). ` +
        'Did you mean to set reuse=False or reuse=tf.AUTO_REUSE in VarScope?',
      { name },
    );
  }
  const whole = wholeShape(args);
  const { axis, count } = slicing(args, whole);
  const size = whole[axis] ?? 0;
  const parts: tf.Variable[] = [];
  for (let i = 0, start = 0; i < count; i += 1) {
    const length = Math.floor(size / count) + (i < size % count ? 1 : 0);
    const partShape = whole.map((dimension, at) => (at === axis ? length : dimension));
    parts.push(getSingle(context, sliceArguments(args, i, axis, start, partShape)));
    start += length;
  }
  const made = new PartitionedVariable(name, whole, args.dtype, parts, axis);
  context.store?.partitioned.set(name, made);
  return made as unknown as tf.Variable;
}
