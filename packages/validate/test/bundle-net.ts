// The net of bundles/small-net/small_net.py, migrated.
import * as tf from '@tensorflow/tfjs-core';
import { averagePooling2d, batchNormalization, conv2d, dense, dropout, flatten } from '@tfparity/layers';
import { variableScope } from '@tfparity/variables';
import type { ModelInputs, TensorTree } from '../src/index.js';

/** Outputs as the Python net gives them. */
export function bundleNet(inputs: ModelInputs<tf.Tensor>, { training }: { training: boolean }): TensorTree {
  return variableScope('net', () => {
    const images = inputs as tf.Tensor;
    let x = conv2d(images, {
      filters: 6,
      kernelSize: 3,
      strides: 2,
      padding: 'same',
      kernelRegularizer: 'l2',
      name: 'conv',
    });
    x = tf.relu(batchNormalization(x, { momentum: 0.9, training, name: 'norm' }));
    const branches = [
      conv2d(x, { filters: 3, kernelSize: 1, activation: tf.relu, name: 'a' }),
      conv2d(x, { filters: 3, kernelSize: 3, padding: 'same', activation: tf.relu, name: 'b' }),
    ];
    x = flatten(averagePooling2d(tf.concat(branches, 3), { poolSize: 2, strides: 2 }));
    const logits = dense(dropout(x, { rate: 0.25, training }), { units: 4, name: 'logits' });
    return { logits, endPoints: { branches, predictions: tf.softmax(logits) } };
  });
}
