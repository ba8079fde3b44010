import type * as tf from '@tensorflow/tfjs-core';
import type { Constraint } from './creator-chain.js';

interface VariableFacts {
  readonly dtype: string;
  readonly constraint?: Constraint | undefined;
}

const factsOf = new WeakMap<tf.Variable, VariableFacts>();

/** Remembers of a variable what tfjs has no place for. */
export function recordFacts(variable: tf.Variable, facts: VariableFacts): void {
  factsOf.set(variable, facts);
}

/** The dtype that a variable was declared with: `float64` where tfjs holds it in `float32`. */
export function variableDType(variable: tf.Variable): string {
  return factsOf.get(variable)?.dtype ?? variable.dtype;
}

/** The constraint that a variable was declared with, for optimizers to apply after a step. */
export function variableConstraint(variable: tf.Variable): Constraint | undefined {
  return factsOf.get(variable)?.constraint;
}
