import { GraphError } from '../graph-error.js';
import type { Collection, ImportedVariable } from './collections.js';
import type { GraphDef, NodeDef } from './graph-protos.js';
import type { MetaGraphDef, SaverDef, SignatureDef } from './meta-graph-protos.js';
import { outputTypes } from './node-arguments.js';
import { opSignature } from './op-registry.js';
import { parseTensorName } from './tensor-name.js';

/** What an `ImportedGraph` is made of. */
export interface ImportedGraphParts {
  readonly graphDef: GraphDef;
  readonly source: 'metaGraph' | 'graphDef' | 'savedModel' | 'lowered';
  readonly variables?: readonly ImportedVariable[];
  readonly collections?: ReadonlyMap<string, Collection>;
  readonly saver?: SaverDef | undefined;
  readonly signatures?: ReadonlyMap<string, SignatureDef>;
  /** Of a SavedModel: its folder, whose `variables/` and `assets/` TensorFlow reads when it loads the graph. */
  readonly folder?: string | undefined;
  /** Of a SavedModel: the meta graph as it was, which says how to load it. */
  readonly metaGraph?: MetaGraphDef | undefined;
  /** Tensors that `returnElements` asked for, by the names they were asked by. */
  readonly elements?: ReadonlyMap<string, string>;
  readonly allowedOps?: readonly string[];
}

/** A graph read from TensorFlow's own files: checked, safe to look at, and ready for `new TensorFlowSession(graph)`. */
export class ImportedGraph {
  readonly graphDef: GraphDef;
  readonly source: ImportedGraphParts['source'];
  /** Every variable, in the order of the collections (creation), as `captureInventory` takes them. */
  readonly variables: readonly ImportedVariable[];
  readonly collections: ReadonlyMap<string, Collection>;
  readonly saver: SaverDef | undefined;
  readonly signatures: ReadonlyMap<string, SignatureDef>;
  readonly folder: string | undefined;
  readonly metaGraph: MetaGraphDef | undefined;
  readonly elements: ReadonlyMap<string, string>;
  /** Unsafe ops that the importer was told to let in. */
  readonly allowedOps: readonly string[];
  private readonly byName: ReadonlyMap<string, NodeDef>;

  constructor(parts: ImportedGraphParts) {
    this.graphDef = parts.graphDef;
    this.source = parts.source;
    this.variables = parts.variables ?? [];
    this.collections = parts.collections ?? new Map();
    this.saver = parts.saver;
    this.signatures = parts.signatures ?? new Map();
    this.folder = parts.folder;
    this.metaGraph = parts.metaGraph;
    this.elements = parts.elements ?? new Map();
    this.allowedOps = parts.allowedOps ?? [];
    this.byName = new Map(parts.graphDef.node.map((node) => [node.name, node]));
  }

  /** The same graph with more nodes. */
  withNodes(added: readonly NodeDef[]): ImportedGraph {
    return new ImportedGraph({ ...this, graphDef: { ...this.graphDef, node: [...this.nodes, ...added] } });
  }

  /** The nodes in the file's order. */
  get nodes(): readonly NodeDef[] {
    return this.graphDef.node;
  }

  /** The node of a name, or `undefined`. */
  findNode(name: string): NodeDef | undefined {
    return this.byName.get(name);
  }

  /**
   * The node of a name.
   *
   * @throws {GraphError} `NotFound` with the nearest names
   */
  node(name: string): NodeDef {
    const node = this.byName.get(name);
    if (node !== undefined) return node;
    const near = nearest(name, [...this.byName.keys()]);
    throw new GraphError(
      'NotFound',
      `The name '${name}' refers to an Operation not in the graph.${near.length > 0 ? ` Near it: ${near.join(', ')}.` : ''}`,
      { name, near },
    );
  }

  /**
   * The `DataType`s of a node's outputs; empty for an op that has none.
   *
   * @throws {GraphError} `NotFound`, or `UnknownOp` for an op that is neither TensorFlow's nor one of the graph's functions
   */
  outputTypes(name: string): readonly number[] {
    const node = this.node(name);
    const signature = opSignature(node.op);
    if (signature !== undefined) return outputTypes(node, signature);
    const called = this.graphDef.library?.function.find((f) => f.signature?.name === node.op)?.signature;
    if (called !== undefined) return called.outputArg.map((arg) => arg.type);
    throw new GraphError('UnknownOp', `Op type not registered '${node.op}' (node '${name}')`, {
      node: name,
      op: node.op,
    });
  }

  /** The names of the nodes or tensors of a collection; empty where it is absent or holds something else. */
  collection(name: string): readonly string[] {
    const collection = this.collections.get(name);
    if (collection?.kind === 'nodes') return collection.names;
    return collection?.kind === 'variables' ? collection.variables.map((v) => v.variableName) : [];
  }

  /** Checks that a name is an op's or a tensor's of this graph, and says which. */
  resolve(name: string): { op: string; output: number | undefined } {
    const parsed = parseTensorName(name);
    this.node(parsed.op);
    if (parsed.output === undefined) return parsed;
    const count = this.outputTypes(parsed.op).length;
    if (parsed.output < count) return parsed;
    throw new GraphError(
      'NotFound',
      `The name '${name}' refers to a Tensor which does not exist. The operation, '${parsed.op}', exists but only has ${count} outputs.`,
      { name, outputs: count },
    );
  }
}

function nearest(name: string, names: readonly string[]): string[] {
  const last = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
  if (last.length < 2) return [];
  return names.filter((other) => other.toLowerCase().includes(last)).slice(0, 5);
}
