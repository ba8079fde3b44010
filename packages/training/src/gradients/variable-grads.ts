import * as tf from '@tensorflow/tfjs-core';
import { nameScope } from '@tfparity/variables';
import { type GradientAndVariable, tidyGradients } from '../gradient.js';
import { valueError } from '../training-error.js';
import { backpropagate } from './backprop.js';
import { ensureOpGradients } from './op-gradients.js';
import { sessionOrder } from './session-order.js';
import { recordTape } from './tape.js';

/** A loss and its gradients; the caller frees them. */
export interface VariableGrads {
  readonly value: tf.Scalar;
  /** In the order of the variables; null where the loss does not depend on one. */
  readonly gradients: readonly GradientAndVariable[];
}

/** Options of `variableGrads`. */
export interface VariableGradsOptions {
  /** Told of the gradient of every tensor between the loss and the variables, by the tensor's id, before it is freed. */
  readonly onGradient?: (tensorId: number, gradient: tf.Tensor) => void;
  /** Whether the sums are those of a session whose gradients are gated, as slim's train step has them; false unless said. */
  readonly gateGradients?: boolean;
}

/**
 * Runs a loss in eager code and returns its gradients by variables, summed as TF1's sessions sum them.
 *
 * Unlike `tf.variableGrads` it goes by the variables themselves and not by their names, a `gather` of a variable's rows
 * gives rows (`IndexedSlices`), and what the backward pass has used is freed on the way. Its ops are in the name scopes
 * `gradients/<forward op>_grad`, as those of a graph are.
 *
 * @param variables  every trainable variable where left out; a function is asked after the loss, whose first call may make them
 * @throws {TrainingError} `ValueError` where the loss is no float32 scalar, `LookupError` for an op without a gradient
 */
export function variableGrads(
  loss: () => tf.Scalar,
  variables?: readonly tf.Variable[] | (() => readonly tf.Variable[]),
  { onGradient, gateGradients }: VariableGradsOptions = {},
): VariableGrads {
  ensureOpGradients();
  const { value, nodes, release } = recordTape(loss);
  try {
    const all =
      (typeof variables === 'function' ? variables() : variables) ??
      Object.values(tf.engine().registeredVariables).filter((variable) => variable.trainable);
    if (value.rank !== 0 || value.dtype !== 'float32') {
      throw valueError(`the loss has to be a float32 scalar; it is ${value.dtype} of shape [${value.shape}]`, {
        shape: value.shape,
        dtype: value.dtype,
      });
    }
    const gradients = tidyGradients(() =>
      nameScope('gradients/', () =>
        backpropagate({
          nodes,
          ys: [{ key: value.id, gradient: tf.ones([]) }],
          xs: all.map((variable) => variable.id),
          stop: new Set(),
          sum: sessionOrder(gateGradients),
          onGradient: onGradient && ((key, gradient) => onGradient(key as number, gradient)),
        }),
      ),
    );
    return { value, gradients: all.map((variable, i) => [gradients[i]!, variable] as const) };
  } finally {
    release();
  }
}
