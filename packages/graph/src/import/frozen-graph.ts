import { GraphError } from '../graph-error.js';
import { checkGraph } from './check-graph.js';
import { findVariables } from './collections.js';
import { clearDevices } from './devices.js';
import { GRAPH_LIMITS } from './graph-limits.js';
import { GraphDef, type NodeDef } from './graph-protos.js';
import { ImportedGraph } from './imported-graph.js';
import { replaceInputs } from './input-replacement.js';
import { decodeMessage } from './message.js';
import type { ImportOptions } from './meta-graph.js';
import { readBytes } from './node-file.js';
import { parseInput, parseTensorName } from './tensor-name.js';

/** How a `GraphDef` is read: the arguments of `tf.import_graph_def`. */
export interface ImportGraphDefOptions extends ImportOptions {
  /** Stands before every name, with a slash. None unless said (Python's default is 'import'). */
  readonly name?: string;
  /** A graph that the nodes are added to. */
  readonly into?: ImportedGraph;
  /** Tensors of the file (`'x:0'`; `'^op'` for control inputs) that are replaced by tensors of `into`. */
  readonly inputMap?: Readonly<Record<string, string>>;
  /** Ops and tensors of the file that are wanted: `graph.elements` gives each one's name in the new graph. */
  readonly returnElements?: readonly string[];
}

/**
 * A graph from a `.pb` file (frozen, or with its variables), checked.
 *
 * @param source  a path (in Node), or the file's bytes
 * @throws {GraphError} `Malformed`, `InvalidGraph`, `UnknownOp`, `UnsafeOp`, `TooLarge`, `NotFound`
 */
export function importGraphDef(source: string | Uint8Array, options: ImportGraphDefOptions = {}): ImportedGraph {
  const limits = { ...GRAPH_LIMITS, ...options.limits };
  const file = decodeMessage(GraphDef, readBytes(source, limits.bytes));
  const prefix = options.name ? `${options.name.replace(/\/$/, '')}/` : '';
  const inputs = inputMapOf(file, options);
  const graphDef: GraphDef = { ...file, node: file.node.map((node) => renamed(node, prefix, inputs)) };
  if (options.into !== undefined) addTo(graphDef, options.into);
  if (options.inputs !== undefined) replaceInputs(graphDef, options.inputs);
  checkGraph(graphDef, { limits, allowOps: options.allowOps ?? [], saver: options.into?.saver });
  if (options.clearDevices !== false) clearDevices(graphDef);
  const collections = options.into?.collections ?? new Map();
  const graph = new ImportedGraph({
    graphDef,
    source: 'graphDef',
    collections,
    variables: findVariables(graphDef, collections),
    ...(options.into?.saver === undefined ? {} : { saver: options.into.saver }),
    allowedOps: options.allowOps ?? [],
    elements: new Map((options.returnElements ?? []).map((name) => [name, prefix + name])),
  });
  for (const name of graph.elements.values()) graph.resolve(name);
  return graph;
}

function inputMapOf(file: GraphDef, options: ImportGraphDefOptions): Map<string, string> {
  const used = new Set(file.node.flatMap((node) => node.input.map(canonical)));
  const map = new Map<string, string>();
  for (const [from, to] of Object.entries(options.inputMap ?? {})) {
    const key = canonical(from);
    if (!used.has(key)) {
      throw new GraphError('NotFound', `Attempted to map inputs that were not found in graph_def: [${from}]`, {
        name: from,
      });
    }
    if (!to.startsWith('^')) options.into?.resolve(parseTensorName(to).output === undefined ? `${to}:0` : to);
    map.set(key, to);
  }
  return map;
}

function canonical(input: string): string {
  const { op, output, control } = parseInput(input);
  return control ? input : `${op}:${output}`;
}

function renamed(node: NodeDef, prefix: string, inputs: ReadonlyMap<string, string>): NodeDef {
  const input = node.input.map((name) => {
    const mapped = inputs.get(canonical(name));
    if (mapped !== undefined) return mapped;
    return name.startsWith('^') ? `^${prefix}${name.slice(1)}` : prefix + name;
  });
  return { ...node, name: prefix + node.name, input };
}

function addTo(graphDef: GraphDef, into: ImportedGraph): void {
  graphDef.node = [...into.nodes, ...graphDef.node];
  const own = graphDef.library;
  const others = into.graphDef.library;
  if (others === undefined) return;
  const names = new Set(others.function.map((f) => f.signature?.name));
  graphDef.library = {
    ...others,
    function: [...others.function, ...(own?.function.filter((f) => !names.has(f.signature?.name)) ?? [])],
    gradient: [...others.gradient, ...(own?.gradient ?? [])],
  };
}
