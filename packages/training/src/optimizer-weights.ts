import type * as tf from '@tensorflow/tfjs-core';
import { formatShape, sameShape } from '@tfparity/array';
import { TrainingError, valueError } from './training-error.js';

/** A tensor and the name of its variable, as TensorFlow.js's optimizers pass them. */
export interface NamedTensor {
  name: string;
  tensor: tf.Tensor;
}

function checkShape(optimizer: string, variable: tf.Variable, { name, tensor }: NamedTensor): tf.Tensor {
  if (sameShape(tensor.shape, variable.shape)) return tensor;
  throw valueError(
    `${optimizer}'s '${variable.name}' has the shape ${formatShape(variable.shape)}, and its weight '${name}' ${formatShape(tensor.shape)}`,
    { variable: variable.name, expected: variable.shape, actual: tensor.shape },
  );
}

/**
 * The weight of each variable.
 *
 * @throws {TrainingError} `LookupError` for a weight of no variable or a variable of no weight, `ValueError` for its shape
 */
export function weightsByName(
  optimizer: string,
  variables: readonly tf.Variable[],
  weights: readonly NamedTensor[],
): tf.Tensor[] {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const names = new Set(variables.map(({ name }) => name));
  for (const { name } of weights) {
    if (names.has(name)) continue;
    throw new TrainingError(
      'LookupError',
      `${optimizer} has no variable '${name}' to put a weight into; make its slots first (createSlots)`,
      { name, known: [...names] },
    );
  }
  return variables.map((variable) => {
    const weight = byName.get(variable.name);
    if (weight !== undefined) return checkShape(optimizer, variable, weight);
    throw new TrainingError('LookupError', `there is no weight for ${optimizer}'s variable '${variable.name}'`, {
      name: variable.name,
      given: [...byName.keys()],
    });
  });
}

/**
 * The weights in the order of the variables: a model that is loaded beside the one that was saved has other names.
 *
 * @throws {TrainingError} `LookupError` where there are more or fewer, `ValueError` where a shape is another
 */
export function weightsByOrder(
  optimizer: string,
  variables: readonly tf.Variable[],
  weights: readonly NamedTensor[],
): tf.Tensor[] {
  if (variables.length !== weights.length) {
    throw new TrainingError(
      'LookupError',
      `${optimizer} has ${variables.length} variables, and ${weights.length} weights wait for them under other names; train the variables that were trained when the weights were taken`,
      { variables: variables.map(({ name }) => name), weights: weights.map(({ name }) => name) },
    );
  }
  return variables.map((variable, i) => checkShape(optimizer, variable, weights[i]!));
}
