import { readFileSync } from 'node:fs';
import { describeGolden, goldenPath } from '@tfparity/testing';
import { describe, expect, it } from 'vitest';
import { importGraphDef } from '../src/import/frozen-graph.js';
import { AttrValue, type NodeDef } from '../src/import/graph-protos.js';
import { inspectGraph } from '../src/import/inspect-graph.js';
import { createMessage, decodeMessage, encodeMessage } from '../src/import/message.js';
import { importMetaGraph } from '../src/import/meta-graph.js';
import { MetaGraphDef } from '../src/import/meta-graph-protos.js';
import { GraphError, isGraphError } from '../src/index.js';
import { attr, graphBytes, node, placeholder } from './graph-def-builder.js';
import { mutate, randomOf } from './mutations.js';

const T = { T: attr.type('float32') };
const x = () => placeholder('x', 'float32');
const code = (nodes: NodeDef[]): string => {
  try {
    importGraphDef(graphBytes(nodes));
    return 'imported';
  } catch (error) {
    return isGraphError(error) ? error.code : `not a GraphError: ${String(error)}`;
  }
};

describe('malformed graphs', () => {
  it.each([
    ['a cycle', 'InvalidGraph', [node('a', 'Neg', ['b'], T), node('b', 'Neg', ['a'], T)]],
    ['a node that reads itself', 'InvalidGraph', [node('a', 'Neg', ['a'], T)]],
    ['a cycle of control inputs', 'InvalidGraph', [node('a', 'NoOp', ['^b']), node('b', 'NoOp', ['^a'])]],
    ['a missing input', 'InvalidGraph', [node('a', 'Neg', ['gone'], T)]],
    ['a missing control input', 'InvalidGraph', [node('a', 'NoOp', ['^gone'])]],
    ['an output that is not there', 'InvalidGraph', [x(), node('a', 'Neg', ['x:1'], T)]],
    ['too few inputs', 'InvalidGraph', [x(), node('a', 'AddV2', ['x'], T)]],
    ['too many inputs', 'InvalidGraph', [x(), node('a', 'Neg', ['x', 'x'], T)]],
    ['an input of another dtype', 'InvalidGraph', [placeholder('x', 'int32'), node('a', 'Neg', ['x'], T)]],
    ['an input after a control input', 'InvalidGraph', [x(), node('a', 'Neg', ['^x', 'x'], T)]],
    ['an unknown op', 'UnknownOp', [node('a', 'Frobnicate')]],
    ['an op without a name', 'UnknownOp', [node('a', '')]],
    ['an unknown attribute', 'InvalidGraph', [x(), node('a', 'Neg', ['x'], { ...T, u: attr.int(1) })]],
    ['an attribute of another type', 'InvalidGraph', [x(), node('a', 'Neg', ['x'], { T: attr.int(1) })]],
    ['a value that is not allowed', 'InvalidGraph', [x(), node('a', 'Neg', ['x'], { T: attr.type('string') })]],
    ['a missing attribute', 'InvalidGraph', [x(), node('a', 'Neg', ['x'])]],
    ['two nodes of one name', 'InvalidGraph', [x(), x()]],
    ['a name that is none', 'InvalidGraph', [node('a b', 'NoOp')]],
    ['an empty name', 'InvalidGraph', [node('', 'NoOp')]],
    [
      'a shape below -1',
      'InvalidGraph',
      [node('p', 'Placeholder', [], { dtype: attr.type('float32'), shape: attr.shape([-2]) })],
    ],
    [
      'a constant with too many values',
      'InvalidGraph',
      [node('c', 'Const', [], { dtype: attr.type('float32'), value: attr.floats([1], [1, 2]) })],
    ],
    [
      'a constant of another dtype',
      'InvalidGraph',
      [node('c', 'Const', [], { dtype: attr.type('int32'), value: attr.floats([1], [1]) })],
    ],
    [
      'a constant that fills the memory',
      'TooLarge',
      [node('c', 'Const', [], { dtype: attr.type('float32'), value: attr.floats([2 ** 20, 2 ** 20], [1]) })],
    ],
    [
      'a shape that cannot be counted',
      'InvalidGraph',
      [node('c', 'Const', [], { dtype: attr.type('float32'), value: attr.floats([2 ** 40, 2 ** 40], [1]) })],
    ],
    ['a million arguments', 'InvalidGraph', [x(), node('a', 'AddN', ['x'], { ...T, N: attr.int(2 ** 40) })]],
  ] as const)('%s is %s', (_, expected, nodes) => {
    expect(code(nodes as unknown as NodeDef[])).toBe(expected);
  });

  it('takes a good graph, and a loop through NextIteration', () => {
    const loop = [
      node('c', 'Const', [], { dtype: attr.type('float32'), value: attr.floats([], [1]) }),
      node('enter', 'Enter', ['c'], { ...T, frame_name: attr.string('f') }),
      node('merge', 'Merge', ['enter', 'next'], { ...T, N: attr.int(2) }),
      node('next', 'NextIteration', ['merge'], T),
    ];
    expect(code([x(), node('a', 'Neg', ['x'], { ...T, _private: attr.int(1) })])).toBe('imported');
    expect(code(loop)).toBe('imported');
  });

  it('refuses more bytes and nodes than the limits', () => {
    const bytes = graphBytes([x(), node('a', 'Neg', ['x'], T)]);
    expect(() => importGraphDef(bytes, { limits: { nodes: 1 } })).toThrow(/has 2 nodes; the limit is 1/);
    expect(() => importGraphDef(bytes, { limits: { bytes: 10 } })).toThrow(/the limit is 10/);
    expect(() => importGraphDef('/nonexistent/graph.pb')).toThrow(/no such file/);
  });

  it('refuses ops that do more than compute, with their names, unless they are allowed', () => {
    const path = node('path', 'Const', [], { dtype: attr.type('string'), value: attr.strings([], ['/etc/passwd']) });
    const read = node('read', 'ReadFile', ['path']);
    const bytes = graphBytes([path, read]);
    expect(() => importGraphDef(bytes)).toThrow(/ReadFile \(reads files; node 'read'\)/);
    expect(importGraphDef(bytes, { allowOps: ['ReadFile'] }).nodes).toHaveLength(2);
    const print = (to: string) => node('p', 'PrintV2', ['path'], { output_stream: attr.string(to) });
    expect(code([path, print('stderr')])).toBe('imported');
    expect(code([path, print('file:///data/x')])).toBe('UnsafeOp');
    expect(code([node('a', 'Abort')])).toBe('UnsafeOp');
    expect(
      code([
        path,
        node('py', 'PyFunc', ['path'], {
          token: attr.string('t'),
          Tin: createMessage(AttrValue, {
            list: { s: [], i: [], f: [], b: [], type: [7], shape: [], tensor: [], func: [] },
          }),
          Tout: createMessage(AttrValue, {
            list: { s: [], i: [], f: [], b: [], type: [7], shape: [], tensor: [], func: [] },
          }),
        }),
      ]),
    ).toBe('UnsafeOp');
  });

  it('puts placeholders in the place of file inputs', () => {
    const path = node('path', 'Const', [], { dtype: attr.type('string'), value: attr.strings([], ['/etc/passwd']) });
    const bytes = graphBytes([
      path,
      node('read', 'ReadFile', ['path']),
      node('y', 'Identity', ['read'], { T: attr.type('string') }),
    ]);
    const graph = importGraphDef(bytes, { inputs: ['read:0'] });
    expect(graph.nodes.map(({ name, op }) => [name, op])).toEqual([
      ['path', 'Const'],
      ['read', 'Placeholder'],
      ['y', 'Identity'],
    ]);
  });
});

describeGolden('checkpoints/tf1_graph.ckpt-3.meta', () => {
  const bytes = new Uint8Array(readFileSync(goldenPath('checkpoints/tf1_graph.ckpt-3.meta')));

  it('is written back with nothing lost', () => {
    const meta = decodeMessage(MetaGraphDef, bytes);
    const written = encodeMessage(MetaGraphDef, meta);
    expect(written).toHaveLength(bytes.length); // maps are written in order of key, so that the bytes may move
    expect(decodeMessage(MetaGraphDef, written)).toEqual(meta);
  });

  it('is an error wherever it is cut', () => {
    let imported = 0;
    for (let end = 0; end < bytes.length; end += 23) {
      try {
        importMetaGraph(bytes.subarray(0, end));
        imported += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(GraphError);
      }
    }
    // Cut between two of its last fields (collections), a file is a whole one with fewer of them.
    expect(imported).toBeLessThan(5);
  });

  it('gives a graph or a GraphError for each of 300 mutations', () => {
    const random = randomOf(1);
    for (let i = 0; i < 300; i++) {
      try {
        importMetaGraph(mutate(bytes, random), { limits: { constantValues: 2 ** 20 } });
      } catch (error) {
        if (!isGraphError(error)) throw new Error(`mutation ${i}`, { cause: error });
      }
    }
  });

  it('is inspected', () => {
    const found = inspectGraph(goldenPath('checkpoints/tf1_graph.ckpt-3.meta'));
    expect(found.inputs).toContainEqual({ name: 'x:0', dtype: 'float32', shape: [-1, 8, 8, 3] });
    expect(found.variables.map(({ name, trainable }) => [name, trainable])).toEqual([
      ['net/conv/weights:0', true],
      ['net/bn/gamma:0', true],
      ['net/bn/beta:0', true],
      ['net/fc/weights:0', true],
    ]);
    expect(found.random.map(({ op, seed, seed2 }) => [op, seed, seed2])).toEqual([
      ['RandomUniform', '42', '0'],
      ['RandomUniform', '42', '1'],
      ['TruncatedNormal', '42', '2'],
    ]);
    expect(found.unknownOps).toEqual([]);
    expect(found.unsafeOps.map(({ op, reason }) => `${op} ${reason}`)).toEqual([
      'SaveV2 writes files',
      'RestoreV2 reads files',
    ]);
    expect(found.ops[0]!.count).toBeGreaterThanOrEqual(found.ops[1]!.count);
  });
});
