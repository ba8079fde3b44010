// TF's gradients of ops (python/ops/*_grad.py, TF 2.21) where tfjs's own take other ops, and so round otherwise.
import * as tf from '@tensorflow/tfjs-core';
import { IndexedSlices } from '../indexed-slices.js';
import { biasAddGrad } from './bias-add-grad.js';
import type { GradientFunction } from './forward-op.js';
import { OP_GRADIENTS } from './op-gradients.js';
import { reluGrad } from './relu-grad.js';

/** `x + bias` over the last axis is TensorFlow's BiasAdd; tensors of one shape take the gradient as it is. */
const add: GradientFunction = ({ inputNames, inputShapes }, dys) => {
  const dy = dys[0];
  const [a, b] = inputShapes;
  if (dy == null || a === undefined || b === undefined) return undefined;
  if (tf.util.arraysEqual([...a], [...b])) return { [inputNames[0]!]: () => dy, [inputNames[1]!]: () => dy };
  if (b.length !== 1 || a.length < 2 || b[0] !== a[a.length - 1]) return undefined;
  return { [inputNames[0]!]: () => dy, [inputNames[1]!]: () => biasAddGrad(dy) };
};

/** Rows of a variable: its gradient is those rows. */
const gather: GradientFunction = ({ inputNames, inputShapes, attrs, isVariable, input }, dys) => {
  const dy = dys[0];
  const axis = Number(attrs['axis'] ?? 0);
  if (dy == null || axis !== 0 || Number(attrs['batchDims'] ?? 0) !== 0 || !isVariable[0]) return undefined;
  const indices = input('indices');
  const shape = inputShapes[0]!;
  if (indices === undefined) return undefined;
  return {
    [inputNames[0]!]: () =>
      new IndexedSlices(
        tf.reshape(dy, [indices.size, ...shape.slice(1)]),
        tf.reshape(tf.cast(indices, 'int32'), [indices.size]),
        shape,
      ),
  };
};

/** By its output where that is to be had: it is the next op's input and is there anyway, as in TensorFlow. */
const relu: GradientFunction = ({ inputNames, input, output }, dys) => {
  const dy = dys[0];
  const features = output?.(0) ?? input(inputNames[0]!);
  if (dy?.dtype !== 'float32' || features?.dtype !== 'float32') return undefined;
  return { [inputNames[0]!]: () => reluGrad(dy, features) };
};

/** Gradients of ours, by kernel. */
export const GRADIENT_FUNCTIONS: Readonly<Record<string, GradientFunction>> = {
  ...OP_GRADIENTS,
  Add: add,
  GatherV2: gather,
  Relu: relu,
};

/** Kernels that gradients do not pass, and that are no mistake: what they give does not vary smoothly with an input. */
export const NOT_DIFFERENTIABLE: ReadonlySet<string> = new Set([
  'ArgMax',
  'ArgMin',
  'Equal',
  'NotEqual',
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
  'LogicalAnd',
  'LogicalOr',
  'LogicalNot',
  'IsNan',
  'IsInf',
  'IsFinite',
  'Shape',
  'Range',
  'NonMaxSuppressionV3',
  'RandomUniform',
  'RandomUniformInt',
  'RandomStandardNormal',
  'TruncatedNormal',
  'RandomShuffle',
  'RandomCategorical',
]);
