import type * as tf from '@tensorflow/tfjs-core';
import type { Aggregation, Constraint, Synchronization } from './creator-chain.js';

/** Makes an initial value; it gets the shape as a list and the dtype. */
export type Initializer = (shape: number[], dtype: tf.DataType) => tf.Tensor;

/** An initializer as an object, as tf.layers and `@tfparity/random` have them. */
export interface InitializerObject {
  apply(shape: number[], dtype?: tf.DataType): tf.Tensor;
}

/** A constant initial value: its shape and dtype are the variable's. */
export type ConstantInitializer = tf.Tensor | tf.TensorLike;

/** All that TF takes as an initializer: a function, an object, a class without arguments, or a constant. */
export type InitializerLike =
  | Initializer
  | (() => tf.Tensor | tf.TensorLike)
  | InitializerObject
  | (new () => InitializerObject)
  | ConstantInitializer;

/** The loss of a variable's value; null for none. */
export type Regularizer = (value: tf.Tensor) => tf.Tensor | null;

/** Wraps `getVariable`: calls `getter` with the same or changed arguments, or returns another variable. */
export type CustomGetter = (getter: (args: GetterArguments) => tf.Variable, args: GetterArguments) => tf.Variable;

/** Into how many slices each axis of a variable is cut; graphs only. */
export type Partitioner = (shape: readonly number[], dtype: string) => readonly number[];

/** The optional arguments of `getVariable`; null and undefined take the scope's. */
export interface GetVariableOptions {
  /** Null dimensions match anything on reuse; to create a variable, every dimension must be known. */
  shape?: readonly (number | null)[] | null;
  dtype?: string | null;
  initializer?: InitializerLike | null;
  regularizer?: Regularizer | null;
  /** True unless said, or `synchronization` is `ON_READ`. */
  trainable?: boolean | null;
  /** In place of `[GraphKeys.GLOBAL_VARIABLES]`; graphs only. */
  collections?: readonly string[] | null;
  partitioner?: Partitioner | null;
  customGetter?: CustomGetter | null;
  constraint?: Constraint | null;
  synchronization?: Synchronization;
  aggregation?: Aggregation;
  validateShape?: boolean;
}

/** What a custom getter sees: the full name and every argument with the scope's defaults filled in. */
export interface GetterArguments extends Omit<GetVariableOptions, 'customGetter'> {
  readonly name: string;
  readonly dtype: string;
  readonly trainable: boolean;
  readonly reuse: boolean | 'AUTO_REUSE' | null;
}

/** Whether an initializer is a constant (a tensor, number or array) and so brings its own shape. */
export function isConstantInitializer(initializer: InitializerLike): initializer is ConstantInitializer {
  return typeof initializer !== 'function' && !isInitializerObject(initializer);
}

/** Whether an initializer is an object with `apply(shape, dtype)`. */
export function isInitializerObject(initializer: InitializerLike): initializer is InitializerObject {
  return (
    typeof initializer === 'object' &&
    initializer !== null &&
    'apply' in initializer &&
    typeof initializer.apply === 'function'
  );
}
