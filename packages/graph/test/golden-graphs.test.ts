import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { bytesOf, type NdArray } from '@tfparity/array';
import { backends, describeGolden, goldenJson, goldenPath, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { importMetaGraph } from '../src/import/meta-graph.js';
import { TensorFlowSession } from '../src/native/tensorflow-session.js';

interface Fetched {
  input: string;
  logits: string;
  regularization_loss: string;
  init: string;
  endpoints: Record<string, string>;
  update_ops: string[];
}

interface Net {
  variables: { name: string; shape: number[]; trainable: boolean; dtype: string; sha256: string }[];
  regularization_loss: number;
  endpoints: Record<string, { sha256: string }>;
}

const sha256 = (array: NdArray): string => createHash('sha256').update(bytesOf(array)).digest('hex');
const native = backends.includes('tensorflow') ? describe : describe.skip;

native("slim's own TF1 graphs in TensorFlow's session (backend tensorflow)", () => {
  beforeAll(() => useBackend('tensorflow'));

  for (const mode of ['infer', 'train', 'constant']) {
    describeGolden(`graphs/inception_resnet_v2.${mode}.meta`, () => {
      it('gives every variable, the loss and every end point bit for bit', () => {
        const names = goldenJson<Fetched>(`graphs/inception_resnet_v2.${mode}.fetches.json`);
        const net = goldenJson<Net>(`nets/inception_resnet_v2.${mode}.json`);
        const graph = importMetaGraph(goldenPath(`graphs/inception_resnet_v2.${mode}.meta`));
        expect(graph.variables.map(({ name, shape, trainable, dtype }) => ({ name, shape, trainable, dtype }))).toEqual(
          net.variables.map(({ name, shape, trainable, dtype }) => ({ name, shape, trainable, dtype })),
        );
        expect(graph.collection('update_ops')).toEqual(names.update_ops);
        using session = new TensorFlowSession(graph);
        session.run(names.init);
        const input = tf.ones([1, 299, 299, 3]);
        const { loss, ends } = session.runArrays(
          { loss: names.regularization_loss, ends: names.endpoints },
          { [names.input]: input },
        );
        input.dispose();
        expect((loss as NdArray<Float32Array>).data[0]).toBe(net.regularization_loss);
        const computed = Object.entries(ends as Record<string, NdArray>).map(([name, array]) => [name, sha256(array)]);
        expect(Object.fromEntries(computed)).toEqual(
          Object.fromEntries(Object.entries(net.endpoints).map(([name, { sha256 }]) => [name, sha256])),
        );
        const variables = [...session.variables()].map(([name, array]) => [name, sha256(array)]);
        expect(variables).toEqual(net.variables.map(({ name, sha256 }) => [name, sha256]));
      }, 240_000);
    });
  }
});
