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
import { checkWindow } from './window.js';

/** What pooling layers take. */
export interface PoolingOptions extends LayerOptions {
  poolSize: Spatial;
  strides: Spatial;
  /** Default 'valid'. */
  padding?: Padding;
  /** Default 'channels_last'. */
  dataFormat?: DataFormat;
}

/** What a pool makes of a window. */
export type Reduction = 'max' | 'average';

interface PoolSettings {
  readonly poolSize: number[];
  readonly strides: number[];
  readonly padding: 'valid' | 'same';
  readonly first: boolean;
}

function settingsOf(rank: number, options: Omit<PoolingOptions, keyof LayerOptions>): PoolSettings {
  if (options.strides === null || options.strides === undefined) {
    throw valueError('Argument `strides` must not be None.');
  }
  return {
    poolSize: spatialSizes(options.poolSize, rank, 'pool_size'),
    strides: spatialSizes(options.strides, rank, 'strides'),
    padding: paddingOf(options.padding ?? 'valid') as 'valid' | 'same',
    first: channelsFirst(options.dataFormat ?? 'channels_last'),
  };
}

function poolLast(x: tf.Tensor, reduction: Reduction, { poolSize, strides, padding }: PoolSettings): tf.Tensor {
  const max = reduction === 'max';
  checkWindow(`${max ? 'Max' : 'Avg'}Pool${x.rank === 5 ? '3D' : ''}`, x.shape, poolSize, padding);
  if (x.rank === 5) {
    type Triple = [number, number, number];
    const [size, steps] = [poolSize as Triple, strides as Triple];
    return (max ? tf.maxPool3d : tf.avgPool3d)(x as tf.Tensor5D, size, steps, padding);
  }
  // One axis is two with a second of length 1, as TensorFlow does it too.
  const line = x.rank === 3;
  const [batch, length, channels] = x.shape;
  const images = (line ? tf.reshape(x, [batch!, length!, 1, channels!]) : x) as tf.Tensor4D;
  const size = (line ? [poolSize[0], 1] : poolSize) as [number, number];
  const steps = (line ? [strides[0], 1] : strides) as [number, number];
  const y = (max ? tf.maxPool : tf.avgPool)(images, size, steps, padding);
  return line ? tf.reshape(y, [batch!, y.shape[1]!, channels!]) : y;
}

/** Pools an input of rank 3, 4 or 5, without a layer and its scope. */
export function pool(x: tf.Tensor, reduction: Reduction, options: Omit<PoolingOptions, keyof LayerOptions>): tf.Tensor {
  return applyPool(x, reduction, settingsOf(x.rank - 2, options));
}

function applyPool(x: tf.Tensor, reduction: Reduction, settings: PoolSettings): tf.Tensor {
  const { first } = settings;
  return tf.tidy(() => fromChannelsLast(poolLast(toChannelsLast(x, first), reduction, settings), first));
}

class Pooling extends Layer {
  private readonly settings: PoolSettings;

  constructor(
    private readonly reduction: Reduction,
    private readonly rank: number,
    options: PoolingOptions,
  ) {
    super(`${reduction === 'max' ? 'Max' : 'Average'}Pooling${rank}D`, options);
    this.settings = settingsOf(rank, options);
  }

  protected override build(shape: readonly number[]): void {
    checkRank(this.name, shape, this.rank + 2);
  }

  protected override call(x: tf.Tensor): tf.Tensor {
    return applyPool(x, this.reduction, this.settings);
  }
}

/** Greatest value of each window of a sequence. */
export class MaxPooling1D extends Pooling {
  constructor(options: PoolingOptions) {
    super('max', 1, options);
  }
}

/** Greatest value of each window of an image. */
export class MaxPooling2D extends Pooling {
  constructor(options: PoolingOptions) {
    super('max', 2, options);
  }
}

/** Greatest value of each window of a volume. */
export class MaxPooling3D extends Pooling {
  constructor(options: PoolingOptions) {
    super('max', 3, options);
  }
}

/** Mean of each window of a sequence; what lies outside the input is not counted. */
export class AveragePooling1D extends Pooling {
  constructor(options: PoolingOptions) {
    super('average', 1, options);
  }
}

/** Mean of each window of an image; what lies outside the input is not counted. */
export class AveragePooling2D extends Pooling {
  constructor(options: PoolingOptions) {
    super('average', 2, options);
  }
}

/** Mean of each window of a volume; what lies outside the input is not counted. */
export class AveragePooling3D extends Pooling {
  constructor(options: PoolingOptions) {
    super('average', 3, options);
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
