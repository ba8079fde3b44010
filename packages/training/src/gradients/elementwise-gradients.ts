// Ports gradients of element-wise ops (python/ops/math_grad.py, nn_grad.py; kernels/relu_op_functor.h; TF 2.21) where tfjs's own differ at edges.
import * as tf from '@tensorflow/tfjs-core';
import { sumTo } from './broadcast.js';
import type { ForwardOp, GradientFunction } from './forward-op.js';
import { signOf } from './sign.js';

const SELU_SCALE = 1.0507009873554805;
const SELU_SCALE_ALPHA = 1.7580993408473768;

/** Ops that TensorFlow gives None for: the variable behind is left alone, where a zero would still decay its slots. */
const none: GradientFunction = () => ({});

/** The gradient of an op of one input. */
function unary(gradient: (dy: tf.Tensor, x: tf.Tensor, op: ForwardOp) => tf.Tensor): GradientFunction {
  return (op, dys) => {
    const [dy, x] = [dys[0], op.input(op.inputNames[0]!)];
    if (dy == null || x === undefined) return undefined;
    return { [op.inputNames[0]!]: () => gradient(dy, x, op) };
  };
}

/** The gradient of an op of two inputs that broadcast. */
function binary(
  gradient: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => readonly [a: () => tf.Tensor, b: () => tf.Tensor],
): GradientFunction {
  return ({ inputNames, inputShapes, input }, dys) => {
    const [aName, bName] = inputNames as [string, string];
    const [dy, a, b] = [dys[0], input(aName), input(bName)];
    if (dy == null || a === undefined || b === undefined) return undefined;
    const [da, db] = gradient(dy, a, b);
    return { [aName]: () => sumTo(da(), inputShapes[0]!), [bName]: () => sumTo(db(), inputShapes[1]!) };
  };
}

const mask = (condition: tf.Tensor) => tf.cast(condition, 'float32');

/** To whom `chosen` says, all of dy; the other has nothing, whatever dy is. */
function choose(dy: tf.Tensor, chosen: tf.Tensor) {
  return [() => tf.where(chosen, dy, tf.zerosLike(dy)), () => tf.where(chosen, tf.zerosLike(dy), dy)] as const;
}

/** By kernel. */
export const ELEMENTWISE_GRADIENTS: Readonly<Record<string, GradientFunction>> = {
  Floor: none,
  Ceil: none,
  Round: none,
  Step: none,
  FloorDiv: none,
  OnesLike: none,
  ZerosLike: none,
  OneHot: none,
  // sign(0) is 0, where tfjs takes -1.
  Abs: unary((dy, x) => tf.mul(dy, signOf(x))),
  Relu6: unary((dy, x) => tf.mul(dy, mask(tf.logicalAnd(tf.greater(x, 0), tf.less(x, 6))))),
  Elu: ({ inputNames, output }, dys) => {
    const [dy, y] = [dys[0], output(0)];
    if (dy == null || y === undefined) return undefined;
    return { [inputNames[0]!]: () => tf.where(tf.less(y, 0), tf.mul(tf.add(y, 1), dy), dy) };
  },
  Selu: unary((dy, x, { output }) => {
    const y = output(0) ?? tf.selu(x);
    return tf.where(tf.less(y, 0), tf.mul(dy, tf.add(y, SELU_SCALE_ALPHA)), tf.mul(dy, SELU_SCALE));
  }),
  // Keras's formula, which TF1's programs have: relu(x) - alpha * relu(-x).
  Prelu: binary((dy, x, alpha) => [
    () => tf.add(tf.mul(dy, mask(tf.greater(x, 0))), tf.mul(tf.mul(dy, alpha), mask(tf.less(x, 0)))),
    () => tf.mul(tf.neg(dy), tf.relu(tf.neg(x))),
  ]),
  Rsqrt: unary((dy, x, { output }) => {
    const y = output(0) ?? tf.rsqrt(x);
    return tf.mul(tf.mul(tf.mul(dy, y), -0.5), tf.mul(y, y));
  }),
  // TensorFlow multiplies by reciprocals where tfjs divides.
  Log: unary((dy, x) => tf.mul(dy, tf.reciprocal(x))),
  Log1p: unary((dy, x) => tf.mul(dy, tf.reciprocal(tf.add(x, 1)))),
  Acos: unary((dy, x) => tf.mul(tf.neg(dy), tf.reciprocal(tf.sqrt(tf.sub(1, tf.square(x)))))),
  Asin: unary((dy, x) => tf.mul(dy, tf.reciprocal(tf.sqrt(tf.sub(1, tf.square(x)))))),
  Atan: unary((dy, x) => tf.mul(dy, tf.reciprocal(tf.add(1, tf.square(x))))),
  Atanh: unary((dy, x) => tf.mul(dy, tf.reciprocal(tf.sub(1, tf.square(x))))),
  Tan: unary((dy, x) => tf.mul(tf.square(tf.reciprocal(tf.cos(x))), dy)),
  Erf: unary((dy, x) => tf.mul(tf.mul(dy, 2 / Math.sqrt(Math.PI)), tf.exp(tf.neg(tf.square(x))))),
  Reciprocal: unary((dy, x, { output }) => {
    const y = output(0) ?? tf.reciprocal(x);
    return tf.mul(tf.mul(tf.neg(dy), y), y);
  }),
  Softmax: ({ inputNames, attrs, output }, dys) => {
    const [dy, y] = [dys[0], output(0)];
    if (dy == null || y === undefined) return undefined;
    const total = () => tf.sum(tf.mul(dy, y), attrs['dim'] as number, true);
    return { [inputNames[0]!]: () => tf.mul(tf.sub(dy, total()), y) };
  },
  Atan2: binary((dy, y, x) => {
    const part = () => tf.div(dy, tf.add(tf.square(x), tf.square(y)));
    return [() => tf.mul(x, part()), () => tf.mul(tf.neg(y), part())];
  }),
  Acosh: unary((dy, x, { output }) => tf.div(dy, tf.sinh(output(0) ?? tf.acosh(x)))),
  Asinh: unary((dy, x, { output }) => tf.div(dy, tf.cosh(output(0) ?? tf.asinh(x)))),
  Maximum: binary((dy, a, b) => choose(dy, tf.greaterEqual(a, b))),
  Minimum: binary((dy, a, b) => choose(dy, tf.lessEqual(a, b))),
  SquaredDifference: binary((dy, a, b) => {
    const twice = () => tf.mul(tf.mul(dy, 2), tf.sub(a, b));
    return [twice, () => tf.neg(twice())];
  }),
  // By a quotient twice, and not by the square of b, which leaves the range of float32.
  RealDiv: binary((dy, a, b) => [() => tf.div(dy, b), () => tf.mul(dy, tf.div(tf.div(tf.neg(a), b), b))]),
  Pow: binary((dy, a, b) => {
    const positive = tf.greater(a, 0);
    const log = () => tf.where(positive, tf.log(tf.where(positive, a, tf.onesLike(a))), tf.zerosLike(a));
    return [() => tf.mul(tf.mul(dy, b), tf.pow(a, tf.sub(b, 1))), () => tf.mul(tf.mul(dy, tf.pow(a, b)), log())];
  }),
  // A choice, and no product: what is not chosen has nothing, be dy infinite.
  Select: (op, dys) => {
    const [dy, condition] = [dys[0], op.input('condition')];
    if (dy == null || condition === undefined) return undefined;
    const [t, e] = choose(dy, condition);
    return { t, e };
  },
};
