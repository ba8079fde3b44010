// Ports tf.clip_by_value, clip_by_norm, global_norm and clip_by_global_norm (python/ops/clip_ops.py, TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { l2Loss } from '@tfparity/layers';
import { type Gradient, type GradientAndVariable, tidyGradients } from './gradient.js';
import { IndexedSlices } from './indexed-slices.js';

/** A gradient with its values replaced. */
function withValues(gradient: tf.Tensor | IndexedSlices, change: (values: tf.Tensor) => tf.Tensor): Gradient {
  if (gradient instanceof tf.Tensor) return change(gradient);
  return new IndexedSlices(change(gradient.values), tf.clone(gradient.indices), gradient.denseShape);
}

function valuesOf(gradient: tf.Tensor | IndexedSlices): tf.Tensor {
  return gradient instanceof tf.Tensor ? gradient : gradient.values;
}

/** Every value between `min` and `max`. */
export function clipByValue(gradient: tf.Tensor | IndexedSlices, min: number, max: number): Gradient {
  return withValues(gradient, (values) => tf.minimum(tf.maximum(values, tf.scalar(min)), tf.scalar(max)));
}

/** `values * clipNorm / max(norm, clipNorm)`, the norm taken over all values (of rows: over the rows). */
export function clipByNorm(gradient: tf.Tensor | IndexedSlices, clipNorm: number): Gradient {
  return tidyGradients(() => [
    withValues(gradient, (values) => {
      const squares = tf.sum(tf.mul(values, values));
      const positive = tf.greater(squares, 0);
      // The gradient of sqrt at zero is infinite: zero stays zero without it.
      const norm = tf.where(positive, tf.sqrt(tf.where(positive, squares, tf.onesLike(squares))), squares);
      return tf.div(tf.mul(values, tf.scalar(clipNorm)), tf.maximum(norm, tf.scalar(clipNorm)));
    }),
  ])[0]!;
}

/** The root of the sum of the squares of all values; entries that are null count for nothing, and of none it is 0. */
export function globalNorm(gradients: readonly Gradient[]): tf.Scalar {
  if (gradients.every((gradient) => gradient === null)) return tf.scalar(0);
  const body = () => {
    const halves = gradients.filter((gradient) => gradient !== null).map((gradient) => l2Loss(valuesOf(gradient)));
    return tf.sqrt(tf.mul(tf.sum(tf.stack(halves)), tf.scalar(2))) as tf.Scalar;
  };
  return tidyGradients(() => [body()])[0] as tf.Scalar;
}

/** Gradients scaled together so that their global norm is at most `clipNorm`; NaN where the norm is not finite. */
export function clipByGlobalNorm(
  gradients: readonly Gradient[],
  clipNorm: number,
  useNorm?: tf.Scalar,
): { readonly clipped: Gradient[]; readonly norm: tf.Scalar } {
  const norm = useNorm ?? globalNorm(gradients);
  const clipped = tidyGradients(() => {
    const one = tf.scalar(1);
    const scale = tf.mul(tf.scalar(clipNorm), tf.minimum(tf.div(one, norm), tf.div(one, tf.scalar(clipNorm))));
    // Infinity minus itself is NaN: a norm that overflowed must not pass for a small step.
    const finite = tf.add(scale, tf.sub(norm, norm));
    return gradients.map((gradient) =>
      gradient === null ? null : withValues(gradient, (values) => tf.mul(values, finite)),
    );
  });
  return { clipped, norm };
}

/** slim's `clip_gradient_norms`: each gradient by its own norm. */
export function clipGradientNorms(gradients: readonly GradientAndVariable[], maxNorm: number): GradientAndVariable[] {
  return gradients.map(([gradient, variable]) => [gradient === null ? null : clipByNorm(gradient, maxNorm), variable]);
}
