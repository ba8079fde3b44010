// Ports tf.compat.v1.layers.BatchNormalization, batch_normalization (tf_keras/src/legacy_tf_layers/normalization.py,
// layers/normalization/batch_normalization.py; tf_keras 2.21). Departures: one axis; no virtual batches, adjustment or
// mask; `training` is a boolean; moving averages are updated as in a graph in every mode (see moving-average.ts).
import * as tf from '@tensorflow/tfjs-core';
import { addToCollection, type Constraint, currentContext, GraphKeys, type InitializerLike } from '@tfparity/variables';
import type { TrainingOption } from './core.js';
import { ONES, ZEROS } from './dense.js';
import { fusedBatchNorm } from './fused-batch-norm.js';
import { Layer, type LayerOptions } from './layer.js';
import { LayersError, valueError } from './layers-error.js';
import { updateMovingAverage } from './moving-average.js';
import type { RegularizerLike } from './regularizer.js';
import { Renormalization, type RenormClipping } from './renormalization.js';

/** What `batchNormalization` takes. */
export interface BatchNormalizationOptions extends LayerOptions {
  /** The axis of the channels. Default -1. */
  axis?: number | readonly number[];
  /** Share of the moving averages that a step keeps. Default 0.99. */
  momentum?: number;
  /** Default 0.001. */
  epsilon?: number;
  /** Whether there is a `beta`. Default true. */
  center?: boolean;
  /** Whether there is a `gamma`. Default true. */
  scale?: boolean;
  betaInitializer?: InitializerLike | null;
  gammaInitializer?: InitializerLike | null;
  movingMeanInitializer?: InitializerLike | null;
  movingVarianceInitializer?: InitializerLike | null;
  betaRegularizer?: RegularizerLike | null;
  gammaRegularizer?: RegularizerLike | null;
  betaConstraint?: Constraint | null;
  gammaConstraint?: Constraint | null;
  /** Batch renormalization (arXiv 1702.03275). Default false. */
  renorm?: boolean;
  renormClipping?: RenormClipping | null;
  /** Default 0.99. */
  renormMomentum?: number;
  /** One fused op, which the default takes where it can be had: 4-D or 5-D input, channels first or last. */
  fused?: boolean | null;
  /** Not supported. */
  virtualBatchSize?: number | null;
  /** Not supported. */
  adjustment?: unknown;
}

const FUSABLE: Readonly<Record<number, Readonly<Record<number, 'NHWC' | 'NCHW' | 'NDHWC' | 'NCDHW'>>>> = {
  4: { 1: 'NCHW', 3: 'NHWC' },
  5: { 1: 'NCDHW', 4: 'NDHWC' },
};

/**
 * Batch normalization; variables `gamma`, `beta`, `moving_mean`, `moving_variance` (and three more with `renorm`).
 *
 * In training the moving averages change at once in eager code; in a graph their updates go to `UPDATE_OPS`. A layer
 * that is not trainable normalizes by the batch in training, but leaves the averages alone.
 */
export class BatchNormalization extends Layer<TrainingOption> {
  gamma: tf.Variable | null = null;
  beta: tf.Variable | null = null;
  movingMean!: tf.Variable;
  movingVariance!: tf.Variable;
  private renormalization: Renormalization | null = null;
  private axis = -1;

  constructor(private readonly options: BatchNormalizationOptions = {}) {
    super('BatchNormalization', options);
    for (const name of ['virtualBatchSize', 'adjustment'] as const) {
      if (options[name] !== undefined && options[name] !== null) {
        throw new LayersError('NotImplementedError', `batchNormalization: ${name} is not supported`, {
          argument: name,
        });
      }
    }
    const axes = [options.axis ?? -1].flat();
    if (axes.length !== 1 || !Number.isInteger(axes[0])) {
      throw new LayersError('NotImplementedError', `batchNormalization takes one axis. Received: axis=[${axes}]`, {
        axes,
      });
    }
    this.axis = axes[0] as number;
  }

  protected override build(shape: readonly number[]): void {
    const { options } = this;
    const axis = this.axis < 0 ? this.axis + shape.length : this.axis;
    const channels = shape[axis];
    if (axis < 0 || channels === undefined) {
      throw valueError(
        `Invalid value for \`axis\` argument. Expected 0 <= axis < inputs.rank (with inputs.rank=${shape.length}). ` +
          `Received: axis=(${this.axis},)`,
        { axis: this.axis, shape },
      );
    }
    this.axis = axis;
    const { scale = true, center = true, renorm = false } = options;
    const weight = (name: string, initializer: InitializerLike, more: object = {}) =>
      this.addWeight(name, [channels], { initializer, ...more });
    const fixed = { trainable: false, synchronization: 'ON_READ', aggregation: 'MEAN' };
    if (scale) {
      this.gamma = weight('gamma', options.gammaInitializer ?? ONES, {
        regularizer: options.gammaRegularizer,
        constraint: options.gammaConstraint,
      });
    }
    if (center) {
      this.beta = weight('beta', options.betaInitializer ?? ZEROS, {
        regularizer: options.betaRegularizer,
        constraint: options.betaConstraint,
      });
    }
    const meanInitializer = options.movingMeanInitializer ?? ZEROS;
    const varianceInitializer = options.movingVarianceInitializer ?? ONES;
    this.movingMean = weight('moving_mean', meanInitializer, fixed);
    this.movingVariance = weight('moving_variance', varianceInitializer, fixed);
    if (!renorm) return;
    const make = (name: string, initializer: InitializerLike) => weight(name, initializer, fixed);
    const { epsilon = 0.001, renormClipping, renormMomentum = 0.99 } = options;
    const settings = { clipping: renormClipping ?? {}, momentum: renormMomentum, epsilon };
    this.renormalization = new Renormalization(make, { meanInitializer, varianceInitializer }, settings);
  }

  protected override call(x: tf.Tensor, { training = false }: TrainingOption): tf.Tensor {
    const format = FUSABLE[x.rank]?.[this.axis];
    const { fused, renorm = false } = this.options;
    return fused !== false && !renorm && format !== undefined
      ? this.callFused(x, training, format)
      : this.callPlain(x, training);
  }

  private callFused(x: tf.Tensor, isTraining: boolean, dataFormat: 'NHWC' | 'NCHW' | 'NDHWC' | 'NCDHW'): tf.Tensor {
    const { epsilon = 0.001 } = this.options;
    const channels = this.movingMean.shape;
    const averages = isTraining ? {} : { mean: this.movingMean, variance: this.movingVariance };
    return tf.tidy(() => {
      const scale = this.gamma ?? tf.ones(channels);
      const offset = this.beta ?? tf.zeros(channels);
      const { y, mean, variance } = fusedBatchNorm(x, { scale, offset, ...averages, epsilon, isTraining, dataFormat });
      if (isTraining) this.update(mean, variance);
      return y;
    });
  }

  private callPlain(x: tf.Tensor, training: boolean): tf.Tensor {
    const { epsilon = 0.001 } = this.options;
    const { axis } = this;
    const axes = x.shape.map((_, i) => i).filter((i) => i !== axis);
    const broadcast = <T extends tf.Tensor | null>(v: T): T =>
      (v === null || axis === x.rank - 1
        ? v
        : tf.reshape(
            v,
            x.shape.map((size, i) => (i === axis ? size : 1)),
          )) as T;
    return tf.tidy(() => {
      let scale: tf.Tensor | null = broadcast(this.gamma);
      let offset: tf.Tensor | null = broadcast(this.beta);
      if (!training) {
        return batchNormalize(x, broadcast(this.movingMean), broadcast(this.movingVariance), offset, scale, epsilon);
      }
      const { mean, variance } = tf.moments(x, axes);
      const { renormalization } = this;
      if (renormalization === null) {
        this.update(mean, variance);
      } else {
        const { r, d } = renormalization.correct(mean, variance);
        const [rb, db] = [broadcast(r), broadcast(d)];
        if (this.trainable) {
          this.record(...renormalization.update(mean, variance, this.movingVariance, this.momentum));
          this.record(updateMovingAverage(this.movingMean, mean, this.momentum));
        }
        offset = scale === null ? (offset === null ? db : tf.add(db, offset)) : tf.add(tf.mul(db, scale), offset ?? 0);
        scale = scale === null ? rb : tf.mul(rb, scale);
      }
      return batchNormalize(x, broadcast(mean), broadcast(variance), offset, scale, epsilon);
    });
  }

  private get momentum(): number {
    return this.options.momentum ?? 0.99;
  }

  private update(mean: tf.Tensor, variance: tf.Tensor): void {
    if (!this.trainable) return;
    this.record(
      updateMovingAverage(this.movingMean, mean, this.momentum),
      updateMovingAverage(this.movingVariance, variance, this.momentum),
    );
  }

  /** In a graph, puts updates where a training step looks for them. */
  private record(...handles: unknown[]): void {
    if (currentContext().kind !== 'graph') return;
    for (const handle of handles) addToCollection(GraphKeys.UPDATE_OPS, handle);
  }
}

/** `tf.nn.batch_normalization`: the same operations in the same order. */
export function batchNormalize(
  x: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  offset: tf.Tensor | null,
  scale: tf.Tensor | null,
  epsilon: number,
): tf.Tensor {
  return tf.tidy(() => {
    let factor: tf.Tensor = tf.rsqrt(tf.add(variance, epsilon));
    if (scale !== null) factor = tf.mul(factor, scale);
    const shift = tf.mul(mean, factor);
    return tf.add(tf.mul(x, factor), offset === null ? tf.neg(shift) : tf.sub(offset, shift));
  });
}

/** Applies a new `BatchNormalization`; variables `<name>/gamma`, …, or `batch_normalization/…` without a name. */
export function batchNormalization(x: tf.Tensor, options: BatchNormalizationOptions & TrainingOption = {}): tf.Tensor {
  const layer = new BatchNormalization({ ...options, scope: options.scope ?? options.name });
  return layer.apply(x, { training: options.training ?? false });
}
