// Ports variable creators (python/ops/variables.py `_variable_v1_call`, TF 2.21).
import type * as tf from '@tensorflow/tfjs-core';

/** Keeps a variable's value within bounds after an optimizer's step; held for optimizers, not applied by variables. */
export type Constraint = (value: tf.Tensor) => tf.Tensor;

/** How a variable's reads are synchronised between replicas; one process needs only the names. */
export type Synchronization = 'AUTO' | 'NONE' | 'ON_WRITE' | 'ON_READ';

/** How updates of replicas are put together; one process needs only the names. */
export type Aggregation = 'NONE' | 'SUM' | 'MEAN' | 'ONLY_FIRST_REPLICA';

/** The arguments that creators see and may change before the variable is made. */
export interface VariableOptions {
  /** The full path from `getVariable`; as given from `variable()` and tfjs. */
  readonly name: string | undefined;
  /** Computes the initial value; each call draws anew, so the bottom of the chain calls it once. */
  readonly initialValue: () => tf.Tensor;
  readonly shape: readonly number[] | undefined;
  readonly dtype: string;
  readonly trainable: boolean;
  readonly constraint?: Constraint | undefined;
  readonly collections?: readonly string[] | undefined;
  readonly synchronization?: Synchronization;
  readonly aggregation?: Aggregation;
  readonly validateShape?: boolean;
  /** Who asks: `getVariable`, this package's `variable()`, or tfjs itself (`tf.variable`, weights of tf.layers). */
  readonly origin: 'getVariable' | 'variable' | 'engine';
}

/** Makes a variable, or passes changed arguments on to `next`, or returns another variable instead. */
export type VariableCreator = (
  next: (options: VariableOptions) => tf.Variable,
  options: VariableOptions,
) => tf.Variable;

/** An open creator scope. */
export interface CreatorScope {
  readonly creator: VariableCreator;
}

/** Runs the creators, innermost first, down to `bottom`, which makes the variable. */
export function createThroughCreators(
  creators: readonly CreatorScope[],
  options: VariableOptions,
  bottom: (options: VariableOptions) => tf.Variable,
): tf.Variable {
  const call = (index: number, current: VariableOptions): tf.Variable => {
    const scope = creators[index];
    return scope === undefined ? bottom(current) : scope.creator((changed) => call(index - 1, changed), current);
  };
  return call(creators.length - 1, options);
}
