// Ports batch renormalization of tf.compat.v1.layers.BatchNormalization (_renorm_correction_and_moments; tf_keras 2.21).
import * as tf from '@tensorflow/tfjs-core';
import { assign, type InitializerLike } from '@tfparity/variables';
import { valueError } from './layers-error.js';
import { updateMovingAverage } from './moving-average.js';

/** Bounds of batch renormalization's corrections: r in [rmin, rmax], d in [-dmax, dmax]. */
export interface RenormClipping {
  rmax?: number;
  rmin?: number;
  dmax?: number;
}

type MakeVariable = (name: string, initializer: InitializerLike) => tf.Variable;

/** The variables of batch renormalization, and what they correct. */
export class Renormalization {
  readonly movingStddev: tf.Variable;
  readonly renormMean: tf.Variable;
  readonly renormStddev: tf.Variable;

  constructor(
    make: MakeVariable,
    initializers: { meanInitializer: InitializerLike; varianceInitializer: InitializerLike },
    private readonly settings: { clipping: RenormClipping; momentum: number; epsilon: number },
  ) {
    const unknown = Object.keys(settings.clipping).filter((key) => !['rmax', 'rmin', 'dmax'].includes(key));
    if (unknown.length > 0) {
      throw valueError(
        `Received invalid keys for \`renorm_clipping\` argument: ${unknown}. Supported values: rmax, rmin, dmax.`,
        { unknown },
      );
    }
    const { meanInitializer, varianceInitializer } = initializers;
    const stddevInitializer = (shape: number[], dtype: tf.DataType) =>
      tf.tidy(() => tf.sqrt((varianceInitializer as (s: number[], d: tf.DataType) => tf.Tensor)(shape, dtype)));
    this.movingStddev = make('moving_stddev', stddevInitializer);
    this.renormMean = make('renorm_mean', meanInitializer);
    this.renormStddev = make('renorm_stddev', stddevInitializer);
  }

  /** The factor r and the summand d, as constants of the gradient. */
  correct(mean: tf.Tensor, variance: tf.Tensor): { r: tf.Tensor; d: tf.Tensor } {
    const { epsilon, clipping } = this.settings;
    const { rmin, rmax, dmax } = clipping;
    const constant = tf.customGrad((...args: (tf.Tensor | tf.GradSaveFunc)[]) => {
      const [m, v] = args as tf.Tensor[];
      const stddev = tf.sqrt(tf.add(v!, epsilon));
      const renormStddev = tf.maximum(this.renormStddev, Math.sqrt(epsilon));
      let r: tf.Tensor = tf.div(stddev, renormStddev);
      let d: tf.Tensor = tf.div(tf.sub(m!, this.renormMean), renormStddev);
      if (rmin !== undefined) r = tf.maximum(r, rmin);
      if (rmax !== undefined) r = tf.minimum(r, rmax);
      if (dmax !== undefined) d = tf.minimum(tf.maximum(d, -dmax), dmax);
      const zero = () => [tf.zerosLike(m!), tf.zerosLike(v!)];
      return { value: tf.stack([r, d]), gradFunc: zero };
    });
    const [r, d] = tf.unstack(constant(mean, variance)) as [tf.Tensor, tf.Tensor];
    return { r, d };
  }

  /** Moves the averages towards the batch's; returns what `assign` returned, for a graph's `UPDATE_OPS`. */
  update(mean: tf.Tensor, variance: tf.Tensor, movingVariance: tf.Variable, momentum: number): unknown[] {
    const { epsilon } = this.settings;
    const stddev = tf.sqrt(tf.add(variance, epsilon));
    const decay = Math.fround(1 - Math.fround(momentum));
    const next = tf.sub(this.movingStddev, tf.mul(tf.sub(this.movingStddev, stddev), tf.scalar(decay)));
    return [
      updateMovingAverage(this.renormMean, mean, this.settings.momentum),
      updateMovingAverage(this.renormStddev, stddev, this.settings.momentum),
      assign(this.movingStddev, next),
      assign(movingVariance, tf.relu(tf.sub(tf.mul(next, next), epsilon))),
    ];
  }
}
