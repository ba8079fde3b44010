// Ports tf.compat.v1.layers.Conv2DTranspose, Conv3DTranspose and their functions
// (tf_keras/src/legacy_tf_layers/convolutional.py, layers/convolutional/conv2d_transpose.py; tf_keras 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { Convolution, type ConvolutionOptions } from './convolution.js';

/** What transposed convolutions take: what convolutions take, without dilation. */
export type TransposedConvolutionOptions = Omit<ConvolutionOptions, 'dilationRate'>;

/** Size of one axis of the output (Keras's `deconv_output_length` without output padding). */
function outputLength(input: number, kernel: number, padding: string, stride: number): number {
  return input * stride + (padding === 'valid' ? Math.max(kernel - stride, 0) : 0);
}

abstract class TransposedConvolution extends Convolution {
  protected override build(shape: readonly number[]): void {
    this.kernel = this.addKernel([...this.kernelSize, this.options.filters, this.inputChannels(shape)]);
    this.addBias();
  }

  protected outputShape(x: tf.Tensor): number[] {
    const spatial = x.shape
      .slice(1, -1)
      .map((size, i) => outputLength(size, this.kernelSize[i]!, this.padding, this.strides[i]!));
    return [x.shape[0]!, ...spatial, this.options.filters];
  }
}

/** Transposed convolution of images; variables `kernel` [height, width, out, in], `bias`. */
export class Conv2DTranspose extends TransposedConvolution {
  constructor(options: TransposedConvolutionOptions) {
    super('Conv2DTranspose', 2, options);
  }

  protected override convolve(x: tf.Tensor): tf.Tensor {
    const kernel = this.kernel as tf.Tensor as tf.Tensor4D;
    const shape = this.outputShape(x) as [number, number, number, number];
    return tf.conv2dTranspose(
      x as tf.Tensor4D,
      kernel,
      shape,
      this.strides as [number, number],
      this.padding as 'valid',
    );
  }
}

/** Transposed convolution of volumes; variables `kernel` [depth, height, width, out, in], `bias`. */
export class Conv3DTranspose extends TransposedConvolution {
  constructor(options: TransposedConvolutionOptions) {
    super('Conv3DTranspose', 3, options);
  }

  protected override convolve(x: tf.Tensor): tf.Tensor {
    const kernel = this.kernel as tf.Tensor as tf.Tensor5D;
    const shape = this.outputShape(x) as [number, number, number, number, number];
    const strides = this.strides as [number, number, number];
    return tf.conv3dTranspose(x as tf.Tensor5D, kernel, shape, strides, this.padding as 'valid');
  }
}

/** Applies a new `Conv2DTranspose`. */
export function conv2dTranspose(x: tf.Tensor, options: TransposedConvolutionOptions): tf.Tensor {
  return new Conv2DTranspose({ ...options, scope: options.scope ?? options.name }).apply(x);
}

/** Applies a new `Conv3DTranspose`. */
export function conv3dTranspose(x: tf.Tensor, options: TransposedConvolutionOptions): tf.Tensor {
  return new Conv3DTranspose({ ...options, scope: options.scope ?? options.name }).apply(x);
}
