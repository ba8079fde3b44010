// Ports slot_creator.create_slot and Optimizer._create_non_slot_variable (python/training, TF 2.21): the names of an optimizer's variables.
import * as tf from '@tensorflow/tfjs-core';
import { createVariable, currentContext, GraphKeys, type VariableOptions, variableScope } from '@tfparity/variables';

function optionsFor(name: string, shape: readonly number[], value: number): VariableOptions {
  return {
    name,
    initialValue: () => tf.fill([...shape], value),
    shape,
    dtype: 'float32',
    trainable: false,
    collections: [GraphKeys.GLOBAL_VARIABLES],
    origin: 'getVariable',
  };
}

/**
 * Makes a variable of a variable: `net/w/Momentum`, of the shape of `net/w`, filled with one value.
 *
 * In a graph the name is made unique as TensorFlow does, by variable scopes; in eager code `taken` says which names this
 * optimizer has given, because scopes count on and on there.
 */
export function createSlot(primary: tf.Variable, name: string, value: number, taken: Set<string>): tf.Variable {
  const context = currentContext();
  const base = `${primary.name}/${name}`;
  if (context.kind === 'graph') {
    return variableScope(null, { defaultName: base, dtype: 'float32' }, (scope) =>
      createVariable(context, optionsFor(`${scope.name}/`, primary.shape, value)),
    );
  }
  let unique = base;
  for (let count = 1; taken.has(unique); count++) unique = `${base}_${count}`;
  taken.add(unique);
  const outside = context.names.current;
  context.names.restore('');
  try {
    return createVariable(context, optionsFor(unique, primary.shape, value));
  } finally {
    context.names.restore(outside);
  }
}

/** Makes a scalar that belongs to the optimizer as a whole: `beta1_power`. */
export function createNonSlot(name: string, value: number): tf.Variable {
  return createVariable(currentContext(), { ...optionsFor(name, [], value), origin: 'variable' });
}
