import * as tf from '@tensorflow/tfjs-core';
import type { Gradient } from '../gradient.js';
import { TrainingError } from '../training-error.js';
import { type ForwardOp, zerosOf } from './forward-op.js';
import { GRADIENT_FUNCTIONS, NOT_DIFFERENTIABLE } from './gradient-functions.js';

/** What tfjs's gradients return: a function per input, which computes its gradient. */
export type NamedGradients = Record<string, () => tf.Tensor>;

/** A gradient as tfjs registers it, bound to what was saved. */
export type BoundGradient = (dys: tf.Tensor | tf.Tensor[]) => NamedGradients;

/** An op whose inputs' gradients are to be computed. */
export interface GradientCall {
  readonly op: ForwardOp;
  /** For messages: the op's name in a graph. */
  readonly name: string;
  /** tfjs's own; undefined where the kernel has none. */
  readonly gradient: BoundGradient | undefined;
}

/** The gradients of the wanted inputs: TensorFlow's where we have them, else tfjs's. */
export function inputGradients(
  call: GradientCall,
  dys: readonly (tf.Tensor | null)[],
  wanted: readonly boolean[],
): Gradient[] {
  const { op, gradient } = call;
  const ours = GRADIENT_FUNCTIONS[op.kernel]?.(op, dys);
  if (ours === undefined && gradient === undefined) {
    if (NOT_DIFFERENTIABLE.has(op.kernel)) return op.inputNames.map(() => null);
    throw new TrainingError(
      'LookupError',
      `No gradient defined for operation '${call.name}' (op type: ${op.kernel}); register one with tf.registerGradient`,
      { op: call.name, kernel: op.kernel },
    );
  }
  const results: Gradient[] = op.inputNames.map(() => null);
  const kept: tf.Tensor[] = [];
  tf.tidy(() => {
    const functions = ours ?? gradient!(filled(call, dys));
    op.inputNames.forEach((name, i) => {
      const compute = (functions as Record<string, (() => Gradient) | undefined>)[name];
      if (!wanted[i] || compute === undefined) return;
      const result = compute();
      results[i] = result;
      if (result instanceof tf.Tensor) kept.push(result);
      else if (result !== null) kept.push(result.values, result.indices);
    });
    return kept;
  });
  return results;
}

/** tfjs's gradients take zeros for outputs that nothing depends on. */
function filled({ op }: GradientCall, dys: readonly (tf.Tensor | null)[]): tf.Tensor | tf.Tensor[] {
  const all = dys.map((dy, i) => dy ?? zerosOf(op, i));
  return all.length > 1 ? all : all[0]!;
}
