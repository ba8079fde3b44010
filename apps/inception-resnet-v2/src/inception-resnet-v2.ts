// The model on both sides: slim's forward pass as TF1 code has it, and the same pass inside a layer, as the guide migrates it.

import type * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, model } from '@tensorflow/tfjs-layers';
import { argScope, nets } from '@tfparity/slim';
import { Tf1Layer, trackTf1StyleVariables } from '@tfparity/variables';

/** What the net gives: unscaled class scores [batch, numClasses], and every end point by name, in order. */
export interface InceptionOutputs {
  [name: string]: tf.Tensor | Record<string, tf.Tensor>;
  logits: tf.Tensor;
  endPoints: Record<string, tf.Tensor>;
}

/** Inception-ResNet-v2's forward pass as TF1 code calls it; `images` is [batch, 299, 299, 3]. */
export function forwardPass(images: tf.Tensor, { numClasses = 1000, training = false } = {}): InceptionOutputs {
  using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
  return { ...nets.inceptionResnetV2(images as tf.Tensor4D, { numClasses, isTraining: training }) };
}

/** The migrated model: the same forward pass, whose variables now belong to a layer. */
export class InceptionResnetV2 extends Tf1Layer<InceptionOutputs> {
  static readonly className = 'InceptionResnetV2';

  constructor(private readonly numClasses: number) {
    super({});
  }

  @trackTf1StyleVariables
  override call(images: tf.Tensor, { training = false } = {}): InceptionOutputs {
    return forwardPass(images, { numClasses: this.numClasses, training });
  }
}

/**
 * The migrated model for use inside a functional model, which knows only tensors: it gives the logits, and shows all
 * outputs to `onOutputs`. (Several outputs would be costly: TensorFlow.js runs a layer anew for each one it is asked for.)
 */
export class InceptionLogits extends Tf1Layer<tf.Tensor> {
  static readonly className = 'InceptionLogits';

  constructor(
    readonly net: InceptionResnetV2,
    private readonly onOutputs: (outputs: InceptionOutputs) => void = () => {},
  ) {
    super({});
  }

  @trackTf1StyleVariables
  override call(inputs: tf.Tensor | tf.Tensor[], { training = false } = {}): tf.Tensor {
    const outputs = this.net.call([inputs].flat()[0]!, { training });
    this.onOutputs(outputs);
    return outputs.logits;
  }

  /** This layer in a functional model for images of 299 x 299; building it makes the variables. */
  asFunctionalModel({ training = false } = {}): LayersModel {
    const images = input({ shape: [299, 299, 3] });
    return model({ inputs: images, outputs: this.apply(images, { training }) });
  }
}
