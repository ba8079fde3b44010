// Ports tf.nn.softmax_cross_entropy_with_logits and its gradient (python/ops/nn_ops.py, nn_grad.py; kernels/xent_op.h; TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { defineKernel } from '../training-kernel.js';

const KERNEL = 'SoftmaxCrossEntropyWithLogits';

function lossAndBackprop(logits: Float32Array, labels: Float32Array, classes: number): [Float32Array, Float32Array] {
  const rows = logits.length / classes;
  const loss = new Float32Array(rows);
  const backprop = new Float32Array(logits.length);
  const { fround } = Math;
  for (let row = 0; row < rows; row++) {
    const at = row * classes;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < classes; i++) max = Math.max(max, logits[at + i]!);
    // The sums are kept in double precision and rounded once.
    let sum = 0;
    for (let i = 0; i < classes; i++) sum += Math.exp(fround(logits[at + i]! - max));
    const log = Math.log(sum);
    let total = 0;
    for (let i = 0; i < classes; i++) {
      const shifted = fround(logits[at + i]! - max);
      const label = labels[at + i]!;
      // A label of zero counts as nothing, even beside an infinite logit.
      if (label !== 0) total += label * (log - shifted);
      backprop[at + i] = Math.exp(shifted) / sum - label;
    }
    loss[row] = total;
  }
  return [loss, backprop];
}

/**
 * The cross entropy of each row between `labels` (probabilities) and the softmax of `logits`, as TensorFlow's one op.
 *
 * @param labels  [rows, classes]
 * @param logits  [rows, classes]
 * @returns [rows]
 */
export function softmaxCrossEntropyWithLogits(labels: tf.Tensor2D, logits: tf.Tensor2D): tf.Tensor1D {
  defineKernel({
    name: KERNEL,
    native: { op: KERNEL, inputs: ['logits', 'labels'], outputs: 2 },
    portable: ([info], read) => {
      const [rows, classes] = info!.shape as [number, number];
      const [loss, backprop] = lossAndBackprop(read(0), read(1), classes);
      return [
        { shape: [rows], values: loss },
        { shape: [rows, classes], values: backprop },
      ];
    },
    gradient: {
      kernelName: KERNEL,
      inputsToSave: ['logits'],
      outputsToSave: [false, true],
      gradFunc: (dys, saved) => {
        const [logits, backprop] = saved as [tf.Tensor, tf.Tensor];
        const dy = tf.expandDims((dys as tf.Tensor[])[0]!, -1);
        return {
          logits: () => tf.mul(dy, backprop),
          labels: () => tf.mul(dy, tf.neg(tf.logSoftmax(logits))),
        };
      },
    },
  });
  return tf.engine().runKernel<tf.Tensor[]>(KERNEL, { logits, labels })[0] as tf.Tensor1D;
}
