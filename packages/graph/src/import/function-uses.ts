import { GraphError } from '../graph-error.js';
import type { FunctionDef, GraphDef, NodeDef } from './graph-protos.js';

/**
 * A function of a library in one of its two uses: called (`f`), or differentiated (`∇f`) by a `SymbolicGradient`, which
 * runs the library's gradient function, or goes through the body and differentiates what that calls.
 */
type Use = string;

const GRADIENT = '∇';

/** The names of the functions that a node calls: as its op, or by its attributes. */
export function calledFunctions(node: NodeDef): string[] {
  const names = [node.op];
  for (const value of node.attr.values()) {
    if (value.func !== undefined) names.push(value.func.name);
    for (const f of value.list?.func ?? []) names.push(f.name);
  }
  return names;
}

/** Which functions of a graph's library run because of which. */
export class FunctionUses {
  /** The library, by name. */
  readonly functions: ReadonlyMap<string, FunctionDef>;
  private readonly gradients: ReadonlyMap<string, string>;

  constructor(graph: GraphDef) {
    const { function: functions = [], gradient = [] } = graph.library ?? {};
    this.functions = new Map(functions.map((f) => [f.signature?.name ?? '', f]));
    this.gradients = new Map(gradient.map(({ functionName, gradientFunc }) => [functionName, gradientFunc]));
  }

  /** The nodes that a use runs itself, beside what `next` says. */
  nodes(use: Use): readonly NodeDef[] {
    return this.functions.get(use)?.nodeDef ?? [];
  }

  /** The uses that a node runs. */
  ofNode(node: NodeDef): Use[] {
    const called = calledFunctions(node).filter((name) => this.functions.has(name));
    if (node.op !== 'SymbolicGradient') return called;
    // The gradient of an op, too, is a function that the library may have.
    return calledFunctions(node).flatMap((name) => (name === node.op ? [] : this.differentiated(name)));
  }

  /** The uses that a use runs directly. */
  next(use: Use): Use[] {
    const name = use.startsWith(GRADIENT) ? use.slice(GRADIENT.length) : use;
    const nodes = this.functions.get(name)?.nodeDef ?? [];
    const called = nodes.flatMap((node) => this.ofNode(node));
    if (name === use) return called;
    const gradient = this.gradients.get(name);
    if (gradient !== undefined) return this.functions.has(gradient) ? [gradient] : [];
    // What the gradient of a body runs: the body itself, and the gradients of all that it calls.
    return [name, ...nodes.flatMap((node) => calledFunctions(node).flatMap((f) => this.differentiated(f)))];
  }

  private differentiated(name: string): Use[] {
    return this.functions.has(name) || this.gradients.has(name) ? [`${GRADIENT}${name}`] : [];
  }
}

// As deep as function calls may nest; TensorFlow inlines them, so that a chain grows the graph.
const DEEPEST_CALLS = 100;

/** How deep calls nest below a use, and how many nodes it is with all of them inlined. */
interface Inlined {
  readonly depth: number;
  readonly size: number;
}

/**
 * Checks that calls end, and that the graph with every call inlined, as TensorFlow does it, stays within a limit.
 *
 * @throws {GraphError} `InvalidGraph` for a circle or calls that nest too deep, `TooLarge`
 */
export function checkCalls(graph: GraphDef, limit: number): void {
  const uses = new FunctionUses(graph);
  const measured = new Map<Use, Inlined>();
  const measure = (use: Use, path: readonly Use[]): Inlined => {
    const known = measured.get(use);
    if (known !== undefined) return known;
    if (path.includes(use) || path.length > DEEPEST_CALLS) throw endless(use);
    const inner = [...path, use];
    const next = uses.next(use).map((each) => measure(each, inner));
    const depth = next.reduce((deepest, each) => Math.max(deepest, each.depth + 1), 0);
    if (depth > DEEPEST_CALLS) throw endless(use);
    const found = { depth, size: next.reduce((sum, each) => sum + each.size, uses.nodes(use).length) };
    measured.set(use, found);
    return found;
  };
  const called = graph.node.flatMap((node) => uses.ofNode(node));
  const size = called.reduce((sum, use) => sum + measure(use, []).size, graph.node.length);
  // A library may hold functions that nothing calls.
  for (const f of uses.functions.keys()) measure(f, []);
  if (size <= limit) return;
  throw new GraphError(
    'TooLarge',
    `the graph has ${size} nodes with its functions in the places of their calls; the limit is ${limit} (limits.nodes)`,
    { count: size, limit },
  );
}

function endless(use: Use): GraphError {
  return new GraphError(
    'InvalidGraph',
    `the function '${use}' calls itself, or calls nest deeper than ${DEEPEST_CALLS}`,
    { function: use },
  );
}

/** What each node of a graph reaches, itself and through functions: the values that `found` gives for nodes, each once. */
export function reachedByNodes<T>(graph: GraphDef, found: (node: NodeDef) => T | undefined): Map<string, Set<T>> {
  const uses = new FunctionUses(graph);
  const reached = new Map<Use, Set<T>>();
  const own = (node: NodeDef, into: Set<T>): void => {
    const value = found(node);
    if (value !== undefined) into.add(value);
  };
  // Depth first without recursion: a file that is only looked at may nest calls as deep as it likes.
  const visit = (start: Use): void => {
    const stack: { use: Use; next: Use[] }[] = [];
    const enter = (use: Use): void => {
      if (reached.has(use)) return; // in a circle: adds nothing new
      const values = new Set<T>();
      reached.set(use, values);
      for (const node of uses.nodes(use)) own(node, values);
      stack.push({ use, next: [...new Set(uses.next(use))] });
    };
    enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.next.find((use) => !reached.has(use));
      if (next !== undefined) {
        enter(next);
        continue;
      }
      const values = reached.get(top.use)!;
      for (const use of top.next) for (const value of reached.get(use)!) values.add(value);
      stack.pop();
    }
  };
  const result = new Map<string, Set<T>>();
  for (const node of graph.node) {
    const values = new Set<T>();
    own(node, values);
    for (const use of uses.ofNode(node)) {
      visit(use);
      for (const value of reached.get(use)!) values.add(value);
    }
    if (values.size > 0) result.set(node.name, values);
  }
  return result;
}
