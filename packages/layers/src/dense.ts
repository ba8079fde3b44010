// Ports tf.compat.v1.layers.Dense, dense (tf_keras/src/legacy_tf_layers/core.py, layers/core/dense.py; tf_keras 2.21).
import * as tf from '@tensorflow/tfjs-core';
import type { Constraint, InitializerLike } from '@tfparity/variables';
import { type Activation, type ActivationLike, activationOf } from './activation.js';
import { Layer, type LayerOptions } from './layer.js';
import { valueError } from './layers-error.js';
import { type RegularizerLike, regularizerOf } from './regularizer.js';

/** What every layer with a kernel and a bias takes. */
export interface KernelLayerOptions extends LayerOptions {
  activation?: ActivationLike;
  /** Default true. */
  useBias?: boolean;
  /** Default: the scope's, else glorot uniform. */
  kernelInitializer?: InitializerLike | null;
  /** Default zeros. */
  biasInitializer?: InitializerLike | null;
  kernelRegularizer?: RegularizerLike | null;
  biasRegularizer?: RegularizerLike | null;
  activityRegularizer?: RegularizerLike | null;
  kernelConstraint?: Constraint | null;
  biasConstraint?: Constraint | null;
}

/** What `dense` takes. */
export interface DenseOptions extends KernelLayerOptions {
  /** Size of the last axis of the output. */
  units: number;
}

/** Zeros of any shape. */
export const ZEROS: InitializerLike = (shape: number[], dtype: tf.DataType) => tf.zeros(shape, dtype);

/** Ones of any shape. */
export const ONES: InitializerLike = (shape: number[], dtype: tf.DataType) => tf.ones(shape, dtype);

/** A densely connected layer: `activation(x · kernel + bias)`; variables `kernel`, `bias`. */
export class Dense extends Layer {
  kernel!: tf.Variable;
  bias: tf.Variable | null = null;
  private readonly activation: Activation | null;

  constructor(private readonly options: DenseOptions) {
    super('Dense', options);
    if (!Number.isInteger(options.units) || options.units <= 0) {
      throw valueError(
        `Received an invalid value for \`units\`, expected a positive integer. Received: units=${options.units}`,
      );
    }
    this.activation = activationOf(options.activation);
    this.activityRegularizer = regularizerOf(options.activityRegularizer);
  }

  protected override build(shape: readonly number[]): void {
    const { units, useBias = true, kernelInitializer, kernelRegularizer, kernelConstraint } = this.options;
    const { biasInitializer, biasRegularizer, biasConstraint } = this.options;
    const last = shape.at(-1);
    if (shape.length < 2 || last === undefined) {
      throw valueError(
        `Input 0 of layer "${this.name}" is incompatible with the layer: expected min_ndim=2, found ndim=${shape.length}. ` +
          `Full shape received: (${shape.join(', ')}${shape.length === 1 ? ',' : ''})`,
        { layer: this.name, shape },
      );
    }
    this.kernel = this.addWeight('kernel', [last, units], {
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
      constraint: kernelConstraint,
    });
    if (!useBias) return;
    this.bias = this.addWeight('bias', [units], {
      initializer: biasInitializer ?? ZEROS,
      regularizer: biasRegularizer,
      constraint: biasConstraint,
    });
  }

  protected override call(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const rows = x.rank === 2 ? (x as tf.Tensor2D) : tf.reshape(x, [-1, x.shape.at(-1) as number]);
      let y: tf.Tensor = tf.matMul(rows, this.kernel as tf.Tensor as tf.Tensor2D);
      if (x.rank !== 2) y = tf.reshape(y, [...x.shape.slice(0, -1), this.options.units]);
      if (this.bias !== null) y = tf.add(y, this.bias);
      return this.activation === null ? y : this.activation(y);
    });
  }
}

/** Applies a new `Dense` to `x`; variables `<name>/kernel`, `<name>/bias`, or `dense/…`, `dense_1/…` without a name. */
export function dense(x: tf.Tensor, options: DenseOptions): tf.Tensor {
  return new Dense({ ...options, scope: options.scope ?? options.name }).apply(x);
}
