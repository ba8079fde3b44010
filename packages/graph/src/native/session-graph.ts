import { DTYPES } from '@tfparity/array';
import { AttrValue, type GraphDef, NodeDef, TensorProto, TensorShapeProto } from '../import/graph-protos.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { createMessage } from '../import/message.js';

/** Where the nodes that a session adds to a graph stand. */
export const ADDED = 'tfparity_session';

/** A graph as a session loads it: with a constant behind each op without outputs, so that fetching it runs the op. */
export interface SessionGraph {
  readonly graphDef: GraphDef;
  /** The constant to fetch to run an op that has no outputs, or a group of ops. */
  readonly runners: ReadonlyMap<string, string>;
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
  for (const node of graph.nodes) {
    if (graph.outputTypes(node.name).length === 0) add(node.name, [node.name]);
  }
  const initializers = graph.variables.flatMap((v) => (v.initializer === undefined ? [] : [v.initializer]));
  if (initializers.length > 0) add(INITIALIZE, [...new Set(initializers)]);
  return { graphDef: { ...graph.graphDef, node: [...graph.nodes, ...added] }, runners };
}

function zeroAfter(name: string, ops: readonly string[]): NodeDef {
  const dtype = DTYPES.int32.enumValue;
  const tensor = createMessage(TensorProto, { dtype, tensorShape: createMessage(TensorShapeProto), intVal: [0] });
  return createMessage(NodeDef, {
    name,
    op: 'Const',
    input: ops.map((op) => `^${op}`),
    attr: new Map([
      ['dtype', createMessage(AttrValue, { type: dtype })],
      ['value', createMessage(AttrValue, { tensor })],
    ]),
  });
}
