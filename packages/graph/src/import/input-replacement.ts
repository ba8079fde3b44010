import { GraphError } from '../graph-error.js';
import { AttrListValue, AttrValue, type GraphDef, NodeDef, TensorShapeProto } from './graph-protos.js';
import { createMessage } from './message.js';
import { outputTypes } from './node-arguments.js';
import { opSignature } from './op-registry.js';
import { parseInput, parseTensorName } from './tensor-name.js';
import { findUnsafe } from './unsafe-ops.js';

/**
 * Replaces what makes some tensors (queues, readers, datasets) by placeholders that are fed by the tensors' own names,
 * and forgets the unsafe nodes that fed them, with all that depends on those. Changes the graph's list of nodes.
 */
export function replaceInputs(graph: GraphDef, tensors: readonly string[]): void {
  const ops = new Set(tensors.map((name) => parseTensorName(name).op));
  const byName = new Map(graph.node.map((node) => [node.name, node]));
  for (const op of ops) {
    if (!byName.has(op)) throw new GraphError('NotFound', `inputs: the graph has no op '${op}'`, { name: op });
  }
  graph.node = graph.node.flatMap((node) => (ops.has(node.name) ? placeholders(node) : [node]));
  const dropped = new Set(findUnsafe(graph).keys());
  // Every file op goes, so a saver goes with it: what is restored is assigned.
  let before = -1;
  while (before !== dropped.size) {
    before = dropped.size;
    for (const node of graph.node) {
      if (node.input.some((input) => dropped.has(parseInput(input).op))) dropped.add(node.name);
    }
  }
  graph.node = graph.node.filter((node) => !dropped.has(node.name));
}

function placeholders(node: NodeDef): NodeDef[] {
  const signature = opSignature(node.op);
  const types = signature === undefined ? [] : outputTypes(node, signature);
  if (types.length === 0) {
    throw new GraphError('InvalidGraph', `inputs: the op '${node.name}' (${node.op}) has no outputs to replace`, {
      node: node.name,
    });
  }
  if (types.length === 1) return [placeholder(node.name, types[0]!)];
  const sources = types.map((type, i) => placeholder(`${node.name}/${i}`, type));
  const attr = new Map([['T', createMessage(AttrValue, { list: createMessage(AttrListValue, { type: types }) })]]);
  return [
    ...sources,
    createMessage(NodeDef, { name: node.name, op: 'IdentityN', input: sources.map((s) => s.name), attr }),
  ];
}

function placeholder(name: string, type: number): NodeDef {
  const shape = createMessage(TensorShapeProto, { unknownRank: true });
  const attr = new Map([
    ['dtype', createMessage(AttrValue, { type: type % 100 })],
    ['shape', createMessage(AttrValue, { shape })],
  ]);
  return createMessage(NodeDef, { name, op: 'Placeholder', attr });
}
