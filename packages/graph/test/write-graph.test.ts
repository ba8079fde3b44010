import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Graph,
  importGraphDef,
  importSavedModel,
  placeholder,
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
    writeSavedModel(net(), model, { serving_default: { inputs: { x: 'x:0' }, outputs: { y: 'Relu:0' } } });
    const graph = importSavedModel(model, { signature: 'serving_default' });
    using session = new TensorFlowSession(graph);
    expect(session.call('serving_default', { x: [[1, 2, 3]] })).toEqual({
      y: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(3, 3) },
    });
    expect(() => session.call('other')).toThrow(/no signature 'other'/);
  });
});
