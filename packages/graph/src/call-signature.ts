// What makes tf.function trace anew (core/function/trace_type, TF 2.21): dtypes and shapes of tensors, values of plain
// arguments, identity of variables and of all other objects.
import * as tf from '@tensorflow/tfjs-core';
import { GraphError } from './graph-error.js';

/** The dtype and shape that a tensor argument must have; null where any size will do. */
export interface TensorSpec {
  readonly shape: readonly (number | null)[];
  readonly dtype: tf.DataType;
}

/** Arguments with their tensors taken out. */
export interface CallSignature {
  /** Equal for calls that one trace serves. */
  readonly key: string;
  readonly tensors: readonly tf.Tensor[];
  readonly specs: readonly TensorSpec[];
}

const identities = new WeakMap<object, number>();
let known = 0;

function identity(object: object): string {
  let number = identities.get(object);
  if (number === undefined) {
    number = ++known;
    identities.set(object, number);
  }
  return `#${number}`;
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** A tensor that is an argument; a variable is none, for a trace stands for that very variable. */
const isArgument = (value: unknown): value is tf.Tensor =>
  value instanceof tf.Tensor && !(value instanceof tf.Variable);

/** `args` with every tensor replaced; what holds none stays the same object. */
export function mapTensors(args: unknown, replace: (tensor: tf.Tensor) => unknown): unknown {
  if (isArgument(args)) return replace(args);
  if (Array.isArray(args)) return args.map((part) => mapTensors(part, replace));
  if (typeof args !== 'object' || args === null || !isPlain(args)) return args;
  return Object.fromEntries(Object.entries(args).map(([name, part]) => [name, mapTensors(part, replace)]));
}

/**
 * What a call looks like to the cache of traces.
 *
 * @param declared  the signature that the function was given, one spec per tensor
 * @throws {GraphError} `WrongValue` for tensors that do not fit it, in TensorFlow's words
 */
export function callSignature(args: readonly unknown[], declared?: readonly TensorSpec[]): CallSignature {
  const tensors: tf.Tensor[] = [];
  const specs: TensorSpec[] = [];
  const describe = (value: unknown): string => {
    if (isArgument(value)) {
      const spec = specOf(value, declared?.[tensors.length], declared !== undefined);
      tensors.push(value);
      specs.push(spec);
      return `${spec.dtype}[${spec.shape.map((size) => size ?? '?').join()}]`;
    }
    if (Array.isArray(value)) return `[${value.map(describe).join()}]`;
    if (typeof value === 'function') return identity(value);
    if (typeof value === 'object' && value !== null) {
      if (!isPlain(value)) return identity(value);
      const parts = Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}:${describe(part)}`);
      return `{${parts.join()}}`;
    }
    if (typeof value === 'string') return JSON.stringify(value);
    return Object.is(value, -0) ? '-0' : `${typeof value === 'bigint' ? `${value}n` : String(value)}`;
  };
  const key = args.map(describe).join(';');
  if (declared !== undefined && declared.length !== tensors.length) {
    throw new GraphError(
      'WrongValue',
      `Binding inputs to tf.function failed: the signature has ${declared.length} tensors, and the call ${tensors.length}.`,
      { expected: declared.length, actual: tensors.length },
    );
  }
  return { key, tensors, specs };
}

function specOf(tensor: tf.Tensor, declared: TensorSpec | undefined, needed: boolean): TensorSpec {
  const actual = { shape: tensor.shape, dtype: tensor.dtype };
  if (!needed || declared === undefined) return actual;
  const fits =
    tensor.dtype === declared.dtype &&
    tensor.shape.length === declared.shape.length &&
    declared.shape.every((size, axis) => size === null || size === tensor.shape[axis]);
  if (fits) return declared;
  throw new GraphError(
    'WrongValue',
    `Binding inputs to tf.function failed due to \`Can not cast ${specText(actual)} to ${specText(declared)}\`.`,
    { expected: declared, actual },
  );
}

function specText({ shape, dtype }: TensorSpec): string {
  const sizes = shape.map((size) => size ?? 'None').join(', ');
  return `TensorSpec(shape=(${sizes}${shape.length === 1 ? ',' : ''}), dtype=tf.${dtype}, name=None)`;
}
