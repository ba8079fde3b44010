// Ports tf.compat.v1.layers.Dropout, Flatten and their functions (tf_keras/src/legacy_tf_layers/core.py; 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { dropout as drop } from '@tfparity/random';
import { channelsFirst, type DataFormat, toChannelsLast } from './data-format.js';
import { Layer, type LayerOptions } from './layer.js';

/** What `dropout` takes. */
export interface DropoutLayerOptions extends LayerOptions {
  /** The share that is dropped. Default 0.5. */
  rate?: number;
  /** The shape of the mask; null stands for the input's own length of an axis. */
  noiseShape?: readonly (number | null)[] | null;
  seed?: number | bigint | null;
}

/** Whether a call is one of training. */
export interface TrainingOption {
  /** Default false. */
  training?: boolean;
}

/** Dropout in training, the input itself otherwise (and then no seed is taken). */
export class Dropout extends Layer<TrainingOption> {
  constructor(private readonly options: DropoutLayerOptions = {}) {
    super('Dropout', options);
  }

  protected override call(x: tf.Tensor, { training = false }: TrainingOption): tf.Tensor {
    const { rate = 0.5, noiseShape, seed } = this.options;
    return training ? drop(x, { rate, noiseShape, seed: seed ?? undefined }) : tf.clone(x);
  }
}

/** Applies a new `Dropout`; the numbers are TensorFlow's. */
export function dropout(x: tf.Tensor, options: DropoutLayerOptions & TrainingOption = {}): tf.Tensor {
  return new Dropout(options).apply(x, { training: options.training ?? false });
}

/** What `flatten` takes. */
export interface FlattenOptions extends LayerOptions {
  dataFormat?: DataFormat;
}

/** Makes [batch, everything else] of its input; channels are taken to be last first. */
export class Flatten extends Layer {
  constructor(private readonly options: FlattenOptions = {}) {
    super('Flatten', options);
  }

  protected override call(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const first = channelsFirst(this.options.dataFormat ?? 'channels_last') && x.rank > 2;
      const last = toChannelsLast(x, first);
      return tf.reshape(last, [x.shape[0] ?? 1, last.shape.slice(1).reduce((a, b) => a * b, 1)]);
    });
  }
}

/** Applies a new `Flatten`. */
export function flatten(x: tf.Tensor, options: FlattenOptions = {}): tf.Tensor {
  return new Flatten(options).apply(x);
}
