import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { RandomOp } from '@tfparity/random/philox';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { tf1VariableStore, trackTf1StyleVariables } from '@tfparity/variables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { argScope, type EndPoints, nets } from '../src/index.js';

interface Summary {
  shape: number[];
  sha256: string;
  stride: number;
  samples: number[];
  l2: number;
}

interface Golden {
  variables: { name: string; shape: number[]; trainable: boolean; sha256: string }[];
  regularization_loss: number;
  regularization_losses: number[];
  endpoints: Record<string, Summary>;
  logits: number[];
  after_step: Record<string, Summary>;
}

const golden = (run: string): Golden => goldenJson(`nets/inception_resnet_v2.${run}.json`);

/** TensorFlow's own kernels give TensorFlow's bits; those of the other backends its values. */
const isNative = (backend: string) => backend === 'tensorflow';
/** The plain JavaScript backend takes minutes for one forward pass of this net. */
const isFast = (backend: string) => backend !== 'cpu';

/** DESIGN's bars for backends that are not TensorFlow. */
const INFERENCE = { rtol: 1e-6, atol: 1e-5 };
/** Before dropout, values up to 5: batch statistics of 31 layers in a row, each rounded on its own. */
const TRAINING = { rtol: 0, atol: 1e-4 };

const sha256 = (t: tf.Tensor): string => {
  const { buffer, byteOffset, byteLength } = t.dataSync();
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
};

class InceptionResnetV2 extends tfl.layers.Layer {
  static className = 'InceptionResnetV2';

  readonly forward = trackTf1StyleVariables(function (this: InceptionResnetV2, inputs: tf.Tensor, isTraining: boolean) {
    using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
    return nets.inceptionResnetV2(inputs, { numClasses: 1000, isTraining }).endPoints;
  });

  get tf1Variables(): tf.Variable[] {
    return [...(tf1VariableStore(this)?.variables.values() ?? [])];
  }
}

const ones = () => tf.ones([1, 299, 299, 3]);

/** The golden image: RandomUniform(seed=42, seed2=100000). */
function image(): tf.Tensor {
  const { data } = new RandomOp('RandomUniform', { seed: 42, seed2: 100000, dtype: 'float32' }).draw({
    shape: [2, 299, 299, 3],
  });
  return tf.tensor(data as Float32Array, [2, 299, 299, 3]);
}

function expectBits(endPoints: EndPoints, expected: Golden): void {
  expect(Object.keys(endPoints)).toEqual(Object.keys(expected.endpoints));
  const hashes = Object.entries(endPoints).map(([name, t]) => [name, sha256(t)]);
  expect(hashes).toEqual(Object.entries(expected.endpoints).map(([name, summary]) => [name, summary.sha256]));
  expect([...(endPoints['Logits'] as tf.Tensor).dataSync()]).toEqual(expected.logits);
}

function expectNear(
  name: string,
  t: tf.Tensor,
  summary: Summary,
  { rtol, atol }: { rtol: number; atol: number },
): void {
  expect(t.shape, name).toEqual(summary.shape);
  const values = t.dataSync();
  let squares = 0;
  for (const value of values) squares += value * value;
  expect(Math.abs(Math.sqrt(squares) - summary.l2), `${name}: l2`).toBeLessThanOrEqual(1e-4 * summary.l2);
  for (const [i, sample] of summary.samples.entries()) {
    const difference = Math.abs((values[i * summary.stride] as number) - sample);
    expect(difference, `${name}[${i * summary.stride}]`).toBeLessThanOrEqual(atol + rtol * Math.abs(sample));
  }
}

function expectVariables(model: InceptionResnetV2, expected: Golden): void {
  const found = model.tf1Variables.map((v) => ({
    name: `${v.name}:0`,
    shape: v.shape,
    trainable: v.trainable,
    sha256: sha256(v),
  }));
  const keys = ({ name, shape, trainable, sha256: hash }: Golden['variables'][number]) => ({
    name,
    shape,
    trainable,
    sha256: hash,
  });
  expect(found).toEqual(expected.variables.map(keys));
}

/**
 * Relative error of a loss elsewhere than on TensorFlow; with equal weights TensorFlow's own float32 sum is off by 3e-6.
 */
const LOSS_TOLERANCE = { infer: 1e-6, reset: 4e-6 };

function expectLosses(model: InceptionResnetV2, run: 'infer' | 'reset', native: boolean): void {
  const expected = golden(run);
  tf.tidy(() => {
    const losses = [...(tf1VariableStore(model)?.regularizers.values() ?? [])].map((loss) => loss() as tf.Tensor);
    const values = losses.map((loss) => loss.dataSync()[0] as number);
    if (native) expect(values).toEqual(expected.regularization_losses);
    expect(values.length).toBe(expected.regularization_losses.length);
    const near = (a: number, b: number) => Math.abs(a - b) <= LOSS_TOLERANCE[run] * Math.abs(b);
    expect(values.filter((value, i) => !near(value, expected.regularization_losses[i] as number))).toEqual([]);
    // A graph's AddN of 290 scalars sums in another order than an eager one: the last bit differs on TensorFlow itself.
    expect(near(tf.addN(losses).dataSync()[0] as number, expected.regularization_loss)).toBe(true);
  });
}

/** What a test of the net does with its model, which is disposed at the end. */
function withModel(body: (model: InceptionResnetV2) => void): void {
  const model = new InceptionResnetV2({});
  try {
    tf.tidy(() => body(model));
  } finally {
    for (const variable of model.tf1Variables) variable.dispose();
  }
}

describeGolden('nets/inception_resnet_v2.infer.json', () => {
  describe.each(backends.filter(isFast))('on %s', (backend) => {
    const native = isNative(backend);
    let tensorsBefore = 0;
    beforeAll(async () => {
      await useBackend(backend);
      tensorsBefore = tf.memory().numTensors;
    });
    afterAll(() => expect(tf.memory().numTensors).toBe(tensorsBefore));

    it('infers, and infers again with every variable reset to 0.001', () =>
      withModel((model) => {
        const infer = golden('infer');
        const tool = new DeterministicRandomTestTool({ mode: 'num_random_ops' });
        const endPoints = tool.scope(() => model.forward(ones(), false));
        expectVariables(model, infer);
        expectLosses(model, 'infer', native);
        if (native) expectBits(endPoints, infer);
        for (const [name, t] of Object.entries(endPoints)) {
          expectNear(name, t, infer.endpoints[name] as Summary, INFERENCE);
        }

        const reset = golden('reset');
        for (const variable of model.tf1Variables) tf.tidy(() => variable.assign(tf.fill(variable.shape, 0.001)));
        const again = model.forward(ones(), false);
        expect(model.tf1Variables.length).toBe(reset.variables.length);
        expectLosses(model, 'reset', native);
        if (native) expectBits(again, reset);
        for (const [name, t] of Object.entries(again)) {
          expectNear(name, t, reset.endpoints[name] as Summary, INFERENCE);
        }
      }));

    it('trains on an image and moves its averages, and trains on ones', () =>
      withModel((model) => {
        const expected = golden('image');
        const tool = new DeterministicRandomTestTool({ mode: 'num_random_ops' });
        const endPoints = tool.scope(() => model.forward(image(), true));
        expect(Object.keys(endPoints)).toEqual(Object.keys(expected.endpoints));
        if (native) expectBits(endPoints, expected);
        for (const [name, t] of Object.entries(endPoints)) {
          expectNear(name, t, expected.endpoints[name] as Summary, TRAINING);
        }
        // The optimizer's step does not touch them, nor does the number of classes: only the batch norms do.
        const { after_step: afterStep } = golden('sgd');
        const moving = model.tf1Variables.filter(({ name }) => /moving_(mean|variance)$/.test(name));
        expect(moving.length).toBe(expected.variables.filter(({ trainable }) => !trainable).length);
        for (const variable of moving) {
          const summary = afterStep[`${variable.name}:0`] as Summary;
          if (native) expect(sha256(variable), variable.name).toBe(summary.sha256);
          else expectNear(variable.name, variable, summary, { rtol: 1e-6, atol: 1e-6 });
        }
        // An input of ones makes every batch statistic that of a constant: what is left are TensorFlow's own rounding
        // errors, which no other kernels can have (DESIGN, "What was measured").
        if (!native) return;
        const train = golden('train');
        expect(model.tf1Variables.map((v) => `${v.name}:0`)).toEqual(train.variables.map(({ name }) => name));
        // The variables are there; the one draw left, dropout, came after all weights but the last.
        const again = new DeterministicRandomTestTool({ mode: 'num_random_ops' });
        again.operationSeed = model.tf1Variables.filter(({ name }) => name.endsWith('/weights')).length - 1;
        const onOnes = again.scope(() => model.forward(ones(), true));
        expectBits(onOnes, train);
      }));
  });

  describe.each(backends.filter(isNative))('constant mode on %s', (backend) => {
    beforeAll(() => useBackend(backend));

    it('trains on ones, bit for bit', () =>
      withModel((model) => {
        const expected = golden('constant');
        const tool = new DeterministicRandomTestTool({ mode: 'constant' });
        expectBits(
          tool.scope(() => model.forward(ones(), true)),
          expected,
        );
        const weights = (v: { name: string }) => !v.name.includes('BatchNorm');
        const found = model.tf1Variables.filter(weights).map((v) => sha256(v));
        expect(found).toEqual(expected.variables.filter(weights).map((v) => v.sha256));
      }));
  });
});
