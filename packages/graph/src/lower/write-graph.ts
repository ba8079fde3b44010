import { DTYPES } from '@tfparity/array';
import { Graph } from '../graph.js';
import { shapeOf } from '../import/collections.js';
import { GraphDef, NodeDef, TensorShapeDim, TensorShapeProto } from '../import/graph-protos.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { createMessage, encodeMessage } from '../import/message.js';
import { SignatureDef, TensorInfo } from '../import/meta-graph-protos.js';
import { nodeModule } from '../import/node-file.js';
import { formatMessage } from '../import/text-format.js';
import { encodeSavedModel } from '../native/saved-model-folder.js';
import { lowerGraph } from './lower-graph.js';

/** A graph that can be written: recorded (it is lowered), or read from a file. */
export type WritableGraph = Graph | ImportedGraph;

/** The tensors of a signature, by the keys that callers use. */
export interface Signature {
  readonly inputs: Readonly<Record<string, string | { readonly name: string }>>;
  readonly outputs: Readonly<Record<string, string | { readonly name: string }>>;
}

const asImported = (graph: WritableGraph): ImportedGraph => (graph instanceof Graph ? lowerGraph(graph).graph : graph);

/** The bytes of a graph's `GraphDef`, as a `.pb` file holds them. */
export function encodeGraphDef(graph: WritableGraph): Uint8Array {
  return encodeMessage(GraphDef, asImported(graph).graphDef);
}

/** Writes a graph to a `.pb` file, or as text to a `.pbtxt` file; Python TensorFlow reads both. */
export function writeGraphDef(graph: WritableGraph, file: string): void {
  const { writeFileSync } = nodeModule('node:fs');
  const { graphDef } = asImported(graph);
  writeFileSync(file, file.endsWith('.pbtxt') ? formatMessage(GraphDef, graphDef) : encodeMessage(GraphDef, graphDef));
}

const INIT = 'tfparity_init';

/**
 * Writes a SavedModel (tag `serve`) that TensorFlow loads: its variables get their initial values when it is loaded.
 *
 * @param signatures  inputs and outputs by tensor or name; `serving_default` is the one that loaders look for
 * @throws {GraphError} `NotFound` for a tensor that the graph has not
 */
export function writeSavedModel(
  graph: WritableGraph,
  folder: string,
  signatures: Readonly<Record<string, Signature>> = {},
): void {
  const imported = asImported(graph);
  const initializers = imported.variables.flatMap((v) => (v.initializer === undefined ? [] : [`^${v.initializer}`]));
  const init = createMessage(NodeDef, { name: INIT, op: 'NoOp', input: initializers });
  const defs = new Map(Object.entries(signatures).map(([key, signature]) => [key, signatureDef(imported, signature)]));
  const outputs = new Map([['__saved_model_init_op', createMessage(TensorInfo, { name: INIT })]]);
  defs.set('__saved_model_init_op', createMessage(SignatureDef, { outputs }));
  const { mkdirSync, writeFileSync } = nodeModule('node:fs');
  mkdirSync(folder, { recursive: true });
  const bytes = encodeSavedModel({
    graphDef: imported.withNodes([init]).graphDef,
    tags: ['serve'],
    signatures: defs,
  });
  writeFileSync(nodeModule('node:path').join(folder, 'saved_model.pb'), bytes);
}

function signatureDef(graph: ImportedGraph, signature: Signature): SignatureDef {
  const infos = (tensors: Signature['inputs']): Map<string, TensorInfo> =>
    new Map(
      Object.entries(tensors).map(([key, tensor]) => [
        key,
        tensorInfo(graph, typeof tensor === 'string' ? tensor : tensor.name),
      ]),
    );
  return createMessage(SignatureDef, {
    inputs: infos(signature.inputs),
    outputs: infos(signature.outputs),
    methodName: 'tensorflow/serving/predict',
  });
}

function tensorInfo(graph: ImportedGraph, name: string): TensorInfo {
  const { op, output = 0 } = graph.resolve(name.includes(':') ? name : `${name}:0`);
  const dtype = graph.outputTypes(op)[output]! % 100 || DTYPES.float32.enumValue;
  const sizes = shapeOf(graph.node(op).attr.get('shape')?.shape);
  const tensorShape = createMessage(TensorShapeProto, {
    ...(sizes === undefined
      ? { unknownRank: true }
      : { dim: sizes.map((size) => createMessage(TensorShapeDim, { size })) }),
  });
  return createMessage(TensorInfo, { name: `${op}:${output}`, dtype, tensorShape });
}
