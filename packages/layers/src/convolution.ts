// Ports tf.compat.v1.layers.Conv1D, Conv2D, Conv3D and their functions (tf_keras/src/legacy_tf_layers/convolutional.py,
// layers/convolutional/base_conv.py; tf_keras 2.21). Channels first is done by transposing.
import * as tf from '@tensorflow/tfjs-core';
import { type Activation, activationOf } from './activation.js';
import {
  channelsFirst,
  checkRank,
  type DataFormat,
  fromChannelsLast,
  type Padding,
  paddingOf,
  type Spatial,
  spatialSizes,
  toChannelsLast,
} from './data-format.js';
import { type KernelLayerOptions, ZEROS } from './dense.js';
import { Layer } from './layer.js';
import { valueError } from './layers-error.js';
import { regularizerOf } from './regularizer.js';
import { checkWindow } from './window.js';

/** What convolutions take. */
export interface ConvolutionOptions extends KernelLayerOptions {
  /** Channels of the output. */
  filters: number;
  kernelSize: Spatial;
  /** Default 1. */
  strides?: Spatial;
  /** Default 'valid'; 'causal' for `conv1d` only. */
  padding?: Padding;
  /** Default 'channels_last'. */
  dataFormat?: DataFormat;
  /** Default 1; where it is not, strides must be. */
  dilationRate?: Spatial;
}

/** What all convolutions share: the arguments in their checked form, bias, activation and data format. */
export abstract class Convolution extends Layer {
  kernel!: tf.Variable;
  bias: tf.Variable | null = null;
  protected readonly kernelSize: number[];
  protected readonly strides: number[];
  protected readonly dilations: number[];
  protected readonly padding: 'valid' | 'same' | 'causal';
  protected readonly first: boolean;
  protected readonly activation: Activation | null;

  constructor(
    private readonly kind: string,
    /** Number of spatial axes. */
    protected readonly rank: number,
    protected readonly options: ConvolutionOptions,
  ) {
    super(kind, options);
    if (!Number.isInteger(options.filters) || options.filters <= 0) {
      throw valueError(
        'Invalid value for argument `filters`. Expected a strictly positive value. ' +
          `Received filters=${options.filters}.`,
      );
    }
    this.kernelSize = spatialSizes(options.kernelSize, rank, 'kernel_size');
    this.strides = spatialSizes(options.strides ?? 1, rank, 'strides');
    this.dilations = spatialSizes(options.dilationRate ?? 1, rank, 'dilation_rate');
    this.padding = paddingOf(options.padding ?? 'valid', kind === 'Conv1D');
    this.first = channelsFirst(options.dataFormat ?? 'channels_last');
    this.activation = activationOf(options.activation);
    this.activityRegularizer = regularizerOf(options.activityRegularizer);
    if (this.strides.some((s) => s > 1) && this.dilations.some((d) => d > 1)) {
      throw valueError(
        `\`strides > 1\` not supported in conjunction with \`dilation_rate > 1\`. ` +
          `Received: strides=${this.strides} and dilation_rate=${this.dilations}`,
      );
    }
  }

  /** The channels of an input of this shape, checked. */
  protected inputChannels(shape: readonly number[]): number {
    checkRank(this.name, shape, this.rank + 2);
    const channels = shape[this.first ? 1 : shape.length - 1];
    if (!channels) {
      throw valueError(`The channel dimension of the inputs should be defined. The input_shape received is ${shape}`, {
        layer: this.name,
        kind: this.kind,
        shape,
      });
    }
    return channels;
  }

  protected addBias(): void {
    const { useBias = true, biasInitializer, biasRegularizer, biasConstraint, filters } = this.options;
    if (!useBias) return;
    this.bias = this.addWeight('bias', [filters], {
      initializer: biasInitializer ?? ZEROS,
      regularizer: biasRegularizer,
      constraint: biasConstraint,
    });
  }

  /** Makes the kernel, with the options that were given for it. */
  protected addKernel(shape: number[]): tf.Variable {
    const { kernelInitializer, kernelRegularizer, kernelConstraint } = this.options;
    return this.addWeight('kernel', shape, {
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
      constraint: kernelConstraint,
    });
  }

  protected override build(shape: readonly number[]): void {
    this.kernel = this.addKernel([...this.kernelSize, this.inputChannels(shape), this.options.filters]);
    this.addBias();
  }

  /** The convolution of an input whose channels are last. */
  protected abstract convolve(x: tf.Tensor): tf.Tensor;

  protected override call(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      let y = this.convolve(toChannelsLast(x, this.first));
      if (this.bias !== null) y = tf.add(y, this.bias);
      if (this.first) y = fromChannelsLast(y, true);
      return this.activation === null ? y : this.activation(y);
    });
  }
}

/** Convolution along one axis; variables `kernel` [width, in, out], `bias`. */
export class Conv1D extends Convolution {
  constructor(options: ConvolutionOptions) {
    super('Conv1D', 1, options);
  }

  protected override convolve(x: tf.Tensor): tf.Tensor {
    const [stride, dilation, width] = [this.strides[0]!, this.dilations[0]!, this.kernelSize[0]!];
    const causal = this.padding === 'causal';
    const padded = causal
      ? tf.pad(x, [
          [0, 0],
          [dilation * (width - 1), 0],
          [0, 0],
        ])
      : x;
    const padding = this.padding === 'causal' ? 'valid' : this.padding;
    const kernel = this.kernel as tf.Tensor as tf.Tensor3D;
    checkWindow('Conv1D', padded.shape, this.kernelSize, padding, this.dilations);
    return tf.conv1d(padded as tf.Tensor3D, kernel, stride, padding, 'NWC', dilation);
  }
}

/** Convolution of images; variables `kernel` [height, width, in, out], `bias`. */
export class Conv2D extends Convolution {
  constructor(options: ConvolutionOptions) {
    super('Conv2D', 2, options);
  }

  protected override convolve(x: tf.Tensor): tf.Tensor {
    const kernel = this.kernel as tf.Tensor as tf.Tensor4D;
    const strides = this.strides as [number, number];
    const dilations = this.dilations as [number, number];
    checkWindow('Conv2D', x.shape, this.kernelSize, this.padding, this.dilations);
    return tf.conv2d(x as tf.Tensor4D, kernel, strides, this.padding as 'valid', 'NHWC', dilations);
  }
}

/** Convolution of volumes; variables `kernel` [depth, height, width, in, out], `bias`. */
export class Conv3D extends Convolution {
  constructor(options: ConvolutionOptions) {
    super('Conv3D', 3, options);
  }

  protected override convolve(x: tf.Tensor): tf.Tensor {
    const kernel = this.kernel as tf.Tensor as tf.Tensor5D;
    const strides = this.strides as [number, number, number];
    const dilations = this.dilations as [number, number, number];
    checkWindow('Conv3D', x.shape, this.kernelSize, this.padding, this.dilations);
    return tf.conv3d(x as tf.Tensor5D, kernel, strides, this.padding as 'valid', 'NDHWC', dilations);
  }
}

/** Applies a new `Conv1D`. */
export function conv1d(x: tf.Tensor, options: ConvolutionOptions): tf.Tensor {
  return new Conv1D({ ...options, scope: options.scope ?? options.name }).apply(x);
}

/** Applies a new `Conv2D`; variables `<name>/kernel`, `<name>/bias`, or `conv2d/…`, `conv2d_1/…` without a name. */
export function conv2d(x: tf.Tensor, options: ConvolutionOptions): tf.Tensor {
  return new Conv2D({ ...options, scope: options.scope ?? options.name }).apply(x);
}

/** Applies a new `Conv3D`. */
export function conv3d(x: tf.Tensor, options: ConvolutionOptions): tf.Tensor {
  return new Conv3D({ ...options, scope: options.scope ?? options.name }).apply(x);
}
