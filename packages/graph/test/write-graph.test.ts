import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { backends, goldenPath, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  encodeGraphDef,
  Graph,
  importGraphDef,
  importMetaGraph,
  importSavedModel,
  placeholder,
  Session,
  TensorFlowSession,
  writeGraphDef,
  writeSavedModel,
} from '../src/index.js';

const native = backends.includes('tensorflow') ? describe : describe.skip;
const folder = mkdtempSync(join(process.env['TFPARITY_KEEP'] ?? tmpdir(), 'tfparity-write-'));

function net(): Graph {
  const graph = new Graph();
  graph.asDefault(() => {
    const x = placeholder('float32', [null, 3], 'x');
    const initializer = (shape: readonly number[]) => tf.fill([...shape], 0.5);
    const w = getVariable('w', { shape: [3, 2], initializer }) as unknown as tf.Tensor2D;
    tf.relu(tf.matMul(x, w));
  });
  return graph;
}

native('written graphs (backend tensorflow)', () => {
  beforeAll(() => useBackend('tensorflow'));
  afterAll(() => {
    if (process.env['TFPARITY_KEEP'] === undefined) rmSync(folder, { recursive: true });
  });

  it('come back from a .pb file', () => {
    const file = join(folder, 'graph.pb');
    writeGraphDef(net(), file);
    const graph = importGraphDef(file);
    using session = new TensorFlowSession(graph);
    session.run('w/Assign');
    expect(
      session.runArrays('Relu:0', {
        x: [
          [1, 2, 3],
          [-4, 0, 0],
        ],
      }).data,
    ).toEqual(Float32Array.of(3, 3, 0, 0));
  });

  it('are written as text', () => {
    const file = join(folder, 'graph.pbtxt');
    writeGraphDef(net(), file);
    expect(readFileSync(file, 'utf8')).toContain(
      'node {\n  name: "x"\n  op: "Placeholder"\n  attr {\n    key: "dtype"\n    value {\n      type: 1',
    );
  });

  it('come back from a SavedModel, its variables initialised', () => {
    const model = join(folder, 'model');
    writeSavedModel(
      net(),
      model,
      { serving_default: { inputs: { x: 'x:0' }, outputs: { y: 'Relu:0' } } },
      { variables: 'initial' },
    );
    const graph = importSavedModel(model, { signature: 'serving_default' });
    using session = new TensorFlowSession(graph);
    expect(session.call('serving_default', { x: [[1, 2, 3]] })).toEqual({
      y: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(3, 3) },
    });
    expect(() => session.call('other')).toThrow(/no signature 'other'/);
  });

  describe('with the values that a session has', () => {
    const trained = () => {
      const graph = net();
      using session = new Session(graph, { engine: 'tensorflow' });
      session.assign({
        w: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      });
      return { graph, variables: session.variables(), y: session.runArrays('Relu:0', { 'x:0': [[1, 1, 1]] }) };
    };
    const signature = { serving_default: { inputs: { x: 'x:0' }, outputs: { y: 'Relu:0' } } };

    it('a GraphDef is frozen', () => {
      const { graph, variables, y } = trained();
      const frozen = importGraphDef(encodeGraphDef(graph, { variables }));
      expect(frozen.nodes.map(({ name, op }) => `${name} ${op}`)).toEqual(
        expect.arrayContaining(['w Const', 'w/Read/ReadVariableOp Identity']),
      );
      expect(frozen.findNode('w/Assign')).toBeUndefined();
      using session = new Session(frozen);
      expect(session.runArrays('Relu:0', { x: [[1, 1, 1]] })).toEqual(y);
      expect(y.data).toEqual(Float32Array.of(9, 12));
    });

    it('a SavedModel computes with them', () => {
      const { graph, variables, y } = trained();
      const model = join(folder, 'trained');
      writeSavedModel(graph, model, signature, { variables });
      using session = new Session(importSavedModel(model));
      expect(session.call('serving_default', { x: [[1, 1, 1]] })).toEqual({ y });
    });

    it('values that do not fit, or are missing, are errors', () => {
      const { graph } = trained();
      const w = { dtype: 'float32' as const, shape: [2, 3], data: new Float32Array(6) };
      const model = join(folder, 'none');
      expect(() => writeSavedModel(graph, model, signature)).toThrow(/1 variables: pass their values/);
      expect(() => encodeGraphDef(graph, { variables: { w } })).toThrow(/float32 of shape \[3,2\]/);
      expect(() => encodeGraphDef(graph, { variables: {} })).toThrow(/no value for the variable 'w:0'/);
      const v = { ...w, shape: [3, 2] };
      expect(() => encodeGraphDef(graph, { variables: { w: v, q: v } })).toThrow(/no variable 'q:0'/);
      expect(existsSync(model)).toBe(false);
    });

    it('a graph of TF1 with reference variables is frozen too', () => {
      const graph = importMetaGraph(goldenPath('checkpoints/tf1_graph.ckpt-3.meta'));
      using session = new Session(graph);
      session.initialize();
      const x = { dtype: 'float32' as const, shape: [1, 8, 8, 3], data: new Float32Array(192).fill(0.5) };
      using frozen = new Session(importGraphDef(encodeGraphDef(graph, { variables: session.variables() })));
      expect(frozen.runArrays('net/conv/relu:0', { x })).toEqual(session.runArrays('net/conv/relu:0', { x }));
    });

    it('the variables of another model in the folder are not mixed in', () => {
      const { graph, variables } = trained();
      const model = join(folder, 'other');
      mkdirSync(join(model, 'variables'), { recursive: true });
      expect(() => writeSavedModel(graph, model, signature, { variables })).toThrow(/already exists, and isn't empty/);
    });
  });
});
