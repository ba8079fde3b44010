// The guide's two examples for step 1: a layer that makes new variables in every call, and the same layer mended.

import * as tf from '@tensorflow/tfjs-core';
import { Tf1Layer, trackTf1StyleVariables, variable } from '@tfparity/variables';

/** Scales by variables that each call makes anew: what the guards of step 1 are there to find. */
export class BrokenScalingLayer extends Tf1Layer<tf.Tensor> {
  static readonly className = 'BrokenScalingLayer';

  @trackTf1StyleVariables
  override call(inputs: tf.Tensor): tf.Tensor {
    const scale = variable(2);
    const bias = variable(2, { name: 'bias' });
    return tf.add(tf.mul(inputs, scale), bias);
  }
}

/** Scales by variables that the first call makes and the others reuse. */
export class FixedScalingLayer extends Tf1Layer<tf.Tensor> {
  static readonly className = 'FixedScalingLayer';
  private scale?: tf.Variable;
  private bias?: tf.Variable;

  @trackTf1StyleVariables
  override call(inputs: tf.Tensor): tf.Tensor {
    this.scale ??= variable(2);
    this.bias ??= variable(2, { name: 'bias' });
    return tf.add(tf.mul(inputs, this.scale), this.bias);
  }
}
