import { type DType, dtypeFromEnum } from '@tfparity/array';
import type { GraphDef, NodeDef, TensorShapeProto } from './graph-protos.js';
import { decodeMessage } from './message.js';
import type { CollectionDef, SavedObjectGraph, VariableDef as VariableDefMessage } from './meta-graph-protos.js';
import { VariableDef } from './meta-graph-protos.js';
import { parseInput, parseTensorName } from './tensor-name.js';

/** A variable of an imported graph, as `captureInventory` takes it. */
export interface ImportedVariable {
  /** As TensorFlow names it: `net/conv/weights:0`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly trainable: boolean;
  /** The node that holds it: a `VarHandleOp`, or a `VariableV2` of old. */
  readonly node: string;
  /** The op that gives it its initial value; absent in files that hold only values. */
  readonly initializer?: string;
  /** The tensor that reads it. */
  readonly snapshot?: string;
}

/** A collection of a `.meta` file, decoded: names of ops and tensors, variables, or plain values. */
export type Collection =
  | { readonly kind: 'nodes'; readonly names: readonly string[] }
  | { readonly kind: 'variables'; readonly variables: readonly VariableDefMessage[] }
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'int64'; readonly values: readonly bigint[] }
  | { readonly kind: 'float'; readonly values: readonly number[] }
  | { readonly kind: 'unknown' };

const VARIABLE_COLLECTIONS = new Set([
  'variables',
  'trainable_variables',
  'local_variables',
  'model_variables',
  'moving_average_variables',
  'metric_variables',
  'concatenated_variables',
]);
const VARIABLE_OPS = new Set(['VarHandleOp', 'VariableV2', 'Variable']);

/** Decodes the collections of a `.meta`. */
export function decodeCollections(defs: ReadonlyMap<string, CollectionDef>): Map<string, Collection> {
  return new Map([...defs].map(([name, def]) => [name, decodeCollection(name, def)]));
}

function decodeCollection(name: string, def: CollectionDef): Collection {
  if (def.nodeList) return { kind: 'nodes', names: def.nodeList.value };
  if (def.bytesList && (VARIABLE_COLLECTIONS.has(name) || name === 'global_step')) {
    return { kind: 'variables', variables: def.bytesList.value.map((bytes) => decodeMessage(VariableDef, bytes)) };
  }
  if (def.bytesList) return { kind: 'bytes', values: def.bytesList.value };
  if (def.int64List) return { kind: 'int64', values: def.int64List.value };
  if (def.floatList) return { kind: 'float', values: def.floatList.value };
  return { kind: 'unknown' };
}

/** The variables of a graph: as its collections list them, or else every node that holds one. */
export function findVariables(
  graph: GraphDef,
  collections: ReadonlyMap<string, Collection>,
  objects?: SavedObjectGraph,
): ImportedVariable[] {
  const nodes = new Map(graph.node.map((node) => [node.name, node]));
  const trainable = new Set(variableDefs(collections, 'trainable_variables').map((def) => def.variableName));
  const found = new Map<string, ImportedVariable>();
  for (const collection of ['variables', 'local_variables', 'model_variables']) {
    for (const def of variableDefs(collections, collection)) {
      const node = nodes.get(parseTensorName(def.variableName).op);
      if (node === undefined || found.has(def.variableName)) continue;
      found.set(def.variableName, {
        ...describe(node, def.variableName),
        trainable: trainable.has(def.variableName) || (trainable.size === 0 && def.trainable),
        initializer: parseTensorName(def.initializerName).op,
        snapshot: def.snapshotName || def.variableName,
      });
    }
  }
  return found.size > 0 ? [...found.values()] : variablesOfNodes(graph, objects);
}

function variablesOfNodes(graph: GraphDef, objects: SavedObjectGraph | undefined): ImportedVariable[] {
  const saved = new Map(objects?.nodes.flatMap(({ variable }) => (variable ? [[variable.name, variable]] : [])));
  const readers = new Map<string, string>();
  for (const node of graph.node) {
    if (node.op === 'ReadVariableOp') readers.set(parseInput(node.input[0] ?? '').op, `${node.name}:0`);
  }
  const order = new Map([...saved.keys()].map((name, i) => [`${name}:0`, i]));
  return graph.node
    .filter((node) => VARIABLE_OPS.has(node.op))
    .flatMap((node): ImportedVariable[] => {
      const shared = new TextDecoder().decode(node.attr.get('shared_name')?.s ?? new Uint8Array());
      const object = saved.get(shared) ?? saved.get(node.name);
      // A TF2 model's graph also holds variables of no object: counters of the saver.
      if (saved.size > 0 && object === undefined) return [];
      const snapshot = node.op === 'VarHandleOp' ? readers.get(node.name) : `${node.name}:0`;
      return [
        {
          ...describe(node, `${object?.name ?? node.name}:0`),
          trainable: object?.trainable ?? true,
          ...(snapshot === undefined ? {} : { snapshot }),
        },
      ];
    })
    .sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0));
}

function variableDefs(collections: ReadonlyMap<string, Collection>, name: string): readonly VariableDefMessage[] {
  const collection = collections.get(name);
  return collection?.kind === 'variables' ? collection.variables : [];
}

function describe(node: NodeDef, name: string): Omit<ImportedVariable, 'trainable'> {
  return {
    name,
    shape: shapeOf(node.attr.get('shape')?.shape) ?? [],
    dtype: dtypeFromEnum(node.attr.get('dtype')?.type ?? 0)?.name ?? 'float32',
    node: node.name,
  };
}

/** A shape as numbers, -1 where a dimension is unknown; `undefined` where even the rank is. */
export function shapeOf(proto: TensorShapeProto | undefined): number[] | undefined {
  if (proto === undefined || proto.unknownRank) return undefined;
  return proto.dim.map((dim) => dim.size);
}
