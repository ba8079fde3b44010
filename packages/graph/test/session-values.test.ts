import * as tf from '@tensorflow/tfjs-core';
import { DTYPES, type DType, type NdArray, ndArray } from '@tfparity/array';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { importGraphDef } from '../src/import/frozen-graph.js';
import { TensorFlowSession } from '../src/native/tensorflow-session.js';
import { attr, graphBytes, node, placeholder } from './graph-def-builder.js';

const native = backends.includes('tensorflow') ? describe : describe.skip;
const fed = Object.keys(DTYPES).filter((dtype) => !dtype.startsWith('q')) as DType[];

function sample(dtype: DType): NdArray {
  const { data: Data, lanes } = DTYPES[dtype];
  if (Data === undefined)
    return ndArray(
      dtype,
      [2, 2],
      ['', 'a', 'naïve ☃', 'x'.repeat(300)].map((s) => new TextEncoder().encode(s)),
    );
  const bits = new Uint8Array(4 * lanes * Data.BYTES_PER_ELEMENT).map((_, i) =>
    dtype === 'bool' ? i % 2 : (i * 37) % 120,
  );
  return ndArray(dtype, [2, 2], new Data(bits.buffer));
}

native('values of a TensorFlow session (backend tensorflow)', () => {
  beforeAll(() => useBackend('tensorflow'));

  it.each(fed)('feeds and fetches %s exactly', (dtype) => {
    const nodes = [placeholder('x', dtype), node('y', 'Identity', ['x'], { T: attr.type(dtype) })];
    using session = new TensorFlowSession(importGraphDef(graphBytes(nodes)));
    const value = sample(dtype);
    expect(session.runArrays('y:0', { x: value })).toEqual(value);
    const kept = session.run('y:0', { x: value });
    const read = kept instanceof tf.Tensor ? { dtype: kept.dtype as DType, shape: kept.shape } : kept;
    expect(read.shape).toEqual([2, 2]);
    expect(read.dtype).toBe(dtype);
    if (kept instanceof tf.Tensor) kept.dispose();
  });

  it('fetches a constant of strings again and again', () => {
    const text = ['short', 'a string that is too long to be kept in place', ''];
    const nodes = [
      node('c', 'Const', [], { dtype: attr.type('string'), value: attr.strings([3], text) }),
      node('y', 'Identity', ['c'], { T: attr.type('string') }),
    ];
    using session = new TensorFlowSession(importGraphDef(graphBytes(nodes)));
    for (let i = 0; i < 3; i++) {
      for (const name of ['c:0', 'y:0']) {
        const got = session.runArrays(name).data as Uint8Array[];
        expect(got.map((s) => new TextDecoder().decode(s))).toEqual(text);
      }
    }
  });

  it('does not let a later run change what an earlier one gave', () => {
    const dtype = attr.type('float32');
    const nodes = [
      node('v', 'VariableV2', [], { dtype, shape: attr.shape([2]) }),
      node('zero', 'Const', [], { dtype, value: attr.floats([2], [0, 0]) }),
      node('one', 'Const', [], { dtype, value: attr.floats([2], [1, 1]) }),
      node('init', 'Assign', ['v', 'zero'], { T: dtype }),
      node('inc', 'AssignAdd', ['v', 'one'], { T: dtype }),
    ];
    using session = new TensorFlowSession(importGraphDef(graphBytes(nodes)));
    session.run('init');
    const before = session.run('v:0') as tf.Tensor;
    const between = session.run('inc:0') as tf.Tensor;
    session.run('inc');
    expect([...before.dataSync()]).toEqual([0, 0]);
    expect([...between.dataSync()]).toEqual([1, 1]);
    expect([...(session.runArrays('v:0').data as Float32Array)]).toEqual([2, 2]);
    tf.dispose([before, between]);
  });

  it('converts a feed where no value changes, and refuses where one would', () => {
    const nodes = [placeholder('x', 'int64'), node('y', 'Identity', ['x'], { T: attr.type('int64') })];
    using session = new TensorFlowSession(importGraphDef(graphBytes(nodes)));
    expect(session.runArrays('y:0', { x: [1, -2] }).data).toEqual(BigInt64Array.of(1n, -2n));
    expect(session.runArrays('y:0', { x: tf.tensor1d([7], 'int32') }).data).toEqual(BigInt64Array.of(7n));
    expect(() => session.runArrays('y:0', { x: ndArray('float32', [1], Float32Array.of(1.5)) })).toThrow(
      /is int64, but 1.5 was fed/,
    );
    expect(() => session.runArrays('y:0', { x: ['a'] })).toThrow(/strings were fed/);
  });

  it('leaks no tensor over 200 runs', () => {
    const nodes = [placeholder('x', 'float32'), node('y', 'Neg', ['x'], { T: attr.type('float32') })];
    using session = new TensorFlowSession(importGraphDef(graphBytes(nodes)));
    const { binding } = tf.backend() as unknown as { binding: { getNumOfTensors(): number } };
    const before = [tf.memory().numTensors, binding.getNumOfTensors()];
    for (let i = 0; i < 200; i++) (session.run('y:0', { x: [i] }) as tf.Tensor).dispose();
    expect([tf.memory().numTensors, binding.getNumOfTensors()]).toEqual(before);
  });
});
