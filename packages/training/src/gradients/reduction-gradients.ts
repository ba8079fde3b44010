// Ports gradients of reductions and cumulative ops (python/ops/math_grad.py, TF 2.21) where tfjs's own differ, or there are none.
import * as tf from '@tensorflow/tfjs-core';
import { axesOf, keepDims } from './broadcast.js';
import type { GradientFunction } from './forward-op.js';

/** The greatest or least share the gradient where there are several. */
function extreme(axis: string): GradientFunction {
  return ({ inputNames, inputShapes, attrs, input, output }, dys) => {
    const [dy, x, y] = [dys[0], input(inputNames[0]!), output(0)];
    if (dy == null || x === undefined || y === undefined) return undefined;
    const rank = inputShapes[0]!.length;
    const axes = axesOf(attrs[axis], rank);
    return {
      [inputNames[0]!]: () => {
        const selected = tf.cast(tf.equal(keepDims(y, axes, rank), x), 'float32');
        return tf.mul(tf.div(selected, tf.sum(selected, axes, true)), keepDims(dy, axes, rank));
      },
    };
  };
}

/** The gradient of a sum, for each of its terms. The ones are of x itself: its sizes may not be known yet. */
function spread(dy: tf.Tensor, x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  return tf.mul(keepDims(dy, axes, x.rank), tf.onesLike(x));
}

const sum: GradientFunction = ({ inputNames, attrs, input }, dys) => {
  const [dy, x] = [dys[0], input(inputNames[0]!)];
  if (dy == null || x?.dtype !== 'float32') return undefined;
  return { [inputNames[0]!]: () => spread(dy, x, axesOf(attrs['axis'], x.rank)) };
};

const mean: GradientFunction = ({ inputNames, attrs, input, isDynamic }, dys) => {
  const [dy, x] = [dys[0], input(inputNames[0]!)];
  if (dy == null || x?.dtype !== 'float32') return undefined;
  const axes = axesOf(attrs['axis'], x.rank);
  const count = () =>
    isDynamic
      ? tf.sum(tf.onesLike(x), axes, true)
      : tf.scalar(axes.reduce((product, axis) => product * x.shape[axis]!, 1));
  return { [inputNames[0]!]: () => tf.div(spread(dy, x, axes), count()) };
};

/** tfjs's own, but for axes that are counted from the end. */
const prod: GradientFunction = ({ inputNames, attrs, input }, dys) => {
  const [dy, x] = [dys[0], input(inputNames[0]!)];
  if (dy == null || x === undefined) return undefined;
  const { gradFunc } = tf.getGradient('Prod');
  return gradFunc(dy, [x], { ...attrs, axis: axesOf(attrs['axis'], x.rank) }) as Record<string, () => tf.Tensor>;
};

/** What cumulative ops say of themselves. */
export interface Cumulative {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}

/** tfjs's own transposes what it has summed, unless the axis is the last. */
const cumsum: GradientFunction = ({ inputNames, attrs }, dys) => {
  const dy = dys[0];
  if (dy == null) return undefined;
  const { axis, exclusive, reverse } = attrs as unknown as Cumulative;
  return { [inputNames[0]!]: () => tf.cumsum(dy, axis, exclusive, !reverse) };
};

/** By kernel. */
export const REDUCTION_GRADIENTS: Readonly<Record<string, GradientFunction>> = {
  Max: extreme('reductionIndices'),
  Min: extreme('axis'),
  Sum: sum,
  Mean: mean,
  Prod: prod,
  Cumsum: cumsum,
};
