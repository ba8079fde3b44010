// Ports how get_variable turns an initializer into an initial value (python/ops/variable_scope.py, TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { formatShape } from '@tfparity/array';
import { initializers } from '@tfparity/random';
import { heldDType } from './engine-variable.js';
import { VariablesError, valueError } from './errors.js';
import {
  type ConstantInitializer,
  type GetterArguments,
  type Initializer,
  type InitializerLike,
  type InitializerObject,
  isConstantInitializer,
  isInitializerObject,
} from './variable-arguments.js';

/** What a variable starts with; `value` draws its random numbers when it is called. */
export interface InitialValue {
  readonly value: () => tf.Tensor;
  readonly shape: readonly number[] | undefined;
  readonly dtype: string;
}

/** A constant as a tensor, of the dtype that TensorFlow gives it; a tensor as it is. */
export function constantTensor(value: tf.Tensor | tf.TensorLike): tf.Tensor {
  return value instanceof tf.Tensor ? value : tf.tensor(value, undefined, inferDType(value));
}

/** The dtype that TensorFlow gives a plain number or array: whole numbers are int32, others float32. */
function inferDType(value: tf.TensorLike): tf.DataType {
  if (ArrayBuffer.isView(value)) return value instanceof Float32Array ? 'float32' : 'int32';
  const flat = Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value];
  if (flat.length > 0 && flat.every((item) => typeof item === 'boolean')) return 'bool';
  if (flat.some((item) => typeof item === 'string')) return 'string';
  return flat.length > 0 && flat.every((item) => Number.isInteger(item)) ? 'int32' : 'float32';
}

/** The shape of a number, an array of arrays, or a typed array, by its first elements as tfjs does it. */
export function shapeOf(value: tf.TensorLike): number[] {
  if (ArrayBuffer.isView(value)) return [(value as Float32Array).length];
  if (!Array.isArray(value)) return [];
  return [value.length, ...(value.length === 0 ? [] : shapeOf(value[0] as tf.TensorLike))];
}

/** Shape and dtype of a constant initial value; makes no tensor, which a graph would record. */
export function constantFacts(constant: ConstantInitializer): { dtype: string; shape: number[] } {
  if (constant instanceof tf.Tensor) return { dtype: constant.dtype, shape: constant.shape };
  return { dtype: inferDType(constant), shape: shapeOf(constant) };
}

function isClass(value: unknown): value is new () => InitializerObject {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

/** Whether an initializer takes the shape: objects, classes, and functions with a parameter that has no default. */
export function needsArguments(initializer: InitializerLike): boolean {
  if (isInitializerObject(initializer) || isClass(initializer)) return true;
  return typeof initializer === 'function' && initializer.length > 0;
}

/** The value of an initializer, if it has the shape that it was asked for (python/ops/resource_variable_ops.py). */
function checkShape(value: tf.Tensor, shape: readonly number[], name: string): tf.Tensor {
  if (!(value instanceof tf.Tensor)) {
    const found = value === null ? 'null' : typeof value;
    throw new VariablesError('TypeError', `The initializer of ${name} returned ${found}; it must return a tensor.`, {
      name,
      found,
    });
  }
  if (value.shape.length === shape.length && value.shape.every((size, axis) => size === shape[axis])) return value;
  throw valueError(
    `In this \`tf.Variable\` creation, the initial value's shape (${formatShape(value.shape)}) is not compatible with ` +
      `the explicitly supplied \`shape\` argument (${formatShape(shape)}). The variable is ${name}.`,
    { name, expected: shape, actual: value.shape },
  );
}

/** The value that `getVariable` gives a new variable; without an initializer glorot uniform for floats, else zeros. */
export function initialValueOf(args: GetterArguments): InitialValue {
  const { initializer = null, dtype } = args;
  const held = heldDType(dtype);
  const shape = args.shape as readonly number[] | null | undefined;
  if (initializer !== null && isConstantInitializer(initializer)) {
    const facts = constantFacts(initializer);
    return { value: () => constantTensor(initializer), ...facts };
  }
  if (initializer !== null && !needsArguments(initializer)) {
    const call = initializer as () => tf.Tensor | tf.TensorLike;
    if (shape) {
      throw new VariablesError(
        'TypeError',
        `The initializer of ${args.name} takes no arguments, but a shape is given, with which it would be called; ` +
          'leave out `shape`, or let the initializer take it.',
        { name: args.name, shape },
      );
    }
    // Without a shape, the value decides; it is computed once, here.
    const first = tf.tidy(() => constantTensor(call()));
    return { value: () => first, shape: first.shape, dtype: first.dtype };
  }
  const sizes = [...(shape ?? [])];
  if (initializer === null) {
    const floating = held === 'float32';
    return {
      value: () => (floating ? initializers.glorotUniform()(sizes, 'float32') : tf.zeros(sizes, held)),
      shape: sizes,
      dtype,
    };
  }
  const instance = isClass(initializer) ? new initializer() : initializer;
  const value = isInitializerObject(instance)
    ? () => instance.apply(sizes, held)
    : () => (instance as Initializer)(sizes, held);
  const checked = () => checkShape(value(), sizes, args.name);
  return { value: args.validateShape === false ? value : checked, shape: sizes, dtype };
}
