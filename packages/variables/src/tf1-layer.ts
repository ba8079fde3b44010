// Ports VariableScopeLayer (tf_keras variable_scope_shim.py, 2.21) in spirit: a base class for migrated forward passes.
import type * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { attachStore, layerVariables, regularizationLoss, type ShimOwner } from './shim-layer.js';

type LayerConfig = ConstructorParameters<typeof layers.Layer>[0];

// tfjs's types let call() return tensors only; its code lets it return anything.
const Base = layers.Layer as unknown as new (config?: LayerConfig) => Omit<layers.Layer, 'call' | 'apply'>;

/** Arguments of a call beside the inputs; tf.model passes `training`. */
export interface CallOptions {
  training?: boolean;
  [name: string]: unknown;
}

/**
 * A tf.layers layer whose `call` may return any structure, such as `{logits, endPoints}`, for migrated forward passes.
 *
 * It is `tf.layers.Layer` with other types and three shorthands; decorate `call` with `trackTf1StyleVariables`. In a
 * functional `tf.model` its `call` must return a tensor or an array of them.
 */
export abstract class Tf1Layer<Output = tf.Tensor | tf.Tensor[]> extends Base {
  constructor(config?: LayerConfig) {
    super(config);
    attachStore(this as ShimOwner);
  }

  /** The forward pass. */
  abstract call(inputs: tf.Tensor | tf.Tensor[], options?: CallOptions): Output;

  /** Calls the layer: on tensors it gives what `call` returns, on symbolic tensors of tf.model a symbolic tensor. */
  apply(inputs: SymbolicTensor | SymbolicTensor[], options?: CallOptions): SymbolicTensor;
  apply(inputs: tf.Tensor | tf.Tensor[], options?: CallOptions): Output;
  apply(
    inputs: tf.Tensor | tf.Tensor[] | SymbolicTensor | SymbolicTensor[],
    options?: CallOptions,
  ): Output | SymbolicTensor {
    return layers.Layer.prototype.apply.call(this, inputs, options) as Output | SymbolicTensor;
  }

  /** All variables: trainable, then not, each group in Keras's order; see `layerVariables`. */
  get variables(): tf.Variable[] {
    return layerVariables(this as unknown as layers.Layer);
  }

  /** The variables that are trained. */
  get trainableVariables(): tf.Variable[] {
    return this.trainableWeights.map((weight) => weight.read() as tf.Variable);
  }

  /** The sum of the losses with the current values of the variables; 0 where there are none. */
  regularizationLoss(): tf.Scalar {
    return regularizationLoss(this as unknown as layers.Layer);
  }
}
