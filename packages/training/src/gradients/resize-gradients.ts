// Ports the gradients of ResizeBilinear and ResizeNearestNeighbor with half_pixel_centers (kernels/resize_*_op.cc, TF 2.21), which tfjs's own take for resizings without.
import * as tf from '@tensorflow/tfjs-core';
import { TrainingError } from '../training-error.js';
import type { GradientFunction } from './forward-op.js';

const { fround } = Math;

/** Which pixels of a row of `from` make which of a row of `to`: [from, to]. */
type Weights = (from: number, to: number) => Float32Array;

const bilinear: Weights = (from, to) => {
  const weights = new Float32Array(from * to);
  const scale = fround(from / to);
  for (let i = 0; i < to; i++) {
    const at = fround(fround(fround(i + 0.5) * scale) - 0.5);
    const floor = Math.floor(at);
    const part = fround(at - floor);
    weights[Math.max(floor, 0) * to + i]! += fround(1 - part);
    weights[Math.min(Math.ceil(at), from - 1) * to + i]! += part;
  }
  return weights;
};

const nearest: Weights = (from, to) => {
  const weights = new Float32Array(from * to);
  const scale = fround(from / to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.floor(fround(fround(i + 0.5) * scale)), from - 1);
    weights[Math.max(at, 0) * to + i] = 1;
  }
  return weights;
};

/** A resizing is linear in its image: its gradient goes back by the same weights. */
function resize(weights: Weights): GradientFunction {
  return ({ kernel, inputNames, inputShapes, attrs, isDynamic }, dys) => {
    const dy = dys[0];
    if (dy == null || attrs['halfPixelCenters'] !== true) return undefined;
    if (isDynamic) {
      throw new TrainingError(
        'NotImplemented',
        `the gradient of ${kernel} with half pixel centers needs every size, and a placeholder before it has unknown ones: give it its whole shape`,
        { kernel },
      );
    }
    const [batch, height, width, channels] = inputShapes[0] as [number, number, number, number];
    const [, rows, columns] = dy.shape as [number, number, number, number];
    return {
      [inputNames[0]!]: () => {
        const back = (from: number, to: number) => tf.tensor3d(weights(from, to), [1, from, to]);
        const high = tf.matMul(back(height, rows), tf.reshape(dy, [batch, rows, columns * channels]));
        const wide = tf.matMul(back(width, columns), tf.reshape(high, [batch * height, columns, channels]));
        return tf.reshape(wide, [batch, height, width, channels]);
      },
    };
  };
}

/** By kernel. */
export const RESIZE_GRADIENTS: Readonly<Record<string, GradientFunction>> = {
  ResizeBilinear: resize(bilinear),
  ResizeNearestNeighbor: resize(nearest),
};
