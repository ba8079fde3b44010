import { DTYPES } from '@tfparity/array';
import { AttrValue, NodeDef, TensorProto, TensorShapeProto } from '../import/graph-protos.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { createMessage } from '../import/message.js';

/** Where the nodes that a session adds to a graph stand. */
export const ADDED = 'tfparity_session';

/** A graph as a session loads it: with a constant behind each op without outputs, so that fetching it runs the op. */
export interface SessionGraph {
  readonly graph: ImportedGraph;
  /** The constant to fetch to run an op that has no outputs, or a group of ops. */
  readonly runners: ReadonlyMap<string, string>;
  /** The tensor to fetch in the stead of a tensor of strings. */
  readonly copies: ReadonlyMap<string, string>;
  /** The tensor that says whether a variable has a value, by the variable's name. */
  readonly isSet: ReadonlyMap<string, string>;
}

/** The runner of the ops that initialise all variables. */
export const INITIALIZE = '';

/**
 * Adds what `TF_SessionRun` as tfjs-node calls it cannot do: it has no targets, only fetches. A constant with a control
 * input on the op is fetched in its stead, and computes nothing.
 */
export function withRunners(graph: ImportedGraph): SessionGraph {
  const runners = new Map<string, string>();
  const added: NodeDef[] = [];
  const add = (key: string, ops: readonly string[]): void => {
    const name = `${ADDED}/${added.length}`;
    runners.set(key, name);
    added.push(zeroAfter(name, ops));
  };
  const copies = new Map<string, string>();
  for (const node of graph.nodes) {
    const types = graph.outputTypes(node.name);
    if (types.length === 0) add(node.name, [node.name]);
    types.forEach((type, i) => {
      if (type % 100 !== DTYPES.string.enumValue) return;
      const name = `${ADDED}/${added.length}`;
      copies.set(`${node.name}:${i}`, `${name}:0`);
      added.push(stringCopy(name, `${node.name}:${i}`));
    });
  }
  if (copies.size > 0) added.push(emptyString());
  const initializers = graph.variables.flatMap((v) => (v.initializer === undefined ? [] : [v.initializer]));
  if (initializers.length > 0) add(INITIALIZE, [...new Set(initializers)]);
  const isSet = new Map<string, string>();
  for (const variable of graph.variables) {
    const holder = variable.snapshot === undefined ? undefined : graph.findNode(variable.node);
    if (holder === undefined) continue;
    const name = `${ADDED}/${added.length}`;
    isSet.set(variable.name, `${name}:0`);
    added.push(setFlag(name, holder));
  }
  return { graph: graph.withNodes(added), runners, copies, isSet };
}

// tfjs-node empties the strings of a tensor that it deletes, in whatever constant or variable shares them: fetched is a
// copy, made by joining '' to each. The '' is fed: what is constant would be folded into one more constant.
/** The placeholder of strings that is fed '' in every run that fetches a copy. */
export const EMPTY = `${ADDED}/empty`;

function emptyString(): NodeDef {
  const dtype = createMessage(AttrValue, { type: DTYPES.string.enumValue });
  return node(EMPTY, 'Placeholder', [], {
    dtype,
    shape: createMessage(AttrValue, { shape: createMessage(TensorShapeProto) }),
  });
}

function stringCopy(name: string, tensor: string): NodeDef {
  return node(name, 'StringJoin', [tensor, EMPTY], {
    N: createMessage(AttrValue, { i: 2n }),
    separator: createMessage(AttrValue, { s: new Uint8Array(0) }),
  });
}

function node(name: string, op: string, input: string[], attributes: Record<string, AttrValue>): NodeDef {
  return createMessage(NodeDef, { name, op, input, attr: new Map(Object.entries(attributes)) });
}

function setFlag(name: string, { name: variable, op, attr }: NodeDef): NodeDef {
  if (op === 'VarHandleOp') return node(name, 'VarIsInitializedOp', [variable], {});
  return node(name, 'IsVariableInitialized', [variable], { dtype: attr.get('dtype') ?? createMessage(AttrValue) });
}

function zeroAfter(name: string, ops: readonly string[]): NodeDef {
  const dtype = DTYPES.int32.enumValue;
  const tensor = createMessage(TensorProto, { dtype, tensorShape: createMessage(TensorShapeProto), intVal: [0] });
  const inputs = ops.map((op) => `^${op}`);
  const attributes = { dtype: createMessage(AttrValue, { type: dtype }), value: createMessage(AttrValue, { tensor }) };
  return node(name, 'Const', inputs, attributes);
}
