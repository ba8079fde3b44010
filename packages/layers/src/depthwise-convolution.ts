// Ports tf.nn.depthwise_conv2d with a rate (python/ops/nn_impl.py and nn_ops.with_space_to_batch, TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { valueError } from './layers-error.js';
import { checkWindow } from './window.js';

type Pair = [number, number];

/**
 * Depthwise convolution of images, channels last, filter [height, width, in, multiplier].
 *
 * With dilations it gathers the pixels that belong together into batches and convolves those, as TensorFlow does, whose
 * kernel on the CPU knows no dilations.
 * @throws {LayersError} `ValueError` for dilations with strides, or a window that does not fit.
 */
export function depthwiseConvolution(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  strides: Pair,
  padding: 'same' | 'valid',
  dilations: Pair = [1, 1],
): tf.Tensor4D {
  checkWindow('DepthwiseConv2dNative', x.shape, filter.shape.slice(0, 2), padding, dilations);
  if (dilations.every((d) => d === 1)) return tf.depthwiseConv2d(x, filter, strides, padding);
  if (strides.some((s) => s > 1)) throw valueError('strides > 1 not supported in conjunction with dilation_rate > 1');
  const pads: Pair[] = [];
  const crops: Pair[] = [];
  for (const axis of [0, 1] as const) {
    const rate = dilations[axis];
    const extra = padding === 'same' ? (filter.shape[axis] - 1) * rate : 0;
    const before = Math.floor(extra / 2);
    const size = x.shape[axis + 1]! + extra;
    const fill = (rate - (size % rate)) % rate;
    pads.push([before, extra - before + fill]);
    crops.push([0, fill]);
  }
  const batches = tf.spaceToBatchND(x, dilations, pads);
  return tf.batchToSpaceND(tf.depthwiseConv2d(batches, filter, 1, 'valid'), dilations, crops);
}
