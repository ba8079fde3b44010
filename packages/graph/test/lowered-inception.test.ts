import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { argScope, nets } from '@tfparity/slim';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { GraphKeys, getCollection } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { Graph, globalVariablesInitializer, Session } from '../src/index.js';

interface GoldenRun {
  readonly regularization_losses: readonly number[];
  readonly endpoints: Readonly<Record<string, { sha256: string }>>;
  readonly logits: readonly number[];
}

function sha256(tensor: tf.Tensor): string {
  const { buffer, byteOffset, byteLength } = tensor.dataSync();
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

const native = backends.includes('tensorflow') ? describe : describe.skip;

native("slim Inception-ResNet-v2 lowered to TensorFlow's session (backend tensorflow)", () => {
  beforeAll(() => useBackend('tensorflow'));

  describe.each(['infer', 'train'])('%s', (mode) => {
    describeGolden(`nets/inception_resnet_v2.${mode}.json`, () => {
      it('gives every loss, end point and logit of the golden data', () => {
        const golden = goldenJson<GoldenRun>(`nets/inception_resnet_v2.${mode}.json`);
        const graph = new Graph();
        new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() =>
          graph.asDefault(() => {
            using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
            const image = tf.ones<tf.Rank.R4>([1, 299, 299, 3]);
            const isTraining = mode === 'train';
            const { logits, endPoints } = nets.inceptionResnetV2(image, { numClasses: 1000, isTraining });
            const losses = getCollection<tf.Tensor>(GraphKeys.REGULARIZATION_LOSSES);
            using session = new Session(graph, { engine: 'tensorflow' });
            session.run(globalVariablesInitializer());
            const got = session.run({ logits, endPoints, losses }) as unknown as {
              logits: tf.Tensor;
              endPoints: Record<string, tf.Tensor>;
              losses: tf.Tensor[];
            };
            expect(got.losses.map((loss) => loss.dataSync()[0])).toEqual(golden.regularization_losses);
            expect(Array.from(got.logits.dataSync())).toEqual(golden.logits);
            expect(Object.fromEntries(Object.entries(got.endPoints).map(([key, v]) => [key, sha256(v)]))).toEqual(
              Object.fromEntries(Object.entries(golden.endpoints).map(([key, v]) => [key, v.sha256])),
            );
            tf.dispose([got.logits, got.losses, got.endPoints]);
          }),
        );
      }, 240_000);
    });
  });
});
