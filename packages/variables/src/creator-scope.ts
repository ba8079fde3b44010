// Ports tf.variable_creator_scope (python/ops/variable_scope.py, TF 2.21) onto tfjs's engine.
import * as tf from '@tensorflow/tfjs-core';
import { createVariable, currentContext, retainMakeVariable } from './context.js';
import type { VariableCreator, VariableOptions } from './creator-chain.js';
import { shapeOf } from './initial-value.js';
import { type Body, openScope } from './scope-body.js';

/**
 * While it is open, `creator` is asked for every variable that is made: by `getVariable`, `variable`, `tf.variable` and
 * as a weight of a tf.layers layer. The innermost creator is asked first; reused variables are not seen.
 *
 * @throws {VariablesError} `RuntimeError` when creator scopes close out of order.
 */
export function variableCreatorScope(creator: VariableCreator): Disposable;
/** Asks `creator` for every variable made in `body` (until its promise settles), and returns what `body` returns. */
export function variableCreatorScope<R>(creator: VariableCreator, body: Body<void, R>): R;
export function variableCreatorScope<R>(creator: VariableCreator, body?: Body<void, R>): Disposable | R {
  const { creators } = currentContext();
  creators.push({ creator });
  const release = retainMakeVariable();
  const close = () => {
    creators.pop();
    release();
  };
  const label = creator.name === '' ? 'creator' : creator.name;
  return openScope({ kind: 'variable_creator_scope', label }, {}, close, body && (() => body()));
}

/** The optional arguments of `variable`. */
export interface VariableArguments {
  name?: string;
  dtype?: string;
  trainable?: boolean;
  constraint?: VariableOptions['constraint'];
}

/**
 * Makes a variable as `tf.Variable` does: named within the open name scopes, in a graph where one is open.
 *
 * It is never shared, and a shim does not track it.
 */
export function variable(initialValue: tf.Tensor | tf.TensorLike, args: VariableArguments = {}): tf.Variable {
  const value = () => (initialValue instanceof tf.Tensor ? initialValue : tf.tensor(initialValue));
  // What tf.tensor would say, without making a tensor that no one disposes of and a graph would record.
  const known =
    initialValue instanceof tf.Tensor
      ? initialValue
      : { shape: shapeOf(initialValue), dtype: tf.util.inferDtype(initialValue) };
  const options: VariableOptions = {
    name: args.name ?? 'Variable',
    initialValue: value,
    shape: known.shape,
    dtype: args.dtype ?? known.dtype,
    trainable: args.trainable ?? true,
    constraint: args.constraint,
    origin: 'variable',
  };
  return createVariable(currentContext(), options);
}
