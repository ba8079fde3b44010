import type * as tf from '@tensorflow/tfjs-core';
import type { VariableContext } from './context.js';
import { GraphKeys } from './graph-keys.js';
import type { Regularizer } from './variable-arguments.js';

/**
 * Gives a variable a regularization loss: in a graph a tensor, named `<name>/Regularizer/…`, in the collection of
 * regularization losses; in a shim a function under `<name>:0`, one per variable; in plain eager code nothing.
 */
export function addRegularizationLoss(context: VariableContext, variable: tf.Variable, regularizer: Regularizer): void {
  const { store, names } = context;
  if (store !== null && store.kind !== 'graph') {
    store.regularizers.set(`${variable.name}:0`, () => regularizer(variable));
    return;
  }
  if (context.kind !== 'graph') return;
  const outside = names.current;
  names.enter(`${variable.name}/Regularizer/`);
  try {
    const loss = regularizer(variable);
    if (loss !== null && loss !== undefined) context.collections.add(GraphKeys.REGULARIZATION_LOSSES, loss);
  } finally {
    names.restore(outside);
  }
}
