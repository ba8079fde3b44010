import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { bytesOf, type NdArray } from '@tfparity/array';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { argScope, nets } from '@tfparity/slim';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { GraphKeys, getCollection } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { Graph, Session } from '../src/index.js';

interface GoldenRun {
  readonly variables: readonly { name: string; shape: number[]; trainable: boolean; sha256: string }[];
  readonly regularization_loss: number;
  readonly regularization_losses: readonly number[];
  readonly endpoints: Readonly<Record<string, { sha256: string; shape: number[] }>>;
  readonly logits: readonly number[];
}

type Mode = 'infer' | 'train' | 'constant';

const sha256 = (array: NdArray): string => createHash('sha256').update(bytesOf(array)).digest('hex');

/** The golden bits are TensorFlow 2.21's: another library rounds otherwise in training, and says so by its version. */
const libraryVersion = () => (tf.backend() as unknown as { binding: { TF_Version: string } }).binding.TF_Version;

/** The guide's model, recorded under the test tool, and what a run of it is asked for. */
function trace(mode: Mode) {
  const graph = new Graph();
  const tool = new DeterministicRandomTestTool({ mode: mode === 'constant' ? 'constant' : 'num_random_ops' });
  const fetches = tool.scope(() =>
    graph.asDefault(() => {
      using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
      const image = tf.ones<tf.Rank.R4>([1, 299, 299, 3]);
      const { logits, endPoints } = nets.inceptionResnetV2(image, { numClasses: 1000, isTraining: mode !== 'infer' });
      return { logits, endPoints, losses: getCollection<tf.Tensor>(GraphKeys.REGULARIZATION_LOSSES) };
    }),
  );
  expect(graph.collections.get(GraphKeys.UPDATE_OPS)).toHaveLength(mode === 'infer' ? 0 : 412);
  return { graph, fetches };
}

type Fetches = ReturnType<typeof trace>['fetches'];

/** Holds a run to the golden data: variables' names and (where they are drawn) values, every loss, end point and logit. */
function expectGolden(session: Session, fetches: Fetches, name: string, initialized = true): void {
  const golden = goldenJson<GoldenRun>(`nets/inception_resnet_v2.${name}.json`);
  expect(session.graph.variables.map((v) => [`${v.name}:0`, v.shape, v.trainable])).toEqual(
    golden.variables.map((v) => [v.name, v.shape, v.trainable]),
  );
  if (initialized) {
    expect([...session.variables().values()].map(sha256)).toEqual(golden.variables.map((v) => v.sha256));
  }
  const { logits, endPoints, losses } = session.runArrays(fetches);
  expect(losses.map((loss) => loss.data[0])).toEqual(golden.regularization_losses);
  if (libraryVersion().startsWith('2.21')) {
    expect(Array.from(logits.data as Float32Array)).toEqual(golden.logits);
    expect(Object.fromEntries(Object.entries(endPoints).map(([key, value]) => [key, sha256(value)]))).toEqual(
      Object.fromEntries(Object.entries(golden.endpoints).map(([key, value]) => [key, value.sha256])),
    );
  } else if (name === 'infer') {
    for (const [i, value] of (logits.data as Float32Array).entries()) {
      expect(Math.abs(value - golden.logits[i]!)).toBeLessThanOrEqual(1e-5 + 1e-6 * Math.abs(golden.logits[i]!));
    }
  }
}

// Only the tensorflow backend has TensorFlow's own kernels, and so its bits.
describe.each(backends.filter((name) => name === 'tensorflow'))(
  'slim Inception-ResNet-v2 in sessions on %s',
  (name) => {
    beforeAll(() => useBackend(name));

    describe.each<Mode>(['infer', 'train', 'constant'])('%s', (mode) => {
      describeGolden(`nets/inception_resnet_v2.${mode}.json`, () => {
        let traced: ReturnType<typeof trace>;
        let outside = 0;
        beforeAll(() => {
          traced = trace(mode);
          outside = tf.memory().numTensors;
        });

        it.runIf(mode !== 'constant')(
          'gives the golden bits in a replay',
          () => {
            const { graph, fetches } = traced;
            let values: Map<string, NdArray> | undefined;
            {
              using session = new Session(graph);
              session.initialize();
              // Those of training are held below, and here by what is computed with them.
              expectGolden(session, fetches, mode, mode === 'infer');
              if (mode === 'infer') values = session.variables();
            }
            expect(tf.memory().numTensors).toBe(outside);
            if (values === undefined) return;
            // TensorFlow's session takes the common factor out of this sum; each way has its own last bit.
            const total = graph.asDefault(() => tf.addN([...fetches.losses]));
            const sum = (arithmeticOptimization: boolean) => {
              using own = new Session(graph, { optimizer: { arithmeticOptimization } });
              own.assign(values);
              return Number(own.runArrays(total).data[0]);
            };
            const [plain, hoisted] = [sum(false), sum(true)];
            expect(hoisted).not.toBe(plain);
            const { regularization_loss } = goldenJson<GoldenRun>(`nets/inception_resnet_v2.${mode}.json`);
            for (const value of [plain, hoisted])
              expect(Math.abs(value - regularization_loss)).toBeLessThanOrEqual(2.4e-7);
          },
          240_000,
        );

        it("gives the golden bits in TensorFlow's session, with its optimizer on and off", () => {
          const { graph, fetches } = traced;
          {
            using session = new Session(graph, { engine: 'tensorflow' });
            session.initialize();
            expectGolden(session, fetches, mode);
            if (mode === 'infer') {
              // The guide's fourth run: every variable 0.001.
              session.assign(new Map(graph.variables.map((v) => [v.name, filled(v.shape, 0.001)])));
              expectGolden(session, fetches, 'reset', false);
            }
          }
          if (mode === 'train') {
            using session = new Session(graph, { engine: 'tensorflow', optimizer: false });
            session.initialize();
            expectGolden(session, fetches, mode, false);
          }
          expect(tf.memory().numTensors).toBe(outside);
        }, 240_000);
      });
    });
  },
);

function filled(shape: readonly number[], value: number): NdArray {
  return { dtype: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value) };
}
