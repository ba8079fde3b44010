import { GraphError } from '../graph-error.js';
import { checkGraph } from './check-graph.js';
import { decodeCollections, findVariables } from './collections.js';
import { clearDevices } from './devices.js';
import { GRAPH_LIMITS, type GraphLimits } from './graph-limits.js';
import { ImportedGraph } from './imported-graph.js';
import { replaceInputs } from './input-replacement.js';
import { decodeMessage } from './message.js';
import { MetaGraphDef } from './meta-graph-protos.js';
import { readBytes } from './node-file.js';

/** How a graph is read, and what it may hold. */
export interface ImportOptions {
  /** Forgets on which device each node was placed, and which nodes stood together (`_class`). True unless said. */
  readonly clearDevices?: boolean;
  /** Unsafe ops (`ReadFile`, `PyFunc`, …) that are let in all the same, by name. */
  readonly allowOps?: readonly string[];
  /**
   * Tensors that will be fed instead of what makes them: queues, readers, datasets. They become placeholders of the same
   * names, and file-reading nodes behind them go, with whatever depends on those (the saver too).
   */
  readonly inputs?: readonly string[];
  /** Limits other than `GRAPH_LIMITS`. */
  readonly limits?: Partial<GraphLimits>;
}

/**
 * A TF1 program from its `.meta` file: the graph with its variables, collections, saver and initializers, checked.
 *
 * @param source  a path (in Node), or the file's bytes
 * @throws {GraphError} `Malformed`, `InvalidGraph`, `UnknownOp`, `UnsafeOp`, `TooLarge`, `NotFound`
 */
export function importMetaGraph(source: string | Uint8Array, options: ImportOptions = {}): ImportedGraph {
  const limits = { ...GRAPH_LIMITS, ...options.limits };
  const meta = decodeMessage(MetaGraphDef, readBytes(source, limits.bytes));
  if (meta.graphDef === undefined) {
    throw new GraphError('Malformed', 'the MetaGraphDef holds no graph; is this a .meta file?', {});
  }
  const graphDef = meta.graphDef;
  if (options.inputs !== undefined) {
    replaceInputs(graphDef, options.inputs);
    delete meta.saverDef;
  }
  checkGraph(graphDef, { limits, allowOps: options.allowOps ?? [], saver: meta.saverDef });
  if (options.clearDevices !== false) clearDevices(graphDef);
  const collections = decodeCollections(meta.collectionDef);
  return new ImportedGraph({
    graphDef,
    source: 'metaGraph',
    variables: findVariables(graphDef, collections),
    collections,
    ...(meta.saverDef === undefined ? {} : { saver: meta.saverDef }),
    signatures: meta.signatureDef,
    metaGraph: meta,
    allowedOps: options.allowOps ?? [],
  });
}
