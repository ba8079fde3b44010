// A TF1 checkpoint in a native tf.layers model, by a map of names: golden/native, a slim net and what TensorFlow computes with it.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NdArray } from '@tfparity/array';
import { backends, describeGolden, goldenJson, goldenPath, useBackend } from '@tfparity/testing';
import { afterAll, expect, it } from 'vitest';
import {
  assignFromCheckpoint,
  coverage,
  type ModelVariable,
  mapCheckpoint,
  nameMap,
  openCheckpoint,
  type RenameRule,
  writeObjectCheckpoint,
} from '../src/index.js';
import { type ExpectedTensor, expectedArray } from './expected-tensor.js';

interface Tensor {
  readonly shape: number[];
  readonly dtype: 'float32';
  dataSync(): Float32Array;
  dispose(): void;
}

interface Weight {
  readonly originalName: string;
  readonly name: string;
  readonly shape: number[];
  readonly dtype: string;
  read(): Tensor;
  write(value: Tensor): void;
}

interface Model {
  readonly weights: Weight[];
  readonly layers: { readonly weights: Weight[] }[];
  predict(x: Tensor): Tensor[];
  dispose(): void;
}

type Layer = { apply(x: unknown): unknown };

/** What is used of tfjs: through require, as its declarations would bring all of tfjs into this package's types. */
interface Tf {
  tensor(values: ArrayLike<number>, shape: readonly number[], dtype: string): Tensor;
  input(options: object): unknown;
  model(options: object): Model;
  layers: Record<
    'conv2d' | 'batchNormalization' | 'activation' | 'maxPooling2d' | 'flatten' | 'dense',
    (o: object) => Layer
  >;
}

function netOf({ input, layers, model }: Tf): Model {
  const inputs = input({ shape: [12, 12, 3] });
  const conv1 = { name: 'conv1', filters: 8, kernelSize: 3, strides: 2, padding: 'same', useBias: false };
  const normal = layers.batchNormalization({ name: 'norm1', epsilon: 0.001 }).apply(layers.conv2d(conv1).apply(inputs));
  const first = layers.activation({ activation: 'relu' }).apply(normal);
  const pool = layers.maxPooling2d({ poolSize: 2, strides: 2, padding: 'valid' }).apply(first);
  const conv2 = { name: 'conv2', filters: 16, kernelSize: [1, 3], padding: 'same', activation: 'relu' };
  const second = layers.conv2d(conv2).apply(pool);
  const logits = layers.dense({ name: 'logits', units: 5 }).apply(layers.flatten({}).apply(second));
  return model({ inputs, outputs: [first, pool, second, logits] });
}

const NAMES: readonly RenameRule[] = [
  { regex: 'net/(conv\\d|logits)/weights', to: '$1/kernel' },
  { regex: 'net/(conv\\d|logits)/biases', to: '$1/bias' },
  { regex: 'net/conv(\\d)/BatchNorm/(.*)', to: 'norm$1/$2' },
];

const variablesOf = ({ weights }: Model): (ModelVariable & { weight: Weight })[] =>
  weights.map((weight) => ({ name: weight.originalName, shape: weight.shape, dtype: weight.dtype, weight }));

const folder = mkdtempSync(join(tmpdir(), 'tfparity-native-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeGolden('native/expected.json', () => {
  it.runIf(backends.includes('tensorflow'))('computes with its values what TensorFlow did, to the bit', async () => {
    await useBackend('tensorflow');
    const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node') as Tf;
    const expected = goldenJson<{ x: ExpectedTensor; end_points: Record<string, ExpectedTensor> }>(
      'native/expected.json',
    );
    const checkpoint = await openCheckpoint(goldenPath('native'));
    const named = mapCheckpoint(checkpoint, { names: nameMap(NAMES) });
    const model = netOf(tf);
    const report = coverage(named, variablesOf(model));
    expect([report.missing, report.conflicts, report.unused.map(({ tensor }) => tensor)]).toEqual([
      [],
      [],
      ['global_step'],
    ]);
    const assign = ({ weight }: { weight: Weight }, { data, shape, dtype }: NdArray): void => {
      const value = tf.tensor(data as Float32Array, shape, dtype);
      weight.write(value);
      value.dispose();
    };
    const { assigned } = await assignFromCheckpoint(named, variablesOf(model), { assign });
    expect(assigned).toHaveLength(9);
    const check = (net: Model): void => {
      const { data, shape, dtype } = expectedArray(expected.x);
      const outputs = net.predict(tf.tensor(data as Float32Array, shape, dtype));
      for (const [i, [name, tensor]] of Object.entries(expected.end_points).entries()) {
        expect(outputs[i]!.dataSync(), name).toEqual(expectedArray(tensor).data);
      }
      for (const output of outputs) output.dispose();
    };
    check(model);

    // And on, by objects: written, read back into a fresh model by path, and the same again.
    await writeObjectCheckpoint(join(folder, 'native-1'), { model });
    const again = await openCheckpoint(join(folder, 'native-1'));
    expect(again.entry('model/layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE').shape).toEqual([3, 3, 3, 8]);
    const fresh = netOf(tf);
    await assignFromCheckpoint(again, variablesOf(fresh), { assign });
    check(fresh);
    for (const net of [model, fresh]) net.dispose();
  });
});
