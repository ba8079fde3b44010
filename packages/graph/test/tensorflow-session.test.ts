import * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { backends, describeGolden, goldenJson, goldenPath, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { importGraphDef } from '../src/import/frozen-graph.js';
import { importMetaGraph } from '../src/import/meta-graph.js';
import { importSavedModel } from '../src/import/saved-model.js';
import { TensorFlowSession } from '../src/native/tensorflow-session.js';

interface Encoded {
  dtype: string;
  shape: number[];
  values: (number | string | boolean)[];
}

interface GraphCase {
  x: Encoded;
  logits_tensor: string;
  endpoints: Record<string, Encoded>;
  second_run_logits: Encoded;
  variables: Record<string, Encoded>;
}

const { 'tf1_graph.ckpt-3': tf1, saved_model: savedModel } = goldenJson<{
  'tf1_graph.ckpt-3': GraphCase;
  saved_model: { x: number[][]; y: number[][] };
}>('checkpoints/expected.json');

function decoded({ shape, values }: Encoded): NdArray {
  return { dtype: 'float32', shape, data: Float32Array.from(values, Number) };
}

const meta = goldenPath('checkpoints/tf1_graph.ckpt-3.meta');
const native = backends.includes('tensorflow') ? describe : describe.skip;

native('TensorFlow session (backend tensorflow)', () => {
  beforeAll(() => useBackend('tensorflow'));

  describeGolden('checkpoints/tf1_graph.ckpt-3.meta', () => {
    const x = decoded(tf1.x);

    it('restores the checkpoint and computes every end point, run after run, bit for bit', () => {
      using session = new TensorFlowSession(importMetaGraph(meta));
      session.restore(goldenPath('checkpoints/tf1_graph.ckpt-3'));
      const names = Object.keys(tf1.endpoints);
      const tensors = names.map((name) => (name === 'net/logits' ? tf1.logits_tensor : `${name}:0`));
      const first = session.runArrays(tensors, { 'x:0': x });
      const second = session.runArrays(tf1.logits_tensor, { x });
      for (const [i, name] of names.entries()) expect(first[i], name).toEqual(decoded(tf1.endpoints[name]!));
      expect(second).toEqual(decoded(tf1.second_run_logits));
      expect(new Map(Object.entries(tf1.variables).map(([k, v]) => [k, decoded(v)]))).toEqual(session.variables());
    });

    it('initialises in session to the same values', () => {
      using session = new TensorFlowSession(importMetaGraph(meta));
      session.initialize();
      for (const [name, value] of session.variables()) expect(value, name).toEqual(decoded(tf1.variables[name]!));
    });

    it('gives tensors, nested structures, null for ops, and takes a tensor on the backend as feed', () => {
      using session = new TensorFlowSession(importMetaGraph(meta));
      expect(session.run('init')).toBeNull();
      const input = tf.tensor(x.data as Float32Array, x.shape as [number, number, number, number]);
      const result = session.run({ a: ['net/conv/relu:0', 'net/conv/relu'], b: { relu: 'net/conv/relu:0' } }, [
        ['x:0', input],
      ]);
      const relu = result.b.relu as tf.Tensor;
      expect(relu.shape).toEqual([2, 8, 8, 5]);
      expect(relu.dataSync()).toEqual(decoded(tf1.endpoints['net/conv/relu']!).data);
      expect(result.a[1]).toBeNull();
      const twice = result.a[0] as tf.Tensor;
      relu.dispose();
      expect(twice.dataSync()).toEqual(decoded(tf1.endpoints['net/conv/relu']!).data);
      tf.dispose([input, twice]);
    });

    it('gives a tensor that is fed and fetched as it was fed', () => {
      using session = new TensorFlowSession(importMetaGraph(meta));
      session.initialize();
      const other = { dtype: 'float32' as const, shape: [2, 8, 8, 5], data: new Float32Array(640).fill(-1) };
      const names = ['net/conv/relu:0', 'x:0', tf1.logits_tensor];
      const [relu, fed, logits] = session.runArrays(names, { x, 'net/conv/relu:0': other }) as NdArray[];
      expect(relu).toEqual(other);
      expect(fed).toEqual(x);
      expect(logits).not.toEqual(decoded(tf1.endpoints['net/logits']!));
    });

    it('refuses values of another shape than the placeholder has, in the words of TensorFlow', () => {
      using session = new TensorFlowSession(importMetaGraph(meta));
      const wrong = { dtype: 'float32' as const, shape: [1, 8, 9, 3], data: new Float32Array(216) };
      const said = 'Cannot feed value of shape (1, 8, 9, 3) for Tensor x:0, which has shape (None, 8, 8, 3)';
      const tensor = tf.zeros([8, 8, 3]);
      for (const name of ['net/conv/relu:0', 'x:0']) {
        expect(() => session.run(name, { x: wrong })).toThrow(said);
        expect(() => session.run(name, { 'x:0': tensor })).toThrow(/value of shape \(8, 8, 3\)/);
      }
      tensor.dispose();
    });

    it('assigns variables by name', () => {
      using session = new TensorFlowSession(importMetaGraph(meta));
      session.initialize();
      const gamma = { dtype: 'float32' as const, shape: [5], data: Float32Array.of(1, 2, 3, 4, 5) };
      session.assign({ 'net/bn/gamma': gamma, 'net/bn/beta:0': [5, 4, 3, 2, 1] });
      expect(session.variables().get('net/bn/gamma:0')).toEqual(gamma);
      expect(session.variables().get('net/bn/beta:0')!.data).toEqual(Float32Array.of(5, 4, 3, 2, 1));
      expect(() => session.assign({ nope: 1 })).toThrow(/no variable 'nope:0'/);
    });

    it('speaks TensorFlow where a run fails', () => {
      using session = new TensorFlowSession(importMetaGraph(meta));
      expect(() => session.run('net/logits:0', { x })).toThrow(/uninitialized|Could not find variable/);
      session.initialize();
      expect(() => session.run('net/logits:0')).toThrow(/You must feed a value for placeholder tensor 'x'/);
      expect(() => session.run('net/logits:1', { x })).toThrow(/exists but only has 1 outputs/);
      expect(() => session.run('net/nothing:0', { x })).toThrow(/refers to an Operation not in the graph/);
      expect(() => session.run('net/logits:0', { x: [[1], [2, 3]] })).toThrow(/ragged/);
      const path = goldenPath('checkpoints/none');
      expect(() => session.restore(path)).toThrow(/checkpoints\/none/);
    });

    it('runs the saver only when a restore or a save is asked for', () => {
      using session = new TensorFlowSession(importMetaGraph(meta));
      session.initialize();
      expect(() => session.run('save/restore_all')).toThrow(/RestoreV2.*reads files/);
      expect(() => session.run('save/control_dependency:0')).toThrow(/SaveV2.*writes files/);
    });

    it('is closed once closed, and frees what it held', () => {
      const before = tf.memory().numTensors;
      const session = new TensorFlowSession(importMetaGraph(meta));
      session.initialize();
      (session.run('net/fc/weights/Read/ReadVariableOp:0') as tf.Tensor).dispose();
      session.close();
      session.close();
      expect(() => session.run('init')).toThrow('Attempted to use a closed Session.');
      expect(tf.memory().numTensors).toBe(before);
    });

    it('goes through a child process first when isolated', () => {
      using session = new TensorFlowSession(importMetaGraph(meta), { isolated: true });
      session.initialize();
      const got = session.runArrays(tf1.logits_tensor, { x });
      expect(got).toEqual(decoded(tf1.endpoints['net/logits']!));
      expect(() => new TensorFlowSession(importMetaGraph(meta), { isolated: { timeout: 1, memory: 2 ** 34 } })).toThrow(
        /took longer than 1 ms/,
      );
    });
  });

  describeGolden('checkpoints/tf1_frozen.pb', () => {
    it('computes the same logits from the frozen graph, under a prefix too', () => {
      const graph = importGraphDef(goldenPath('checkpoints/tf1_frozen.pb'), {
        name: 'import',
        returnElements: ['net/logits:0'],
      });
      expect(graph.variables).toEqual([]);
      using session = new TensorFlowSession(graph);
      const fetch = graph.elements.get('net/logits:0')!;
      const feeds = { 'import/x:0': decoded(tf1.x) };
      expect(session.runArrays(fetch, feeds)).toEqual(decoded(tf1.endpoints['net/logits']!));
      expect(session.runArrays(fetch, feeds)).toEqual(decoded(tf1.second_run_logits));
    });
  });

  describeGolden('checkpoints/saved_model', () => {
    it('runs a signature of a TF2 SavedModel, and knows its variables', () => {
      const graph = importSavedModel(goldenPath('checkpoints/saved_model'));
      const names = graph.variables.map(({ name, shape }) => [name, shape]);
      expect(names).toEqual([
        ['first/kernel:0', [3, 4]],
        ['first/bias:0', [4]],
        ['second/kernel:0', [4, 2]],
        ['second/bias:0', [2]],
      ]);
      using session = new TensorFlowSession(graph);
      const { inputs } = graph.signatures.get('serving_default')!;
      const outputs = session.call('serving_default', { [[...inputs.keys()][0]!]: savedModel.x });
      expect(Object.values(outputs)[0]!.data).toEqual(Float32Array.from(savedModel.y.flat()));
    });
  });
});
