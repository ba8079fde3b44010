// Ports get_variable (python/ops/variable_scope.py VariableScope.get_variable, _VariableStore.get_variable;
// tf_keras variable_scope_shim.py _EagerVariableStore; TF 2.21). Departure: a shim raises TF1's errors for a missing
// shape, where TensorFlow's initializer fails with a Python TypeError.
import * as tf from '@tensorflow/tfjs-core';
import { labelDraws } from '@tfparity/random';
import { createVariable, currentContext, type VariableContext } from './context.js';
import type { VariableOptions } from './creator-chain.js';
import { valueError } from './errors.js';
import { GraphKeys } from './graph-keys.js';
import { constantFacts, initialValueOf, needsArguments } from './initial-value.js';
import { getPartitioned } from './partitioned-variable.js';
import { addRegularizationLoss } from './regularization.js';
import { AUTO_REUSE, type Reuse } from './scope-state.js';
import {
  type GetterArguments,
  type GetVariableOptions,
  type InitializerLike,
  isConstantInitializer,
} from './variable-arguments.js';
import { variableDType } from './variable-facts.js';

const SYNCHRONIZATIONS = ['AUTO', 'NONE', 'ON_WRITE', 'ON_READ'];
const AGGREGATIONS = ['NONE', 'SUM', 'MEAN', 'ONLY_FIRST_REPLICA'];

function checkModes(name: string, options: GetVariableOptions): void {
  const { aggregation = 'NONE', synchronization = 'AUTO' } = options;
  if (!AGGREGATIONS.includes(aggregation)) {
    throw valueError(`Invalid variable aggregation mode: ${aggregation} for variable: ${name}`, { name, aggregation });
  }
  if (!SYNCHRONIZATIONS.includes(synchronization)) {
    throw valueError(`Invalid variable synchronization mode: ${synchronization} for variable: ${name}`, {
      name,
      synchronization,
    });
  }
}

function checkConstantDType(initializer: InitializerLike | null | undefined, dtype: string | null | undefined): void {
  if (!dtype || initializer === null || initializer === undefined || !isConstantInitializer(initializer)) return;
  const found = constantFacts(initializer).dtype;
  if (found !== dtype) {
    throw valueError(`Initializer type '<dtype: '${found}'>' and explicit dtype '<dtype: '${dtype}'>' don't match.`, {
      found,
      dtype,
    });
  }
}

/** The reuse flag that holds for a variable (SHIM rule: a shim always reuses, plain eager code never does). */
function effectiveReuse(context: VariableContext): Reuse | null {
  const flag = context.scopes.current.reuse;
  if (context.store === null) return false;
  if (context.store.strict) return flag;
  return context.kind === 'graph' && flag === true ? true : AUTO_REUSE;
}

/**
 * Gets the variable `name` of the current scope, or makes it, by the rules of the current context: TF1's in a graph,
 * always sharing in a method with a shim, a new variable each time in plain eager code.
 *
 * @throws {VariablesError} `ValueError` in TensorFlow's words: exists already, does not exist, shapes or dtypes differ, …
 */
export function getVariable(name: string, options: GetVariableOptions = {}): tf.Variable {
  const context = currentContext();
  const scope = context.scopes.current;
  const full = scope.name === '' ? name : `${scope.name}/${name}`;
  checkConstantDType(options.initializer, options.dtype);
  const getters = options.customGetter ? [options.customGetter] : scope.customGetters;
  for (const getter of getters) {
    if (typeof getter !== 'function') throw valueError(`Passed a custom_getter which is not callable: ${getter}`);
  }
  checkModes(full, options);
  const args: GetterArguments = {
    ...options,
    name: full,
    dtype: options.dtype ?? scope.dtype,
    initializer: options.initializer ?? scope.initializer,
    regularizer: options.regularizer ?? scope.regularizer,
    constraint: options.constraint ?? scope.constraint,
    partitioner: options.partitioner ?? scope.partitioner,
    trainable: options.trainable ?? options.synchronization !== 'ON_READ',
    reuse: effectiveReuse(context),
  };
  const call = (index: number, current: GetterArguments): tf.Variable => {
    const getter = getters[index];
    if (getter === undefined) return trueGetter(currentContext(), current);
    return getter((changed) => call(index + 1, changed), current);
  };
  return call(0, args);
}

/** Like `getVariable`, for a variable that is not trained and goes to the collection of local variables. */
export function getLocalVariable(name: string, options: GetVariableOptions = {}): tf.Variable {
  const collections = [...(options.collections ?? []), GraphKeys.LOCAL_VARIABLES];
  return getVariable(name, { ...options, trainable: false, collections });
}

function trueGetter(context: VariableContext, args: GetterArguments): tf.Variable {
  const { store } = context;
  if (args.partitioner) return getPartitioned(context, args, getSingle);
  if (store?.variables.has(`${args.name}/part_0`)) {
    throw valueError(
      `No partitioner was provided, but a partitioned version of the variable was found: ${args.name}/part_0. ` +
        'Perhaps a variable of the same name was already created with partitioning?',
      { name: args.name },
    );
  }
  return getSingle(context, args);
}

function getSingle(context: VariableContext, args: GetterArguments): tf.Variable {
  const { name, initializer = null, shape = null } = args;
  const { store } = context;
  if (initializer !== null && isConstantInitializer(initializer) && shape !== null) {
    throw valueError('If initializer is a constant, do not specify shape.', { name });
  }
  if (store?.exists(name)) return existing(context, args);
  if (args.reuse === true) {
    throw valueError(
      `Variable ${name} does not exist, or was not created with tf.get_variable(). ` +
        'Did you mean to set reuse=tf.AUTO_REUSE in VarScope?',
      { name },
    );
  }
  // In a strict shim the variable may stand from an earlier call of the method: this call, a fresh graph, finds it.
  store?.seen.add(name);
  return store?.variables.has(name) ? existing(context, { ...args, reuse: AUTO_REUSE }) : create(context, args);
}

function existing(context: VariableContext, args: GetterArguments): tf.Variable {
  const { name, shape } = args;
  if (!args.reuse) {
    throw valueError(
      `Variable ${name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?`,
      { name },
    );
  }
  const found = context.store?.variables.get(name) as tf.Variable;
  if (shape && !compatible(shape, found.shape)) {
    throw valueError(
      `Trying to share variable ${name}, but specified shape ${formatTfShape(shape)} and found shape ${formatTfShape(found.shape)}.`,
      { name, expected: shape, actual: found.shape },
    );
  }
  const dtype = variableDType(found);
  if (args.dtype !== dtype) {
    throw valueError(`Trying to share variable ${name}, but specified dtype ${args.dtype} and found dtype ${dtype}.`, {
      name,
      expected: args.dtype,
      actual: dtype,
    });
  }
  return found;
}

function compatible(wanted: readonly (number | null)[], found: readonly number[]): boolean {
  return wanted.length === found.length && wanted.every((size, i) => size === null || size === found[i]);
}

/** A shape as TensorFlow prints it: `()`, `(2,)`, `(None, 3)`. */
function formatTfShape(shape: readonly (number | null)[]): string {
  return `(${shape.map((size) => size ?? 'None').join(', ')}${shape.length === 1 ? ',' : ''})`;
}

function checkInitializer(args: GetterArguments): void {
  const { name, initializer = null, shape = null } = args;
  if (initializer === null && /^(complex|resource|variant|qint|quint)/.test(args.dtype)) {
    throw valueError(`An initializer for variable ${name} of <dtype: '${args.dtype}'> is required`, { name });
  }
  if (initializer !== null && (isConstantInitializer(initializer) || !needsArguments(initializer))) return;
  if (initializer === null && shape === null) {
    throw valueError(`Variable ${name} did not get an initializer, so its \`shape\` argument must be specified.`, {
      name,
    });
  }
  if (shape === null || shape.includes(null)) {
    throw valueError(
      'The initializer passed is not valid. It should be a callable with no arguments and the shape should not be ' +
        "provided or an instance of `tf.keras.initializers.*' and `shape` should be fully defined.",
      { name, shape },
    );
  }
}

function create(context: VariableContext, args: GetterArguments): tf.Variable {
  checkInitializer(args);
  // Variables outlive the tidy; what computing their initial values leaves behind does not.
  const make = () => createVariable(context, creationOptions(args));
  const outside = context.names.current;
  // Variables of getVariable ignore the op name scopes around them.
  context.names.restore('');
  let made: tf.Variable;
  try {
    made = context.kind === 'eager' ? tf.tidy(make) : make();
  } finally {
    context.names.restore(outside);
  }
  context.store?.variables.set(args.name, made);
  if (args.regularizer) addRegularizationLoss(context, made, args.regularizer);
  return made;
}

function creationOptions(args: GetterArguments): VariableOptions {
  const { name } = args;
  const initial = initialValueOf(args);
  return {
    name,
    initialValue: () => labelDraws(name, initial.value),
    shape: initial.shape,
    dtype: initial.dtype,
    trainable: args.trainable,
    constraint: args.constraint ?? undefined,
    collections: args.collections ?? undefined,
    synchronization: args.synchronization ?? 'AUTO',
    aggregation: args.aggregation ?? 'NONE',
    validateShape: args.validateShape ?? true,
    origin: 'getVariable',
  };
}
