// golden/nets/inception_resnet_v2.sgd.json against eager code: the net in a layer, as a migrated program has it.
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { RandomOp } from '@tfparity/random/philox';
import { argScope, nets } from '@tfparity/slim';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { tf1VariableStore, trackTf1StyleVariables } from '@tfparity/variables';
import { beforeAll, expect, it } from 'vitest';
import { GradientDescentOptimizer, softmaxCrossEntropyWithLogits, variableGrads } from '../src/index.js';

type Summaries = Record<string, { sha256: string }>;

interface Golden {
  readonly total_loss: number;
  readonly gradients: Summaries;
  readonly after_step: Summaries;
}

class InceptionResnetV2 extends tfl.layers.Layer {
  static className = 'TrainedInceptionResnetV2';

  @trackTf1StyleVariables
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const images = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
    return nets.inceptionResnetV2(images, { numClasses: 10, isTraining: true }).logits;
  }
}

function sha256(tensor: tf.Tensor): string {
  const { buffer, byteOffset, byteLength } = tensor.dataSync() as Float32Array;
  return createHash('sha256')
    .update(Buffer.from(buffer, byteOffset, byteLength))
    .digest('hex');
}

function differing(found: Iterable<readonly [string, tf.Tensor]>, golden: Summaries): string[] {
  return [...found].filter(([name, value]) => sha256(value) !== golden[`${name}:0`]?.sha256).map(([name]) => name);
}

// On every backend but TensorFlow's own a step of this net takes minutes.
if (backends.includes('tensorflow')) {
  describeGolden('nets/inception_resnet_v2.sgd.json', () => {
    beforeAll(() => useBackend('tensorflow'));

    it('eager code gives loss, gradients, variables and moving averages of a TF1 session, bit for bit', () => {
      const golden = goldenJson<Golden>('nets/inception_resnet_v2.sgd.json');
      new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() => {
        const model = new InceptionResnetV2({});
        const shape: [number, number, number, number] = [2, 299, 299, 3];
        const { data } = new RandomOp('RandomUniform', { seed: 42, seed2: 100000, dtype: 'float32' }).draw({ shape });
        const images = tf.tensor4d(data as Float32Array, shape);
        const labels = tf.cast(tf.oneHot([0, 7], 10), 'float32') as tf.Tensor2D;
        const variables = () => [...(tf1VariableStore(model)?.variables.values() ?? [])];
        const loss = () => {
          const logits = model.apply(images) as tf.Tensor2D;
          const crossEntropy = tf.mean(softmaxCrossEntropyWithLogits(labels, logits));
          return tf.add(crossEntropy, tf.addN(model.calculateLosses())) as tf.Scalar;
        };
        const { value, gradients } = variableGrads(loss, () => variables().filter(({ trainable }) => trainable));
        expect(value.dataSync()[0]).toBe(golden.total_loss);
        const given = gradients.flatMap(([gradient, v]) =>
          gradient === null ? [] : [[v.name, gradient as tf.Tensor] as const],
        );
        expect(given).toHaveLength(698);
        expect(differing(given, golden.gradients)).toEqual([]);
        new GradientDescentOptimizer({ learningRate: 0.01 }).applyGradients(gradients);
        expect(
          differing(
            variables().map((v) => [v.name, v] as const),
            golden.after_step,
          ),
        ).toEqual([]);
        tf.dispose([value, images, labels, variables(), given.map(([, gradient]) => gradient)]);
      });
    }, 300_000);
  });
}
