import { AttrValue, NodeDef } from '../import/graph-protos.js';
import { createMessage } from '../import/message.js';
import type { Operation } from '../operation.js';
import type { KernelCapture } from './kernel-capture.js';
import { constAttrs, typeAttr } from './node-attributes.js';

/** The nodes that compute a shape when the graph runs, and the captured constant that they take the place of. */
export interface DynamicShape {
  readonly nodes: readonly NodeDef[];
  readonly constant: number;
  readonly tensor: string;
}

const INT32 = 3;
const SHAPES = ['shape', 'inputShape', 'size', 'reps'];

/**
 * A kernel's shape attribute where a placeholder of unknown leading size is upstream: the recorded sample size gives way
 * to -1 (`Reshape`), or to the leading size that the first input has when the graph runs. (What `adaptedAttrs` does for
 * the replay engine.)
 */
export function dynamicShape(
  op: Operation,
  capture: KernelCapture,
  input: string,
  unique: (name: string) => string,
): DynamicShape | undefined {
  const first = op.inputs[0];
  const recorded = first?.op.outputInfos[first.index]?.shape;
  if (first === undefined || recorded === undefined || recorded.length === 0) return undefined;
  for (const attribute of SHAPES) {
    const sizes = op.attrs[attribute];
    if (!Array.isArray(sizes) || sizes.length === 0) continue;
    const constant = capture.nodes.findIndex((node) => isVector(node.constant, sizes as number[]));
    if (constant < 0) continue;
    const name = unique(`${op.name}/${attribute}`);
    const rest = (sizes as number[]).slice(1);
    if (op.type === 'Reshape') {
      // With an unknown size already among them, the leading one has to be said.
      if (rest.includes(-1)) return undefined;
      return { nodes: [vector(name, [-1, ...rest])], constant, tensor: name };
    }
    if (sizes[0] === recorded[0]) return { ...leadingFrom(name, input, rest), constant };
  }
  return undefined;
}

function leadingFrom(name: string, input: string, rest: readonly number[]): { nodes: NodeDef[]; tensor: string } {
  const part = (suffix: string): string => `${name}/${suffix}`;
  const slice = new Map([
    ['T', typeAttr(INT32)],
    ['Index', typeAttr(INT32)],
  ]);
  const nodes = [
    node(
      part('Shape'),
      'Shape',
      [input],
      new Map([
        ['T', createMessage(AttrValue, { type: 1 })],
        ['out_type', typeAttr(INT32)],
      ]),
    ),
    vector(part('begin'), [0]),
    vector(part('size'), [1]),
    node(part('leading'), 'Slice', [part('Shape'), part('begin'), part('size')], slice),
    vector(part('rest'), rest),
    node(part('axis'), 'Const', [], constAttrs(INT32, [], new Uint8Array(4))),
    node(
      name,
      'ConcatV2',
      [part('leading'), part('rest'), part('axis')],
      new Map([
        ['N', createMessage(AttrValue, { i: 2n })],
        ['T', typeAttr(INT32)],
        ['Tidx', typeAttr(INT32)],
      ]),
    ),
  ];
  return { nodes, tensor: name };
}

function node(name: string, op: string, input: string[], attr: Map<string, AttrValue>): NodeDef {
  return createMessage(NodeDef, { name, op, input: input.map((tensor) => tensor.replace(/:0$/, '')), attr });
}

function vector(name: string, values: readonly number[]): NodeDef {
  return node(name, 'Const', [], constAttrs(INT32, [values.length], new Uint8Array(Int32Array.from(values).buffer)));
}

function isVector(constant: KernelCapture['nodes'][number]['constant'], values: readonly number[]): boolean {
  if (constant === undefined || constant.dtype !== INT32 || constant.bytes.length !== values.length * 4) return false;
  const ints = new Int32Array((constant.bytes as Uint8Array).slice().buffer);
  return values.every((value, i) => ints[i] === value);
}
