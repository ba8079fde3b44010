// Ports gradients of math_grad.py, nn_grad.py and array_grad.py (python/ops, TF 2.21) where tfjs's own give another value.
import * as tf from '@tensorflow/tfjs-core';
import type { ForwardOp, GradientFunction } from './gradient-functions.js';

/** A gradient by an op's first input, from its value; undefined (tfjs's own) where that was not kept. */
function ofInput(compute: (dy: tf.Tensor, x: tf.Tensor, op: ForwardOp) => tf.Tensor): GradientFunction {
  return (op, dys) => {
    const dy = dys[0];
    const name = op.inputNames[0]!;
    const x = op.input(name);
    return dy == null || x === undefined ? undefined : { [name]: () => compute(dy, x, op) };
  };
}

/** What gradients do not pass: none, where tfjs gives zeros, which would still decay an optimizer's slots. */
const none: GradientFunction = () => ({});

const float = (condition: tf.Tensor) => tf.cast(condition, 'float32');

function reducedAxes({ attrs, inputShapes }: ForwardOp): number[] {
  const given = (attrs['reductionIndices'] ?? attrs['axis']) as number | readonly number[] | null | undefined;
  const rank = inputShapes[0]!.length;
  const axes = given == null || [given].flat().length === 0 ? inputShapes[0]!.map((_, axis) => axis) : [given].flat();
  return axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
}

/** A reduced tensor with its axes put back as ones. */
function expanded(reduced: tf.Tensor, op: ForwardOp): tf.Tensor {
  if (op.attrs['keepDims'] === true && reduced.rank === op.inputShapes[0]!.length) return reduced;
  return reducedAxes(op).reduce((tensor, axis) => tf.expandDims(tensor, axis), reduced);
}

/** Each of several equal extremes takes its share. */
const extreme = (reduce: typeof tf.max) =>
  ofInput((dy, x, op) => {
    const axes = reducedAxes(op);
    const chosen = float(tf.equal(x, reduce(x, axes, true)));
    return tf.mul(tf.div(chosen, tf.sum(chosen, axes, true)), expanded(dy, op));
  });

const SELU_SCALE = 1.0507009873554805;
const SELU_SCALE_ALPHA = 1.7580993408473766;

/** By the output, as TensorFlow has it: at zero it is the scale. */
const selu = ofInput((dy, x) => {
  const below = tf.mul(dy, tf.add(tf.selu(x), tf.scalar(SELU_SCALE_ALPHA)));
  return tf.where(tf.less(x, 0), below, tf.mul(dy, tf.scalar(SELU_SCALE)));
});

/** Of a placeholder whose size is not known the recorded shape says nothing: the sum's gradient follows the tensor. */
const sum: GradientFunction = (op, dys) => {
  const x = op.isDynamic ? op.input(op.inputNames[0]!) : undefined;
  const dy = dys[0];
  if (dy == null || x === undefined) return undefined;
  return { [op.inputNames[0]!]: () => tf.mul(expanded(dy, op), tf.onesLike(x)) };
};

/** The same for a mean, whose divisor is not known either. */
const mean: GradientFunction = (op, dys) => {
  const x = op.isDynamic ? op.input(op.inputNames[0]!) : undefined;
  const dy = dys[0];
  if (dy == null || x === undefined) return undefined;
  return {
    [op.inputNames[0]!]: () => {
      const ones = tf.onesLike(x);
      return tf.div(tf.mul(expanded(dy, op), ones), tf.sum(ones, reducedAxes(op), true));
    },
  };
};

/** The second output is the first one's gradient: second-order gradients pass through it. */
const softmaxCrossEntropy: GradientFunction = ({ input, output }, dys) => {
  const [dy, second] = dys;
  const [logits, backprop] = [input('logits'), output?.(1)];
  if (second == null || logits === undefined || backprop === undefined) return undefined;
  const softmax = tf.softmax(logits);
  const along = tf.sub(second, tf.sum(tf.mul(second, softmax), -1, true));
  const first = dy == null ? null : tf.expandDims(dy, -1);
  return {
    logits: () => {
      const curvature = tf.mul(along, softmax);
      return first === null ? curvature : tf.add(tf.mul(first, backprop), curvature);
    },
    ...(first === null ? {} : { labels: () => tf.mul(first, tf.neg(tf.logSoftmax(logits))) }),
  };
};

/** Gradients by kernel. */
export const OP_GRADIENTS: Readonly<Record<string, GradientFunction>> = {
  Abs: ofInput((dy, x) => tf.mul(dy, tf.sign(x))),
  Max: extreme(tf.max),
  Min: extreme(tf.min),
  Mean: mean,
  Relu6: ofInput((dy, x) => tf.mul(dy, float(tf.logicalAnd(tf.greater(x, 0), tf.less(x, 6))))),
  Selu: selu,
  SoftmaxCrossEntropyWithLogits: softmaxCrossEntropy,
  Sum: sum,
  Ceil: none,
  Floor: none,
  OneHot: none,
  OnesLike: none,
  Round: none,
  StopGradient: none,
  ZerosLike: none,
};

let ensured = false;

/** Registers the gradients of kernels for which tfjs has none, once, before a forward pass is taped. */
export function ensureOpGradients(): void {
  if (ensured) return;
  ensured = true;
  if (tf.getGradient('TopK') !== undefined) return;
  tf.registerGradient({
    kernelName: 'TopK',
    inputsToSave: ['x'],
    outputsToSave: [false, true],
    // What each of the largest was, at its place in its row.
    gradFunc: (dys, saved) => {
      const [x, indices] = saved as [tf.Tensor, tf.Tensor];
      const dy = (dys as tf.Tensor[])[0]!;
      const places = float(tf.oneHot(tf.cast(indices, 'int32') as tf.Tensor1D, x.shape.at(-1)!));
      return { x: () => tf.sum(tf.mul(places, tf.expandDims(dy, -1)), -2) };
    },
  });
}
