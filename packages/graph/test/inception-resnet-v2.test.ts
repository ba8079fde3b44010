import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { argScope, nets } from '@tfparity/slim';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { GraphKeys, getCollection } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { Graph, globalVariablesInitializer, Session } from '../src/index.js';

interface GoldenRun {
  readonly variables: readonly { name: string; shape: number[]; trainable: boolean; sha256: string }[];
  readonly regularization_loss: number;
  readonly regularization_losses: readonly number[];
  readonly endpoints: Readonly<Record<string, { sha256: string; shape: number[] }>>;
  readonly logits: readonly number[];
}

const sha256 = (tensor: tf.Tensor) => {
  const { buffer, byteOffset, byteLength } = tensor.dataSync();
  tensor.dispose();
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
};

/** The golden bits are TensorFlow 2.21's: another library rounds otherwise in training, and says so by its version. */
const libraryVersion = () => (tf.backend() as unknown as { binding: { TF_Version: string } }).binding.TF_Version;

// Only the tensorflow backend has TensorFlow's own kernels, and so its bits.
describe.each(backends.filter((name) => name === 'tensorflow'))(
  'slim Inception-ResNet-v2 in a session on %s',
  (name) => {
    beforeAll(() => useBackend(name));

    describe.each(['infer', 'train'])('%s', (mode) => {
      describeGolden(`nets/inception_resnet_v2.${mode}.json`, () => {
        it('gives every variable, loss, end point and logit of the golden data', () => {
          const golden = goldenJson<GoldenRun>(`nets/inception_resnet_v2.${mode}.json`);
          const exact = libraryVersion().startsWith('2.21');
          const outside = tf.memory().numTensors;
          const graph = new Graph();
          new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() =>
            graph.asDefault(() => {
              using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
              const image = tf.ones<tf.Rank.R4>([1, 299, 299, 3]);
              const { logits, endPoints } = nets.inceptionResnetV2(image, {
                numClasses: 1000,
                isTraining: mode === 'train',
              });
              const losses = getCollection<tf.Tensor>(GraphKeys.REGULARIZATION_LOSSES);
              expect(getCollection(GraphKeys.UPDATE_OPS)).toHaveLength(mode === 'train' ? 412 : 0);
              using session = new Session(graph);
              session.run(globalVariablesInitializer());
              expect(graph.variables.map((v) => [`${v.name}:0`, v.shape, v.trainable])).toEqual(
                golden.variables.map((v) => [v.name, v.shape, v.trainable]),
              );
              expect(graph.variables.map((v) => sha256(session.run(v)))).toEqual(golden.variables.map((v) => v.sha256));
              const got = session.run({ logits, endPoints, losses }) as {
                logits: tf.Tensor;
                endPoints: Record<string, tf.Tensor>;
                losses: tf.Tensor[];
              };
              expect(got.losses.map((loss) => loss.dataSync()[0])).toEqual(golden.regularization_losses);
              const values = Array.from(got.logits.dataSync());
              if (exact) {
                expect(values).toEqual(golden.logits);
                expect(Object.fromEntries(Object.entries(got.endPoints).map(([key, v]) => [key, sha256(v)]))).toEqual(
                  Object.fromEntries(Object.entries(golden.endpoints).map(([key, v]) => [key, v.sha256])),
                );
              } else if (mode === 'infer') {
                values.forEach((value, i) => {
                  expect(Math.abs(value - golden.logits[i]!)).toBeLessThanOrEqual(
                    1e-5 + 1e-6 * Math.abs(golden.logits[i]!),
                  );
                });
              }
              tf.dispose([got.logits, got.losses, got.endPoints]);
              if (mode === 'train') return;
              // TensorFlow's session takes the common factor out of this sum; each way has its own last bit.
              const total = tf.addN(losses);
              const sum = (optimizer: boolean) => {
                using own = new Session(graph, { optimizer: { arithmeticOptimization: optimizer } });
                own.run(globalVariablesInitializer());
                const value = own.run(total);
                const [number] = value.dataSync();
                value.dispose();
                return number;
              };
              const [plain, hoisted] = [sum(false), sum(true)];
              expect(hoisted).not.toBe(plain);
              for (const value of [plain, hoisted]) {
                expect(Math.abs(value! - golden.regularization_loss)).toBeLessThanOrEqual(2.4e-7);
              }
            }),
          );
          expect(tf.memory().numTensors).toBe(outside);
        }, 240_000);
      });
    });
  },
);
