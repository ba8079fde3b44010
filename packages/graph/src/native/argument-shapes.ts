import { AttrListValue, AttrValue, type TensorShapeProto } from '../import/graph-protos.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { createMessage, defineMessage, encodeMessage, type Message, type MessageType } from '../import/message.js';
import { parseInput } from '../import/tensor-name.js';

interface ArgumentAttrs extends Message {
  attr: Map<string, AttrValue>;
}

const ArgumentAttrs: MessageType<ArgumentAttrs> = defineMessage<ArgumentAttrs>('FunctionDef.ArgAttrs', {
  attr: { id: 1, kind: 'message', label: 'map', message: () => AttrValue },
});

// A map with numbers as keys is a list of entries in bytes.
interface ArgumentEntry extends Message {
  key: number;
  value?: ArgumentAttrs;
}

const ArgumentEntry: MessageType<ArgumentEntry> = defineMessage<ArgumentEntry>('FunctionDef.ArgAttrEntry', {
  key: { id: 1, kind: 'int32', label: 'singular' },
  value: { id: 2, kind: 'message', label: 'singular', message: () => ArgumentAttrs },
});

interface Arguments extends Message {
  argAttr: ArgumentEntry[];
}

const Arguments: MessageType<Arguments> = defineMessage<Arguments>('FunctionDef', {
  argAttr: { id: 7, kind: 'message', label: 'repeated', message: () => ArgumentEntry },
});

/**
 * What a `FunctionDef` says of the shapes of its arguments (`arg_attr`, as `tf.function` writes it), in bytes: without it
 * the passes that need shapes would do nothing to what depends on them.
 */
export function argumentShapes(tensors: readonly string[], graph: ImportedGraph): Uint8Array[] {
  const argAttr = tensors.flatMap((tensor, key) => {
    const shape = shapeOf(tensor, graph);
    if (shape === undefined) return [];
    const list = createMessage(AttrListValue, { shape: [shape] });
    const attr = new Map([['_output_shapes', createMessage(AttrValue, { list })]]);
    return [createMessage(ArgumentEntry, { key, value: createMessage(ArgumentAttrs, { attr }) })];
  });
  return argAttr.length === 0 ? [] : [encodeMessage(Arguments, createMessage(Arguments, { argAttr }))];
}

const SAYS_SHAPE = new Set(['Placeholder', 'PlaceholderWithDefault', 'VariableV2', 'Variable', 'VarHandleOp']);
const HANDS_ON = new Set(['ReadVariableOp', 'Identity']);

/** The shape of a tensor as far as the graph says it. */
function shapeOf(tensor: string, graph: ImportedGraph): TensorShapeProto | undefined {
  const { op, output } = parseInput(tensor);
  const node = graph.findNode(op);
  const written = node?.attr.get('_output_shapes')?.list?.shape[output];
  if (node === undefined || written !== undefined) return written;
  if (SAYS_SHAPE.has(node.op)) return node.attr.get('shape')?.shape;
  return HANDS_ON.has(node.op) ? shapeOf(node.input[0]!, graph) : undefined;
}
