// The model on both sides: slim's forward pass as TF1 code has it, and the same pass inside a layer, as the guide migrates it.

import type * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { argScope, nets } from '@tfparity/slim';
import { trackTf1StyleVariables } from '@tfparity/variables';

/** What the net gives: unscaled class scores [batch, numClasses], and every end point by name, in order. */
export interface InceptionOutputs {
  [name: string]: tf.Tensor | Record<string, tf.Tensor>;
  logits: tf.Tensor;
  endPoints: Record<string, tf.Tensor>;
}

/** Inception-ResNet-v2's forward pass as TF1 code calls it; `images` is [batch, 299, 299, 3]. */
export function forwardPass(images: tf.Tensor4D, { numClasses = 1000, training = false } = {}): InceptionOutputs {
  using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
  return { ...nets.inceptionResnetV2(images, { numClasses, isTraining: training }) };
}

/** The migrated model: the same forward pass, whose variables now belong to a layer. */
export class InceptionResnetV2 extends layers.Layer {
  static readonly className = 'InceptionResnetV2';
  private endPointNames: string[] = [];

  constructor(private readonly numClasses: number) {
    super({});
  }

  /** Logits, then every end point: TensorFlow.js's layers give lists, so `named` puts the names back. */
  @trackTf1StyleVariables
  override call(inputs: tf.Tensor | tf.Tensor[], { training = false } = {}): tf.Tensor[] {
    const images = Array.isArray(inputs) ? inputs[0] : inputs;
    const { logits, endPoints } = forwardPass(images as tf.Tensor4D, { numClasses: this.numClasses, training });
    this.endPointNames = Object.keys(endPoints);
    return [logits, ...Object.values(endPoints)];
  }

  /** The outputs of a call by name. */
  named([logits, ...endPoints]: readonly tf.Tensor[]): InceptionOutputs {
    const entries = this.endPointNames.map((name, i) => [name, endPoints[i]!] as const);
    return { logits: logits!, endPoints: Object.fromEntries(entries) };
  }

  /** The layer in a functional model for images of 299 x 299; building it makes the variables. */
  asFunctionalModel({ training = false } = {}): LayersModel {
    const images = input({ shape: [299, 299, 3] });
    return model({ inputs: images, outputs: this.apply(images, { training }) as SymbolicTensor[] });
  }
}
