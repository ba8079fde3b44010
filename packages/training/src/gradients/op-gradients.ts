// Ports gradients of math_grad.py, nn_grad.py and array_grad.py (python/ops, TF 2.21) where tfjs's own give another value.
import * as tf from '@tensorflow/tfjs-core';
import { ARRANGEMENT_GRADIENTS, UNREGISTERED_GRADIENTS } from './arrangement-gradients.js';
import { ELEMENTWISE_GRADIENTS } from './elementwise-gradients.js';
import type { GradientFunction } from './forward-op.js';
import { POOL_GRADIENTS, registerPoolGradients } from './pool-gradients.js';
import { REDUCTION_GRADIENTS } from './reduction-gradients.js';
import { RESIZE_GRADIENTS } from './resize-gradients.js';
import { registerSegmentSum } from './segment-sum.js';

/** The second output is the first one's gradient: second-order gradients pass through it. */
const softmaxCrossEntropy: GradientFunction = ({ input, output }, dys) => {
  const [dy, second] = dys;
  const [logits, backprop] = [input('logits'), output(1)];
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
  ...ELEMENTWISE_GRADIENTS,
  ...REDUCTION_GRADIENTS,
  ...ARRANGEMENT_GRADIENTS,
  ...POOL_GRADIENTS,
  ...RESIZE_GRADIENTS,
  SoftmaxCrossEntropyWithLogits: softmaxCrossEntropy,
  StopGradient: () => ({}),
};

let ensured = false;

/** Registers what gradients need and tfjs lacks, once, before a forward pass is taped. */
export function ensureOpGradients(): void {
  if (ensured) return;
  ensured = true;
  registerPoolGradients();
  registerSegmentSum();
  for (const { kernel, inputs, outputs = [], gradient } of UNREGISTERED_GRADIENTS) {
    if (tf.getGradient(kernel) !== undefined) continue;
    tf.registerGradient({
      kernelName: kernel,
      inputsToSave: [...inputs],
      outputsToSave: [...outputs],
      gradFunc: (dys, saved, attrs) => {
        const given = [dys].flat();
        const kept = outputs.flatMap((save, i) => (save ? [i] : []));
        const functions = gradient(
          {
            kernel,
            inputNames: inputs,
            inputShapes: inputs.map((_, i) => saved[i]!.shape),
            attrs,
            isDynamic: false,
            isVariable: inputs.map(() => false),
            input: (name) => saved[inputs.indexOf(name)],
            output: (index) => (kept.includes(index) ? saved[inputs.length + kept.indexOf(index)] : undefined),
            outputs: given.map(({ shape, dtype }) => ({ shape, dtype })),
          },
          given,
        );
        return functions as Record<string, () => tf.Tensor>;
      },
    });
  }
}
