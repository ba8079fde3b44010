import * as tf from '@tensorflow/tfjs-core';
import { currentContext } from '@tfparity/variables';
import type { IndexedSlices } from './indexed-slices.js';

/** A gradient: dense, rows of the variable, or null where the loss does not depend on the variable. */
export type Gradient = tf.Tensor | IndexedSlices | null;

/** A gradient and the variable that it is to change. */
export type GradientAndVariable = readonly [gradient: Gradient, variable: tf.Variable];

/** Runs `body`; in eager code frees what it made but the gradients that it returns. */
export function tidyGradients(body: () => Gradient[]): Gradient[] {
  if (currentContext().kind === 'graph') return body();
  let result: Gradient[] = [];
  tf.tidy(() => {
    result = body();
    return result.flatMap((gradient) =>
      gradient === null ? [] : gradient instanceof tf.Tensor ? [gradient] : [gradient.values, gradient.indices],
    );
  });
  return result;
}

/** Runs `body`; in eager code frees the tensors that it made (a graph's are freed with it). */
export function tidyInEager<R>(body: () => R): R {
  if (currentContext().kind === 'graph') return body();
  let result: R | undefined;
  tf.tidy(() => {
    result = body();
  });
  return result as R;
}
