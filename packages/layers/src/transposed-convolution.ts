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
    if (tf.getBackend() === 'wasm') return this.convolveDilated(x, shape);
    return tf.conv3dTranspose(x as tf.Tensor5D, kernel, shape, strides, this.padding as 'valid');
  }

  /**
   * The same as a convolution of the input with zeros between its values: Conv3DBackpropInputV2 of tfjs-backend-wasm
   * 4.22 computes something else.
   */
  private convolveDilated(x: tf.Tensor, outputShape: readonly number[]): tf.Tensor {
    let padded = x;
    for (let axis = 0; axis < 3; axis++) {
      const [size, stride] = [this.kernelSize[axis]!, this.strides[axis]!];
      const [input, output] = [x.shape[axis + 1]!, outputShape[axis + 1]!];
      const span = (input - 1) * stride + 1;
      const before = this.padding === 'same' ? Math.floor(Math.max(span - 1 + size - output, 0) / 2) : 0;
      padded = spread(padded, axis + 1, stride, [size - 1 - before, output - span + before]);
    }
    const flipped = tf.transpose(tf.reverse(this.kernel as tf.Tensor, [0, 1, 2]), [0, 1, 2, 4, 3]);
    return tf.conv3d(padded as tf.Tensor5D, flipped as tf.Tensor5D, 1, 'valid');
  }
}

/** Puts `stride - 1` zeros between the values along an axis, and pads it. */
function spread(x: tf.Tensor, axis: number, stride: number, padding: [number, number]): tf.Tensor {
  const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  const [outer, size, inner] = [product(x.shape.slice(0, axis)), x.shape[axis]!, product(x.shape.slice(axis + 1))];
  const between = tf.pad(tf.reshape(x, [outer, size, 1, inner]), [
    [0, 0],
    [0, 0],
    [0, stride - 1],
    [0, 0],
  ]);
  const span = (size - 1) * stride + 1;
  const line = tf.slice(tf.reshape(between, [outer, size * stride, inner]), [0, 0, 0], [outer, span, inner]);
  const padded = tf.pad(line, [[0, 0], padding, [0, 0]]);
  return tf.reshape(padded, [...x.shape.slice(0, axis), span + padding[0] + padding[1], ...x.shape.slice(axis + 1)]);
}

/** Applies a new `Conv2DTranspose`. */
export function conv2dTranspose(x: tf.Tensor, options: TransposedConvolutionOptions): tf.Tensor {
  return new Conv2DTranspose({ ...options, scope: options.scope ?? options.name }).apply(x);
}

/** Applies a new `Conv3DTranspose`. */
export function conv3dTranspose(x: tf.Tensor, options: TransposedConvolutionOptions): tf.Tensor {
  return new Conv3DTranspose({ ...options, scope: options.scope ?? options.name }).apply(x);
}
