// python/framework/convert_to_constants.py (TF 2.21): the holder of a variable becomes a constant, its reads identities.
import { bytesOf, DTYPES, type NdArray } from '@tfparity/array';
import { GraphError } from '../graph-error.js';
import { AttrValue, NodeDef } from '../import/graph-protos.js';
import { ImportedGraph } from '../import/imported-graph.js';
import { createMessage } from '../import/message.js';
import { opSignature } from '../import/op-registry.js';
import { parseInput } from '../import/tensor-name.js';
import { SAVER_OPS } from '../import/unsafe-ops.js';
import { constAttrs } from './node-attributes.js';

/** Values for the variables of a graph, by name (with or without `:0`): what `session.variables()` gives. */
export type VariableValues = Readonly<Record<string, NdArray>> | ReadonlyMap<string, NdArray>;

/** The graph with its variables as constants: what changes, saves or restores one is gone, and what depends on that. */
export function freezeVariables(graph: ImportedGraph, values: VariableValues): ImportedGraph {
  const constants = new Map(constantsOf(graph, values).map(({ variable, value }) => [variable.node, value]));
  const gone = new Set<string>();
  const node: NodeDef[] = [];
  for (const each of inOrder(graph)) {
    const value = constants.get(each.name);
    if (value !== undefined) node.push(constant(each.name, value));
    else if (
      SAVER_OPS.has(each.op) ||
      changesVariable(each, constants) ||
      each.input.some((input) => gone.has(parseInput(input).op))
    ) {
      gone.add(each.name);
    } else node.push(each.op === 'ReadVariableOp' ? identityOf(each) : each);
  }
  return new ImportedGraph({ ...graph, graphDef: { ...graph.graphDef, node }, variables: [], saver: undefined });
}

/** The graph with initializers that give its variables these values. */
export function initializeWith(graph: ImportedGraph, values: VariableValues): ImportedGraph {
  const added: NodeDef[] = [];
  const initializers = new Map<string, string>();
  for (const { variable, value } of constantsOf(graph, values)) {
    const stem = `${variable.node}/tfparity_value`;
    const dtype = createMessage(AttrValue, { type: DTYPES[value.dtype].enumValue });
    const isHandle = graph.node(variable.node).op === 'VarHandleOp';
    const op = isHandle ? 'AssignVariableOp' : 'Assign';
    const attr = new Map([[isHandle ? 'dtype' : 'T', dtype]]);
    added.push(constant(stem, value));
    added.push(createMessage(NodeDef, { name: `${stem}/Assign`, op, input: [variable.node, stem], attr }));
    initializers.set(variable.name, `${stem}/Assign`);
  }
  const variables = graph.variables.map((variable) => ({ ...variable, initializer: initializers.get(variable.name)! }));
  return new ImportedGraph({ ...graph.withNodes(added), variables });
}

function constantsOf(graph: ImportedGraph, values: VariableValues) {
  const byName = new Map(
    (values instanceof Map ? [...values] : Object.entries(values as Record<string, NdArray>)).map(
      ([name, value]): [string, NdArray] => [name.includes(':') ? name : `${name}:0`, value],
    ),
  );
  const found = graph.variables.map((variable) => {
    const value = byName.get(variable.name);
    byName.delete(variable.name);
    if (value === undefined) {
      throw new GraphError('NotFound', `there is no value for the variable '${variable.name}'`, {
        name: variable.name,
      });
    }
    const { shape, dtype, name } = variable;
    if (value.dtype !== dtype || value.shape.length !== shape.length || shape.some((n, i) => n !== value.shape[i])) {
      throw new GraphError(
        'WrongValue',
        `the variable '${name}' is ${dtype} of shape [${shape}], and the value ${value.dtype} of shape [${value.shape}]`,
        { name, expected: shape, actual: value.shape },
      );
    }
    return { variable, value };
  });
  const [left] = byName.keys();
  if (left !== undefined) throw new GraphError('NotFound', `the graph has no variable '${left}'`, { name: left });
  return found;
}

function constant(name: string, value: NdArray): NodeDef {
  const { enumValue } = DTYPES[value.dtype];
  const bytes = Array.isArray(value.data) ? (value.data as Uint8Array[]) : bytesOf(value);
  return createMessage(NodeDef, { name, op: 'Const', attr: constAttrs(enumValue, value.shape, bytes) });
}

function identityOf({ name, input, attr }: NodeDef): NodeDef {
  return createMessage(NodeDef, { name, op: 'Identity', input, attr: new Map([['T', attr.get('dtype')!]]) });
}

/** Whether a node takes a variable itself, and not its value. */
function changesVariable(node: NodeDef, held: ReadonlyMap<string, unknown>): boolean {
  if (node.op === 'ReadVariableOp') return false;
  const args = opSignature(node.op)?.inputs ?? [];
  return node.input.some((input, i) => {
    const { op, control } = parseInput(input);
    if (control || !held.has(op)) return false;
    const arg = args[Math.min(i, args.length - 1)];
    return arg === undefined || arg.isRef || arg.type === RESOURCE || arg.typeListAttr !== undefined;
  });
}

const RESOURCE = 20;

/** The nodes with every node after its inputs, so far as there are no loops. */
function inOrder(graph: ImportedGraph): NodeDef[] {
  const done = new Set<string>();
  const order: NodeDef[] = [];
  for (const root of graph.nodes) {
    const open: { node: NodeDef; next: number }[] = done.has(root.name) ? [] : [{ node: root, next: 0 }];
    done.add(root.name);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const input = top.node.input[top.next++];
      if (input === undefined) {
        order.push(open.pop()!.node);
        continue;
      }
      const { op } = parseInput(input);
      const node = done.has(op) ? undefined : graph.findNode(op);
      done.add(op);
      if (node !== undefined) open.push({ node, next: 0 });
    }
  }
  return order;
}
