import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { backends, describeGolden, goldenJson, goldenPath, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../src/import/message.js';
import { SavedModel } from '../src/import/meta-graph-protos.js';
import {
  assignAdd,
  Graph,
  GraphError,
  globalVariablesInitializer,
  importGraphDef,
  importMetaGraph,
  importSavedModel,
  placeholder,
  Session,
  writeSavedModel,
} from '../src/index.js';

interface Encoded {
  shape: number[];
  values: number[];
}

const native = backends.includes('tensorflow') ? describe : describe.skip;
const floats = ({ shape, values }: Encoded): NdArray => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values, Number),
});

native('sessions of graphs that were read, and of recorded ones, are one thing (backend tensorflow)', () => {
  let folder = '';
  beforeAll(async () => {
    await useBackend('tensorflow');
    folder = mkdtempSync(join(tmpdir(), 'tfparity-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  describeGolden('checkpoints/tf1_graph.ckpt-3.meta', () => {
    const golden = goldenJson<{
      'tf1_graph.ckpt-3': {
        x: Encoded;
        logits_tensor: string;
        endpoints: Record<string, Encoded>;
        variables: Record<string, Encoded>;
      };
      saved_model: { x: number[][]; y: number[][] };
    }>('checkpoints/expected.json');
    const { x, logits_tensor, endpoints, variables } = golden['tf1_graph.ckpt-3'];
    const meta = goldenPath('checkpoints/tf1_graph.ckpt-3.meta');

    it('restores a .meta and gives tensors', () => {
      using session = new Session(importMetaGraph(meta), { engine: 'tensorflow' });
      session.restore(goldenPath('checkpoints/tf1_graph.ckpt-3'));
      const relu = session.run('net/conv/relu:0', { 'x:0': floats(x) }) as tf.Tensor;
      expect(relu.dataSync()).toEqual(floats(endpoints['net/conv/relu']!).data);
      relu.dispose();
      expect(session.runArrays({ logits: logits_tensor }, { x: floats(x) }).logits.shape).toEqual([2, 2]);
    });

    it('initialises, assigns and lists variables without being told the engine', () => {
      using session = new Session(importMetaGraph(meta));
      session.initialize();
      for (const [name, value] of session.variables()) expect(value, name).toEqual(floats(variables[name]!));
      session.assign({ 'net/bn/beta': [5, 4, 3, 2, 1] });
      expect(session.variables().get('net/bn/beta:0')!.data).toEqual(Float32Array.of(5, 4, 3, 2, 1));
    });

    it('has no kernels of a .meta to replay', () => {
      expect(() => new Session(importMetaGraph(meta), { engine: 'replay' })).toThrow(/no recorded kernels to replay/);
    });

    it('calls signatures of a SavedModel, and runs a frozen graph', () => {
      const { x, y } = golden.saved_model;
      using model = new Session(importSavedModel(goldenPath('checkpoints/saved_model')));
      const [output] = Object.values(model.call('serving_default', { first_input: x }));
      expect([...(output!.data as Float32Array)]).toEqual(Array.from(Float32Array.from(y.flat())));
      using frozen = new Session(importGraphDef(goldenPath('checkpoints/tf1_frozen.pb')));
      expect(frozen.runArrays(logits_tensor, { x: floats(golden['tf1_graph.ckpt-3'].x) }).shape).toEqual([2, 2]);
    });
  });

  it('runs the graph of any tag set of a SavedModel, by its signatures and by its inner tensors', () => {
    const graph = new Graph();
    const { x, y, inner } = graph.asDefault(() => {
      const w = getVariable('w', { shape: [2], initializer: (shape) => tf.fill([...shape], 3) });
      const x = placeholder('float32', [null, 2], 'x');
      const inner = tf.mul(x, w);
      return { x, inner, y: tf.neg(inner) };
    });
    const model = join(folder, 'tags');
    const signatures = {
      serving_default: { inputs: { x }, outputs: { y } },
      half: { inputs: { given: x }, outputs: { inner, y } },
    };
    writeSavedModel(graph, model, signatures, { variables: 'initial' });
    const file = join(model, 'saved_model.pb');
    const saved = decodeMessage(SavedModel, new Uint8Array(readFileSync(file)));
    const [serve] = saved.metaGraphs;
    const tags = ['train', 'special'];
    const other = { ...serve!, metaInfoDef: { ...serve!.metaInfoDef!, tags }, signatureDef: new Map() };
    saved.metaGraphs.push(other);
    writeFileSync(file, encodeMessage(SavedModel, saved));

    using session = new Session(importSavedModel(model, { signature: 'half' }));
    const feed = { given: [[1, 2]] };
    expect(session.call('half', feed)).toMatchObject({
      inner: { data: Float32Array.of(3, 6) },
      y: { data: Float32Array.of(-3, -6) },
    });
    expect(() => session.call('half', { x: [[1, 2]] })).toThrow(/no input 'x', but given/);
    const names = ['Multiply:0', 'w/Read/ReadVariableOp:0'];
    expect(session.runArrays(names, { x: [[1, 1]] })).toMatchObject([
      { data: Float32Array.of(3, 3) },
      { data: Float32Array.of(3, 3) },
    ]);
    const trained = importSavedModel(model, { tags: ['special', 'train'] });
    expect([...trained.signatures.keys()]).toEqual([]);
    using another = new Session(trained);
    another.initialize();
    expect(another.runArrays('Multiply:0', { x: [[1, 2]] })).toMatchObject({ data: Float32Array.of(3, 6) });
    expect(() => importSavedModel(model, { tags: ['gpu'] })).toThrow(
      /tagged \{gpu\}, but \{serve\}, \{train, special\}/,
    );
    expect(() => importSavedModel(model, { signature: 'none' })).toThrow(/no signature 'none'/);
  });

  describe.each(['replay', 'tensorflow'] as const)('of a recorded graph, engine %s', (engine) => {
    const build = () => {
      const graph = new Graph();
      return graph.asDefault(() => {
        const v = getVariable('v', { shape: [2], initializer: (shape) => tf.ones([...shape]) });
        const w = getVariable('scope/w', { initializer: () => tf.scalar(7) });
        const x = placeholder('float32', [2], 'x');
        return { graph, v, w, x, y: tf.mul(tf.add(v, x), w), add: assignAdd(v, [1, 2]) };
      });
    };

    it('initialises, assigns and lists variables, and gives arrays', () => {
      const { graph, x, y, add } = build();
      const before = tf.memory().numTensors;
      {
        using session = new Session(graph, { engine });
        session.initialize();
        expect(session.runArrays({ add, y: [y, 'x:0'] }, [[x, [1, 2]]])).toMatchObject({
          add: null,
          y: [{ dtype: 'float32', shape: [2] }, { data: Float32Array.of(1, 2) }],
        });
        expect(session.variables()).toEqual(
          new Map([
            ['v:0', { dtype: 'float32', shape: [2], data: Float32Array.of(2, 3) }],
            ['scope/w:0', { dtype: 'float32', shape: [], data: Float32Array.of(7) }],
          ]),
        );
        session.assign(
          new Map([
            ['v:0', [8, 9]],
            ['scope/w', 2 as never],
          ]),
        );
        expect([...session.variables().values()].map(({ data }) => [...(data as Float32Array)])).toEqual([[8, 9], [2]]);
        expect(() => session.assign({ q: [1] })).toThrow(/no variable 'q:0'/);
        expect(() => session.assign({ v: [1, 2, 3] })).toThrow(GraphError);
        expect(() => session.call('serving_default')).toThrow(/no signatures/);
      }
      expect(tf.memory().numTensors).toBe(before);
    });

    it('saves and restores by a saver, in TensorFlow', () => {
      const { graph } = build();
      using session = new Session(graph, { engine });
      session.initialize();
      const file = join(folder, `model.ckpt-${engine}`);
      if (engine === 'replay') {
        expect(() => session.save(file)).toThrow(/no saver to save by: .*tfparity\/checkpoint/);
        return;
      }
      session.assign({ v: [3, 4] });
      session.save(file);
      using other = new Session(graph, { engine });
      other.restore(file);
      expect(other.variables()).toEqual(session.variables());
      expect(other.variables().get('v:0')!.data).toEqual(Float32Array.of(3, 4));
      expect(() => other.restore(join(folder, 'none'))).toThrow(/none/);
    });

    it('refuses what it cannot do, at once', () => {
      const graph = new Graph();
      graph.asDefault(() => globalVariablesInitializer());
      const bad = { optimizer: { arithmetic_optimization: true } as object, engine };
      expect(() => new Session(graph, bad)).toThrow(/has no optimizer (option|pass) 'arithmetic_optimization'/);
    });
  });
});
