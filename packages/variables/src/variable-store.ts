import type * as tf from '@tensorflow/tfjs-core';

/**
 * Variables by full name, in creation order: a graph's, or those of one object with a shim.
 *
 * Ports `_VariableStore` and `_EagerVariableStore` (python/ops/variable_scope.py; tf_keras variable_scope_shim.py,
 * TF 2.21) as the data; the rules are in `get-variable.ts`.
 */
export class VariableStore {
  readonly variables = new Map<string, tf.Variable>();
  /** A shim's regularization losses: a function by `<variable name>:0`, or by the key of a layer. */
  readonly regularizers = new Map<string, () => tf.Tensor | null>();
  /** Layers made by `getOrCreateLayer`. */
  readonly layers = new Map<string, object>();
  /** What stands for a partitioned variable, by its full name; its slices are among `variables`. */
  readonly partitioned = new Map<string, object>();
  /** With strict rules: the keys that the running call has seen, for each call is a fresh TF1 graph. */
  seen = new Set<string>();

  /**
   * @param kind `graph`: TF1's reuse rules. `shim`: a variable that exists is always reused. `strictShim`: TF1's rules
   * within each call of the decorated method.
   */
  constructor(readonly kind: 'graph' | 'shim' | 'strictShim') {}

  /** Whether reuse is checked as TF1 does it. */
  get strict(): boolean {
    return this.kind !== 'shim';
  }

  /** Whether TF1's rules take the variable to exist. */
  exists(name: string): boolean {
    return this.kind === 'strictShim' ? this.seen.has(name) : this.variables.has(name);
  }
}
