// Ports tf.compat.v1.layers' pooling layers and functions (tf_keras/src/legacy_tf_layers/pooling.py; tf_keras 2.21).
import * as tf from '@tensorflow/tfjs-core';
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
import { Layer, type LayerOptions } from './layer.js';
import { valueError } from './layers-error.js';

/** What pooling layers take. */
export interface PoolingOptions extends LayerOptions {
  poolSize: Spatial;
  strides: Spatial;
  /** Default 'valid'. */
  padding?: Padding;
  /** Default 'channels_last'. */
  dataFormat?: DataFormat;
}

type Reduction = 'Max' | 'Average';

class Pooling extends Layer {
  private readonly poolSize: number[];
  private readonly strides: number[];
  private readonly padding: 'valid' | 'same';
  private readonly first: boolean;

  constructor(
    private readonly reduction: Reduction,
    private readonly rank: number,
    options: PoolingOptions,
  ) {
    super(`${reduction}Pooling${rank}D`, options);
    if (options.strides === null || options.strides === undefined) {
      throw valueError('Argument `strides` must not be None.');
    }
    this.poolSize = spatialSizes(options.poolSize, rank, 'pool_size');
    this.strides = spatialSizes(options.strides, rank, 'strides');
    this.padding = paddingOf(options.padding ?? 'valid') as 'valid' | 'same';
    this.first = channelsFirst(options.dataFormat ?? 'channels_last');
  }

  protected override build(shape: readonly number[]): void {
    checkRank(this.name, shape, this.rank + 2);
  }

  protected override call(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => fromChannelsLast(this.pool(toChannelsLast(x, this.first)), this.first));
  }

  private pool(x: tf.Tensor): tf.Tensor {
    const max = this.reduction === 'Max';
    const { padding } = this;
    if (this.rank === 3) {
      const size = this.poolSize as [number, number, number];
      const strides = this.strides as [number, number, number];
      return (max ? tf.maxPool3d : tf.avgPool3d)(x as tf.Tensor5D, size, strides, padding);
    }
    // One axis is two with a second of length 1, as TensorFlow does it too.
    const line = this.rank === 1;
    const [batch, length, channels] = x.shape;
    const images = (line ? tf.reshape(x, [batch!, length!, 1, channels!]) : x) as tf.Tensor4D;
    const size = (line ? [this.poolSize[0], 1] : this.poolSize) as [number, number];
    const strides = (line ? [this.strides[0], 1] : this.strides) as [number, number];
    const y = (max ? tf.maxPool : tf.avgPool)(images, size, strides, padding);
    return line ? tf.reshape(y, [batch!, y.shape[1]!, channels!]) : y;
  }
}

/** Greatest value of each window of a sequence. */
export class MaxPooling1D extends Pooling {
  constructor(options: PoolingOptions) {
    super('Max', 1, options);
  }
}

/** Greatest value of each window of an image. */
export class MaxPooling2D extends Pooling {
  constructor(options: PoolingOptions) {
    super('Max', 2, options);
  }
}

/** Greatest value of each window of a volume. */
export class MaxPooling3D extends Pooling {
  constructor(options: PoolingOptions) {
    super('Max', 3, options);
  }
}

/** Mean of each window of a sequence; what lies outside the input is not counted. */
export class AveragePooling1D extends Pooling {
  constructor(options: PoolingOptions) {
    super('Average', 1, options);
  }
}

/** Mean of each window of an image; what lies outside the input is not counted. */
export class AveragePooling2D extends Pooling {
  constructor(options: PoolingOptions) {
    super('Average', 2, options);
  }
}

/** Mean of each window of a volume; what lies outside the input is not counted. */
export class AveragePooling3D extends Pooling {
  constructor(options: PoolingOptions) {
    super('Average', 3, options);
  }
}

/** Applies a new `MaxPooling1D`. */
export function maxPooling1d(x: tf.Tensor, options: PoolingOptions): tf.Tensor {
  return new MaxPooling1D(options).apply(x);
}

/** Applies a new `MaxPooling2D`. */
export function maxPooling2d(x: tf.Tensor, options: PoolingOptions): tf.Tensor {
  return new MaxPooling2D(options).apply(x);
}

/** Applies a new `MaxPooling3D`. */
export function maxPooling3d(x: tf.Tensor, options: PoolingOptions): tf.Tensor {
  return new MaxPooling3D(options).apply(x);
}

/** Applies a new `AveragePooling1D`. */
export function averagePooling1d(x: tf.Tensor, options: PoolingOptions): tf.Tensor {
  return new AveragePooling1D(options).apply(x);
}

/** Applies a new `AveragePooling2D`. */
export function averagePooling2d(x: tf.Tensor, options: PoolingOptions): tf.Tensor {
  return new AveragePooling2D(options).apply(x);
}

/** Applies a new `AveragePooling3D`. */
export function averagePooling3d(x: tf.Tensor, options: PoolingOptions): tf.Tensor {
  return new AveragePooling3D(options).apply(x);
}
