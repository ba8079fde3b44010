// Ports tf.compat.v1.layers.SeparableConv1D, SeparableConv2D and their functions
// (tf_keras/src/legacy_tf_layers/convolutional.py, layers/convolutional/separable_conv2d.py; tf_keras 2.21).
import * as tf from '@tensorflow/tfjs-core';
import type { Constraint, InitializerLike } from '@tfparity/variables';
import { Convolution, type ConvolutionOptions } from './convolution.js';
import { depthwiseConvolution } from './depthwise-convolution.js';
import { valueError } from './layers-error.js';
import type { RegularizerLike } from './regularizer.js';

/** What separable convolutions take: two kernels' options in place of one's. */
export interface SeparableConvolutionOptions
  extends Omit<ConvolutionOptions, 'kernelInitializer' | 'kernelRegularizer' | 'kernelConstraint'> {
  /** Outputs of the depthwise step per input channel. Default 1. */
  depthMultiplier?: number;
  depthwiseInitializer?: InitializerLike | null;
  pointwiseInitializer?: InitializerLike | null;
  depthwiseRegularizer?: RegularizerLike | null;
  pointwiseRegularizer?: RegularizerLike | null;
  depthwiseConstraint?: Constraint | null;
  pointwiseConstraint?: Constraint | null;
}

abstract class SeparableConvolution extends Convolution {
  depthwiseKernel!: tf.Variable;
  pointwiseKernel!: tf.Variable;

  constructor(
    kind: string,
    rank: number,
    private readonly separable: SeparableConvolutionOptions,
  ) {
    super(kind, rank, separable);
    const { depthMultiplier = 1 } = separable;
    if (!Number.isInteger(depthMultiplier) || depthMultiplier <= 0) {
      throw valueError(`\`depth_multiplier\` must be a positive integer. Received: ${depthMultiplier}`);
    }
  }

  protected override build(shape: readonly number[]): void {
    const { depthMultiplier = 1, filters, depthwiseInitializer, pointwiseInitializer } = this.separable;
    const { depthwiseRegularizer, pointwiseRegularizer, depthwiseConstraint, pointwiseConstraint } = this.separable;
    const channels = this.inputChannels(shape);
    this.depthwiseKernel = this.addWeight('depthwise_kernel', [...this.kernelSize, channels, depthMultiplier], {
      initializer: depthwiseInitializer,
      regularizer: depthwiseRegularizer,
      constraint: depthwiseConstraint,
    });
    const ones = new Array<number>(this.rank).fill(1);
    this.pointwiseKernel = this.addWeight('pointwise_kernel', [...ones, channels * depthMultiplier, filters], {
      initializer: pointwiseInitializer,
      regularizer: pointwiseRegularizer,
      constraint: pointwiseConstraint,
    });
    this.addBias();
  }

  /** Depthwise, then pointwise: two ops, as in TensorFlow. */
  protected images(x: tf.Tensor4D, size: [number, number], strides: [number, number], dilations: [number, number]) {
    const channels = x.shape[3];
    const multiplier = this.separable.depthMultiplier ?? 1;
    const depthwise = tf.reshape(this.depthwiseKernel, [...size, channels, multiplier]) as tf.Tensor4D;
    const spread = depthwiseConvolution(x, depthwise, strides, this.padding as 'valid', dilations);
    const pointwise = tf.reshape(this.pointwiseKernel, [1, 1, channels * multiplier, this.separable.filters]);
    return tf.conv2d(spread, pointwise as tf.Tensor4D, 1, 'valid');
  }
}

/** Separable convolution along one axis; variables `depthwise_kernel`, `pointwise_kernel`, `bias`. */
export class SeparableConv1D extends SeparableConvolution {
  constructor(options: SeparableConvolutionOptions) {
    super('SeparableConv1D', 1, options);
  }

  protected override convolve(x: tf.Tensor): tf.Tensor {
    const [batch, length, channels] = x.shape as [number, number, number];
    const stride = this.strides[0]!;
    const y = this.images(
      tf.reshape(x, [batch, 1, length, channels]),
      [1, this.kernelSize[0]!],
      [stride, stride],
      [1, this.dilations[0]!],
    );
    return tf.reshape(y, [batch, y.shape[2], this.options.filters]);
  }
}

/** Separable convolution of images; variables `depthwise_kernel`, `pointwise_kernel`, `bias`. */
export class SeparableConv2D extends SeparableConvolution {
  constructor(options: SeparableConvolutionOptions) {
    super('SeparableConv2D', 2, options);
  }

  protected override convolve(x: tf.Tensor): tf.Tensor {
    const pair = (sizes: number[]) => sizes as [number, number];
    return this.images(x as tf.Tensor4D, pair(this.kernelSize), pair(this.strides), pair(this.dilations));
  }
}

/** Applies a new `SeparableConv1D`. */
export function separableConv1d(x: tf.Tensor, options: SeparableConvolutionOptions): tf.Tensor {
  return new SeparableConv1D({ ...options, scope: options.scope ?? options.name }).apply(x);
}

/** Applies a new `SeparableConv2D`. */
export function separableConv2d(x: tf.Tensor, options: SeparableConvolutionOptions): tf.Tensor {
  return new SeparableConv2D({ ...options, scope: options.scope ?? options.name }).apply(x);
}
