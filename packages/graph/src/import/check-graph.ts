import { GraphError } from '../graph-error.js';
import { checkNode } from './check-node.js';
import { calledFunctions, checkCalls } from './function-uses.js';
import type { GraphLimits } from './graph-limits.js';
import type { FunctionDef, GraphDef, NodeDef } from './graph-protos.js';
import type { SaverDef } from './meta-graph-protos.js';
import { inputTypes, outputTypes } from './node-arguments.js';
import { opSignature } from './op-registry.js';
import { parseInput, parseTensorName } from './tensor-name.js';
import { closureOf, findUnsafe, SAVER_OPS } from './unsafe-ops.js';

/** What `checkGraph` goes by. */
export interface CheckOptions {
  readonly limits: GraphLimits;
  /** Unsafe ops that are let in. */
  readonly allowOps: readonly string[];
  /** The graph's saver, whose own file ops may be there: a session runs them only when it is asked to. */
  readonly saver?: SaverDef | undefined;
}

/**
 * Checks that TensorFlow can take a graph, and that it is safe to run.
 *
 * @throws {GraphError} `TooLarge`, `UnknownOp`, `InvalidGraph`, `UnsafeOp`
 */
export function checkGraph(graph: GraphDef, options: CheckOptions): void {
  const functions = new Map<string, FunctionDef>();
  for (const f of graph.library?.function ?? []) {
    const name = f.signature?.name;
    if (!name) throw new GraphError('InvalidGraph', 'a function of the graph has no name', {});
    if (functions.has(name)) throw new GraphError('InvalidGraph', `two functions are called '${name}'`, { name });
    functions.set(name, f);
  }
  const count = [...functions.values()].reduce((sum, f) => sum + f.nodeDef.length, graph.node.length);
  if (count > options.limits.nodes) {
    throw new GraphError(
      'TooLarge',
      `the graph has ${count} nodes; the limit is ${options.limits.nodes} (limits.nodes)`,
      {
        count,
        limit: options.limits.nodes,
      },
    );
  }
  checkNodes(graph.node, functions, options.limits);
  for (const f of functions.values()) checkFunction(f, functions, options.limits);
  checkCalls(graph, options.limits.nodes);
  checkInputs(graph, functions);
  checkCycles(graph);
  checkSafety(graph, options);
}

function checkNodes(nodes: readonly NodeDef[], functions: ReadonlyMap<string, FunctionDef>, limits: GraphLimits): void {
  const names = new Set<string>();
  for (const node of nodes) {
    const signature = opSignature(node.op);
    if (signature === undefined && !functions.has(node.op)) {
      throw new GraphError('UnknownOp', `Op type not registered '${node.op}' (node '${node.name}')`, {
        node: node.name,
        op: node.op,
      });
    }
    checkNode(node, signature, limits);
    if (names.has(node.name)) {
      throw new GraphError('InvalidGraph', `Node '${node.name}' is not unique`, { node: node.name });
    }
    names.add(node.name);
    for (const called of calledFunctions(node).slice(1)) {
      // A gradient function's name may be of an op; whether it is known, TensorFlow says.
      if (!functions.has(called) && opSignature(called) === undefined && called !== '') {
        throw new GraphError('InvalidGraph', `node '${node.name}': the function '${called}' is not in the graph`, {
          node: node.name,
          function: called,
        });
      }
    }
  }
}

function checkFunction(f: FunctionDef, functions: ReadonlyMap<string, FunctionDef>, limits: GraphLimits): void {
  checkNodes(f.nodeDef, functions, limits);
  const known = new Set([...f.nodeDef.map((node) => node.name), ...f.signature!.inputArg.map((arg) => arg.name)]);
  const refer = (name: string, by: string): void => {
    if (known.has(name)) return;
    throw new GraphError(
      'InvalidGraph',
      `function '${f.signature!.name}': '${by}' reads '${name}', which is not there`,
      {
        function: f.signature!.name,
        name,
      },
    );
  };
  for (const node of f.nodeDef) {
    for (const input of node.input) refer(input.replace(/^\^/, '').split(':')[0]!, node.name);
  }
  for (const [output, from] of f.ret) refer(from.split(':')[0]!, output);
}

function checkInputs(graph: GraphDef, functions: ReadonlyMap<string, FunctionDef>): void {
  const outputs = new Map<string, readonly number[]>();
  for (const node of graph.node) {
    const signature = opSignature(node.op);
    const called = functions.get(node.op)?.signature;
    outputs.set(node.name, signature ? outputTypes(node, signature) : (called?.outputArg.map((arg) => arg.type) ?? []));
  }
  for (const node of graph.node) {
    const signature = opSignature(node.op);
    const called = functions.get(node.op)?.signature;
    const needed = signature ? inputTypes(node, signature) : (called?.inputArg.map((arg) => arg.type) ?? []);
    const data = node.input.map(parseInput);
    const given = data.filter((input) => !input.control);
    if (given.length !== needed.length) {
      throw wrongInput(node, `NodeDef expected inputs of ${needed.length} but has ${given.length}`);
    }
    data.forEach((input, i) => {
      const types = outputs.get(input.op);
      if (types === undefined) throw wrongInput(node, `Unknown input node '${node.input[i]}'`);
      if (input.control) return;
      const type = types[input.output];
      if (type === undefined) {
        throw wrongInput(
          node,
          `Connecting to invalid output ${input.output} of source node ${input.op} which has ${types.length} outputs`,
        );
      }
      const wanted = needed[i]!;
      if (type !== 0 && wanted !== 0 && type % 100 !== wanted % 100) {
        throw wrongInput(
          node,
          `Input ${i} of node ${node.name} was passed DataType ${type} from ${input.op}:${input.output} incompatible with expected ${wanted}`,
        );
      }
    });
  }
}

function wrongInput(node: NodeDef, what: string): GraphError {
  return new GraphError('InvalidGraph', `${what} (node '${node.name}', op ${node.op})`, {
    node: node.name,
    op: node.op,
  });
}

// Loops of TF1 go through NextIteration: its output closes the circle, and is no dependency.
function checkCycles(graph: GraphDef): void {
  const indices = new Map(graph.node.map((node, i) => [node.name, i]));
  const isBack = graph.node.map(({ op }) => op === 'NextIteration' || op === 'RefNextIteration');
  const consumers: number[][] = graph.node.map(() => []);
  const waiting = new Int32Array(graph.node.length);
  for (const [i, node] of graph.node.entries()) {
    for (const input of node.input) {
      const source = indices.get(parseInput(input).op)!;
      if (isBack[source]) continue;
      waiting[i]! += 1;
      consumers[source]!.push(i);
    }
  }
  const ready = [...waiting.keys()].filter((i) => waiting[i] === 0);
  let left = graph.node.length;
  for (let i = ready.pop(); i !== undefined; i = ready.pop()) {
    left -= 1;
    for (const consumer of consumers[i]!) {
      waiting[consumer]! -= 1;
      if (waiting[consumer] === 0) ready.push(consumer);
    }
  }
  if (left === 0) return;
  const nodes = graph.node.filter((_, i) => waiting[i]! > 0).slice(0, 5);
  const names = nodes.map(({ name }) => name);
  throw new GraphError('InvalidGraph', `${left} nodes in a cycle, or behind one: ${names.join(', ')}`, {
    nodes: names,
  });
}

function checkSafety(graph: GraphDef, { allowOps, saver }: CheckOptions): void {
  const allowed = new Set(allowOps);
  const ofSaver = saverNodes(graph, saver);
  const refused = new Map<string, string>();
  for (const [name, reached] of findUnsafe(graph)) {
    for (const { op, reason } of reached) {
      if (allowed.has(op) || (SAVER_OPS.has(op) && ofSaver.has(name))) continue;
      refused.set(op, `${op} (${reason}; node '${name}')`);
    }
  }
  if (refused.size === 0) return;
  throw new GraphError(
    'UnsafeOp',
    `the graph would do more than compute: ${[...refused.values()].join(', ')}; if you trust it, allow these ops by name (allowOps)`,
    { ops: [...refused.keys()] },
  );
}

/** The names of the nodes that the graph's saver needs to save and to restore. */
export function saverNodes(graph: GraphDef, saver: SaverDef | undefined): Set<string> {
  if (saver === undefined) return new Set();
  const nodes = new Map(graph.node.map((node) => [node.name, node]));
  const roots = [saver.saveTensorName, saver.restoreOpName].filter((name) => name !== '');
  return closureOf(
    nodes,
    roots.map((name) => parseTensorName(name).op),
  );
}
