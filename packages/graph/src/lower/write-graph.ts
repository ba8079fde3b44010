import type * as tf from '@tensorflow/tfjs-core';
import { DTYPES } from '@tfparity/array';
import { Graph } from '../graph.js';
import { GraphError } from '../graph-error.js';
import { type ImportedVariable, shapeOf } from '../import/collections.js';
import { GraphDef, NodeDef, TensorShapeDim, TensorShapeProto } from '../import/graph-protos.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { createMessage, encodeMessage } from '../import/message.js';
import {
  BytesList,
  CollectionDef,
  MetaGraphDef,
  SignatureDef,
  TensorInfo,
  VariableDef,
} from '../import/meta-graph-protos.js';
import { nodeModule } from '../import/node-file.js';
import { parseInput } from '../import/tensor-name.js';
import { formatMessage } from '../import/text-format.js';
import { encodeSavedModel } from '../native/saved-model-folder.js';
import { freezeVariables, initializeWith, type VariableValues } from './given-variables.js';
import { lowerGraph } from './lower-graph.js';

/** A graph that can be written: recorded (it is lowered), or read from a file. */
export type WritableGraph = Graph | ImportedGraph;

/** The tensors of a signature, by the keys that callers use. */
export interface Signature {
  readonly inputs: Readonly<Record<string, string | tf.Tensor | { readonly name: string }>>;
  readonly outputs: Readonly<Record<string, string | tf.Tensor | { readonly name: string }>>;
}

/** What stands for the variables of a graph that is written. */
export interface WriteOptions {
  /**
   * The values of the variables, as `session.variables()` gives them. A `GraphDef` is frozen with them: constants take
   * the places of its variables. A SavedModel's variables have them when it is loaded. `'initial'`: nothing is kept, and
   * the variables have their initial values.
   */
  readonly variables?: VariableValues | 'initial';
}

const asImported = (graph: WritableGraph): ImportedGraph => (graph instanceof Graph ? lowerGraph(graph).graph : graph);

function graphToWrite(graph: WritableGraph, { variables = 'initial' }: WriteOptions): GraphDef {
  const imported = asImported(graph);
  return (variables === 'initial' ? imported : freezeVariables(imported, variables)).graphDef;
}

/**
 * The bytes of a graph's `GraphDef`, as a `.pb` file holds them. A `GraphDef` holds no values of variables: with the
 * option `variables` they are frozen into it as constants.
 */
export function encodeGraphDef(graph: WritableGraph, options: WriteOptions = {}): Uint8Array {
  return encodeMessage(GraphDef, graphToWrite(graph, options));
}

/**
 * Writes a graph to a `.pb` file, or as text to a `.pbtxt` file; Python TensorFlow reads both. Where the file is there
 * already, it is replaced as a whole.
 *
 * @throws {GraphError} `NotFound` or `WrongValue` for values of variables that do not fit the graph
 */
export function writeGraphDef(graph: WritableGraph, file: string, options: WriteOptions = {}): void {
  const graphDef = graphToWrite(graph, options);
  replaceFile(file, file.endsWith('.pbtxt') ? formatMessage(GraphDef, graphDef) : encodeMessage(GraphDef, graphDef));
}

const INIT = 'tfparity_init';

/**
 * Writes a SavedModel (tag `serve`) that TensorFlow loads. Its variables get the given values when it is loaded.
 *
 * @param signatures  inputs and outputs by tensor or name; `serving_default` is the one that loaders look for
 * @throws {GraphError} `NotFound` for a tensor that the graph has not; `WrongValue` where a graph with variables comes
 *   without their values, and for a folder that holds the variables of another SavedModel
 */
export function writeSavedModel(
  graph: WritableGraph,
  folder: string,
  signatures: Readonly<Record<string, Signature>> = {},
  options: WriteOptions = {},
): void {
  const given = asImported(graph);
  const { variables } = options;
  if (variables === undefined && given.variables.length > 0) {
    throw new GraphError(
      'WrongValue',
      `the graph has ${given.variables.length} variables: pass their values, { variables: session.variables() }, or 'initial' for a model that starts anew`,
      { variables: given.variables.length },
    );
  }
  const { existsSync, mkdirSync } = nodeModule('node:fs');
  const { join } = nodeModule('node:path');
  const other = ['variables', 'assets'].find((part) => existsSync(join(folder, part)));
  if (other !== undefined) {
    throw new GraphError(
      'WrongValue',
      `Export directory already exists, and isn't empty: ${folder} holds the ${other} of another SavedModel. Please choose a different export directory, or delete all the contents of the specified directory`,
      { folder },
    );
  }
  const imported = variables === undefined || variables === 'initial' ? given : initializeWith(given, variables);
  const initializers = imported.variables.flatMap((v) => (v.initializer === undefined ? [] : [`^${v.initializer}`]));
  const init = createMessage(NodeDef, { name: INIT, op: 'NoOp', input: initializers });
  const defs = new Map(Object.entries(signatures).map(([key, signature]) => [key, signatureDef(imported, signature)]));
  const outputs = new Map([['__saved_model_init_op', createMessage(TensorInfo, { name: INIT })]]);
  defs.set('__saved_model_init_op', createMessage(SignatureDef, { outputs }));
  const bytes = encodeSavedModel({
    graphDef: imported.withNodes([init]).graphDef,
    tags: ['serve'],
    signatures: defs,
    metaGraph: createMessage(MetaGraphDef, { collectionDef: variableCollections(imported) }),
  });
  mkdirSync(folder, { recursive: true });
  replaceFile(join(folder, 'saved_model.pb'), bytes);
}

/** Writes beside the file and renames, so that no one finds half of it. */
function replaceFile(file: string, contents: string | Uint8Array): void {
  const { renameSync, rmSync, writeFileSync } = nodeModule('node:fs');
  const beside = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(beside, contents);
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function signatureDef(graph: ImportedGraph, signature: Signature): SignatureDef {
  const infos = (tensors: Signature['inputs']): Map<string, TensorInfo> =>
    new Map(
      Object.entries(tensors).map(([key, tensor]) => [
        key,
        tensorInfo(graph, typeof tensor === 'string' ? tensor : nameOf(tensor)),
      ]),
    );
  return createMessage(SignatureDef, {
    inputs: infos(signature.inputs),
    outputs: infos(signature.outputs),
    methodName: 'tensorflow/serving/predict',
  });
}

function nameOf(tensor: tf.Tensor | { readonly name: string }): string {
  if ('name' in tensor) return tensor.name;
  throw new GraphError('OtherGraph', 'a signature needs tensors of the graph, and was given an eager tensor', {});
}

/**
 * The collections by which a graph's variables are known again. Not `variables` itself: Python's loader restores what is
 * in it from a checkpoint in the folder.
 */
function variableCollections(graph: ImportedGraph): Map<string, CollectionDef> {
  const known = graph.variables.filter(({ name, node, initializer }) => {
    const assign = initializer === undefined ? undefined : graph.findNode(initializer);
    return assign?.input[1] !== undefined && name === `${node}:0`;
  });
  const collection = (variables: readonly ImportedVariable[]): CollectionDef => {
    const value = variables.map(({ name, node, initializer, snapshot, trainable }) =>
      encodeMessage(
        VariableDef,
        createMessage(VariableDef, {
          variableName: name,
          initialValueName: `${parseInput(graph.node(initializer!).input[1]!).op}:0`,
          initializerName: initializer!,
          snapshotName: snapshot ?? '',
          isResource: graph.node(node).op === 'VarHandleOp',
          trainable,
        }),
      ),
    );
    return createMessage(CollectionDef, { bytesList: createMessage(BytesList, { value }) });
  };
  const trainable = known.filter((variable) => variable.trainable);
  const collections: [string, readonly ImportedVariable[]][] = [
    ['model_variables', known],
    ['trainable_variables', trainable],
  ];
  return new Map(
    collections.flatMap(([key, variables]) => (variables.length === 0 ? [] : [[key, collection(variables)] as const])),
  );
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
