import { dtypeFromEnum } from '@tfparity/array';
import { decodeCollections, findVariables, type ImportedVariable, shapeOf } from './collections.js';
import { GRAPH_LIMITS, type GraphLimits } from './graph-limits.js';
import type { NodeDef } from './graph-protos.js';
import { GraphDef } from './graph-protos.js';
import { ImportedGraph } from './imported-graph.js';
import { decodeMessage } from './message.js';
import { MetaGraphDef, SavedModel } from './meta-graph-protos.js';
import { nodeModule, readBytes } from './node-file.js';
import { opSignature } from './op-registry.js';
import { parseInput } from './tensor-name.js';
import { findUnsafe } from './unsafe-ops.js';

/** A tensor of a graph as a report shows it. */
export interface GraphTensorInfo {
  readonly name: string;
  readonly dtype: string;
  /** Null where even the rank is unknown; -1 for an unknown size. */
  readonly shape: readonly number[] | null;
}

/** A random op with its seeds. Both 0: TensorFlow seeds it anew in every session. */
export interface RandomNode {
  readonly name: string;
  readonly op: string;
  readonly seed: string;
  readonly seed2: string;
}

/** What is in a graph, as plain data. */
export interface GraphInspection {
  readonly nodes: number;
  readonly functions: readonly string[];
  /** How many nodes of each op, the most first; those of functions included. */
  readonly ops: readonly { readonly op: string; readonly count: number }[];
  readonly inputs: readonly GraphTensorInfo[];
  /** What nothing else in the graph reads. */
  readonly outputs: readonly GraphTensorInfo[];
  readonly variables: readonly ImportedVariable[];
  readonly random: readonly RandomNode[];
  readonly unknownOps: readonly string[];
  readonly unsafeOps: readonly { readonly op: string; readonly reason: string; readonly node: string }[];
  readonly collections: Readonly<Record<string, number>>;
  readonly signatures: readonly string[];
  /** Nodes that only run on GPUs: their `data_format` is NCHW. */
  readonly nchw: readonly string[];
}

/**
 * What is in a graph: one that was imported, or a file that need not be safe or valid to be looked at.
 *
 * @param source  an imported graph, or the path of a `.pb`, a `.meta` or a SavedModel's folder
 * @throws {GraphError} `Malformed`, `TooLarge`, `NotFound`
 */
export function inspectGraph(source: ImportedGraph | string, limits: Partial<GraphLimits> = {}): GraphInspection {
  const graph = typeof source === 'string' ? readUnchecked(source, { ...GRAPH_LIMITS, ...limits }) : source;
  const functions = graph.graphDef.library?.function ?? [];
  const all = [...graph.nodes, ...functions.flatMap((f) => f.nodeDef)];
  const own = new Set(functions.map((f) => f.signature?.name));
  const counts = new Map<string, number>();
  for (const { op } of all) counts.set(op, (counts.get(op) ?? 0) + 1);
  const read = new Set(graph.nodes.flatMap((node) => node.input.map((input) => parseInput(input).op)));
  return {
    nodes: graph.nodes.length,
    functions: functions.map((f) => f.signature?.name ?? ''),
    ops: [...counts].map(([op, count]) => ({ op, count })).sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1)),
    inputs: graph.nodes.filter((node) => /^Placeholder/.test(node.op)).map((node) => describe(graph, node)),
    outputs: graph.nodes
      .filter((node) => !read.has(node.name) && types(graph, node).length > 0)
      .map((node) => describe(graph, node)),
    variables: graph.variables,
    random: all.filter((node) => node.attr.has('seed2')).map(randomNode),
    unknownOps: [...counts.keys()].filter((op) => opSignature(op) === undefined && !own.has(op)),
    unsafeOps: [...findUnsafe(graph.graphDef)].flatMap(([node, reached]) => reached.map((each) => ({ ...each, node }))),
    collections: Object.fromEntries([...graph.collections].map(([name, c]) => [name, sizeOf(c)])),
    signatures: [...graph.signatures.keys()],
    nchw: all.filter((node) => text(node, 'data_format') === 'NCHW').map((node) => node.name),
  };
}

function readUnchecked(path: string, limits: GraphLimits): ImportedGraph {
  const { existsSync } = nodeModule('node:fs');
  const saved = nodeModule('node:path').join(path, 'saved_model.pb');
  if (existsSync(saved)) {
    const meta = decodeMessage(SavedModel, readBytes(saved, limits.bytes)).metaGraphs[0];
    return fromMeta(meta, 'savedModel');
  }
  const bytes = readBytes(path, limits.bytes);
  if (path.endsWith('.meta')) return fromMeta(decodeMessage(MetaGraphDef, bytes), 'metaGraph');
  const graphDef = decodeMessage(GraphDef, bytes);
  return new ImportedGraph({ graphDef, source: 'graphDef', variables: findVariables(graphDef, new Map()) });
}

function fromMeta(meta: MetaGraphDef | undefined, source: 'savedModel' | 'metaGraph'): ImportedGraph {
  const graphDef = meta?.graphDef ?? decodeMessage(GraphDef, new Uint8Array());
  const collections = decodeCollections(meta?.collectionDef ?? new Map());
  const variables = findVariables(graphDef, collections, meta?.objectGraphDef);
  return new ImportedGraph({
    graphDef,
    source,
    collections,
    variables,
    signatures: meta?.signatureDef ?? new Map(),
    saver: meta?.saverDef,
  });
}

function sizeOf(collection: object): number {
  const lists = Object.values(collection).filter(Array.isArray);
  return (lists[0] as unknown[] | undefined)?.length ?? 0;
}

function types(graph: ImportedGraph, node: NodeDef): readonly number[] {
  return opSignature(node.op) === undefined ? [] : graph.outputTypes(node.name);
}

function describe(graph: ImportedGraph, node: NodeDef): GraphTensorInfo {
  const type = types(graph, node)[0] ?? 0;
  return {
    name: `${node.name}:0`,
    dtype: dtypeFromEnum(type)?.name ?? `DataType ${type}`,
    shape: shapeOf(node.attr.get('shape')?.shape) ?? null,
  };
}

function randomNode(node: NodeDef): RandomNode {
  const seed = (name: string): string => String(node.attr.get(name)?.i ?? 0n);
  return { name: node.name, op: node.op, seed: seed('seed'), seed2: seed('seed2') };
}

function text(node: NodeDef, name: string): string {
  return new TextDecoder().decode(node.attr.get(name)?.s ?? new Uint8Array());
}
