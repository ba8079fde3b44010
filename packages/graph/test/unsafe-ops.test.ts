import { describe, expect, it } from 'vitest';
import { importGraphDef } from '../src/import/frozen-graph.js';
import {
  ArgDef,
  AttrValue,
  FunctionDef,
  FunctionDefLibrary,
  GradientDef,
  GraphDef,
  NameAttrList,
  type NodeDef,
  OpDef,
} from '../src/import/graph-protos.js';
import { createMessage, encodeMessage } from '../src/import/message.js';
import { opSignature } from '../src/import/op-registry.js';
import { OP_REGISTRY } from '../src/import/op-registry-data.js';
import { findUnsafe, unsafeReason } from '../src/import/unsafe-ops.js';
import { isGraphError } from '../src/index.js';
import { attr, graphBytes, node, placeholder } from './graph-def-builder.js';
import { REVIEWED_OPS } from './reviewed-ops.js';

/** A function of one float that returns the output of its last node. */
function fn(name: string, nodeDef: NodeDef[]): FunctionDef {
  const arg = (argName: string): ArgDef => createMessage(ArgDef, { name: argName, type: 1 });
  const signature = createMessage(OpDef, { name, inputArg: [arg('x')], outputArg: [arg('y')] });
  return createMessage(FunctionDef, { signature, nodeDef, ret: new Map([['y', `${nodeDef.at(-1)!.name}:y:0`]]) });
}

const call = (name: string, f: string, input = 'x'): NodeDef => node(name, f, [input]);
const func = (name: string): AttrValue => createMessage(AttrValue, { func: createMessage(NameAttrList, { name }) });
const read = (): NodeDef => node('evil', 'ReadFile', ['name']);
const evilBody = (): NodeDef[] => [
  node('name', 'Const', [], { dtype: attr.type('string'), value: attr.strings([], ['/etc/hostname']) }),
  read(),
  node('y', 'Neg', ['x'], { T: attr.type('float32') }),
];

function graphOf(nodes: NodeDef[], functions: FunctionDef[], gradient: GradientDef[] = []): GraphDef {
  return createMessage(GraphDef, {
    node: nodes,
    library: createMessage(FunctionDefLibrary, { function: functions, gradient }),
  });
}

function refusal(graph: GraphDef): string {
  try {
    importGraphDef(encodeMessage(GraphDef, graph));
    return 'imported';
  } catch (error) {
    return isGraphError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

const symbolic = (f: string): NodeDef => {
  const types = createMessage(AttrValue, { list: { ...attr.type('float32').list, type: [1] } as AttrValue['list'] });
  return node('s', 'SymbolicGradient', ['x', 'x'], {
    Tin: createMessage(AttrValue, { list: { type: [1, 1] } as AttrValue['list'] }),
    Tout: types,
    f: func(f),
  });
};

describe('unsafe ops', () => {
  it('every op that could do more than compute is refused, or was looked at', () => {
    const reviewed = new Set(REVIEWED_OPS.trim().split(/\s+/));
    const names = OP_REGISTRY.split('\n').map((line) => line.slice(0, line.indexOf('|')));
    expect(names.length).toBeGreaterThan(1900);
    const unknown = names.filter((name) => {
      if (reviewed.has(name) || unsafeReason(node('n', name)) !== undefined) return false;
      const { stateful, inputs, attributes } = opSignature(name)!;
      const free = [...attributes.values()].some(
        ({ name: attribute, type, allowed }) =>
          type.includes('string') && allowed === undefined && !['container', 'shared_name'].includes(attribute),
      );
      return stateful || free || inputs.some(({ type }) => type === 7);
    });
    expect(unknown).toEqual([]);
    for (const name of reviewed) expect([name, unsafeReason(node('n', name))]).toEqual([name, undefined]);
  });

  it.each([
    ['ImmutableConst', { dtype: attr.type('uint8'), shape: attr.shape([4]), memory_region_name: attr.string('/a') }],
    ['GenerateVocabRemapping', { new_vocab_offset: attr.int(0), num_new_vocab: attr.int(1) }],
    ['WorkerHeartbeat', {}],
  ])('%s is refused', (op, attrs) => {
    expect(unsafeReason(node('n', op, [], attrs))).toBeDefined();
  });

  it('ops whose attribute names a file or an address are refused with it, not without', () => {
    const decode = (source: string) =>
      unsafeReason(node('n', 'DecodeProtoV2', [], { descriptor_source: attr.string(source) }));
    expect([decode('/data/descriptors'), decode('local://'), decode('')]).toEqual([
      'reads files',
      undefined,
      undefined,
    ]);
    const urls = createMessage(AttrValue, { list: { s: [new Uint8Array(3)] } as AttrValue['list'] });
    expect(unsafeReason(node('n', 'CopyHost', [], { debug_ops_spec: urls }))).toBeDefined();
    expect(unsafeReason(node('n', 'CopyHost'))).toBeUndefined();
  });

  it('an op in the gradient function of a function is found where the function is differentiated', () => {
    const functions = [fn('foo', [node('y', 'Neg', ['x'], { T: attr.type('float32') })]), fn('evil', evilBody())];
    const gradient = [createMessage(GradientDef, { functionName: 'foo', gradientFunc: 'evil' })];
    const x = placeholder('x', 'float32');
    const graph = graphOf([x, symbolic('foo')], functions, gradient);
    expect(refusal(graph)).toMatch(/^UnsafeOp: .*ReadFile/);
    // Also through a body that calls it; but not where it is only called.
    const outer = fn('outer', [call('y', 'foo')]);
    expect([...findUnsafe(graphOf([x, symbolic('outer')], [...functions, outer], gradient)).keys()]).toEqual(['s']);
    expect(findUnsafe(graphOf([x, call('c', 'outer')], [...functions, outer], gradient)).size).toBe(0);
  });

  it('a gradient function that differentiates its own function is a circle', () => {
    const f = fn('foo', [node('y', 'Neg', ['x'], { T: attr.type('float32') })]);
    const g = fn('grad', [{ ...symbolic('foo'), name: 'y' }]);
    const gradient = [createMessage(GradientDef, { functionName: 'foo', gradientFunc: 'grad' })];
    expect(refusal(graphOf([placeholder('x', 'float32'), symbolic('foo')], [f, g], gradient))).toMatch(
      /^InvalidGraph: .* calls itself/,
    );
  });

  it.each([18, 60])(
    '%d functions that each call the next one twice: no exponential time, and the size is bounded',
    (depth) => {
      const functions = [fn('f0', evilBody())];
      for (let i = 1; i < depth; i++) functions.push(fn(`f${i}`, [call('a', `f${i - 1}`), call('y', `f${i - 1}`)]));
      const graph = graphOf([placeholder('x', 'float32'), call('c', `f${depth - 1}`)], functions);
      const start = performance.now();
      expect(findUnsafe(graph)).toEqual(new Map([['c', [{ op: 'ReadFile', reason: 'reads files' }]]]));
      expect(refusal(graph)).toMatch(
        depth === 18 ? /^UnsafeOp/ : /^TooLarge: the graph has \d+ nodes with its functions/,
      );
      expect(performance.now() - start).toBeLessThan(2000);
    },
  );

  it('calls that nest deeper than a stack are looked at, and refused', () => {
    const functions = [fn('f0', evilBody())];
    for (let i = 1; i < 3000; i++) functions.push(fn(`f${i}`, [call('y', `f${i - 1}`)]));
    const graph = graphOf([placeholder('x', 'float32'), call('c', 'f2999')], functions);
    expect(findUnsafe(graph).get('c')).toEqual([{ op: 'ReadFile', reason: 'reads files' }]);
    expect(refusal(graph)).toMatch(/^InvalidGraph: .* nest deeper than 100/);
  });

  it('safe graphs pass', () => {
    expect(findUnsafe(createMessage(GraphDef, { node: [placeholder('x', 'float32')] })).size).toBe(0);
    expect(() => importGraphDef(graphBytes([placeholder('x', 'float32')]))).not.toThrow();
  });
});
