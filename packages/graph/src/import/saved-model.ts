import { GraphError } from '../graph-error.js';
import { checkGraph } from './check-graph.js';
import { decodeCollections, findVariables } from './collections.js';
import { clearDevices } from './devices.js';
import { GRAPH_LIMITS } from './graph-limits.js';
import { ImportedGraph } from './imported-graph.js';
import { decodeMessage } from './message.js';
import type { ImportOptions } from './meta-graph.js';
import { type MetaGraphDef, SavedModel } from './meta-graph-protos.js';
import { nodeModule, readBytes } from './node-file.js';

/** Which of a SavedModel's graphs is read. */
export interface ImportSavedModelOptions extends ImportOptions {
  /** The tag set: `['serve']` unless said. */
  readonly tags?: readonly string[];
  /** A signature that must be there. */
  readonly signature?: string;
}

/**
 * A SavedModel of TF1 or TF2 from its folder: the graph of a tag set, with all its signatures, checked. A session
 * restores its variables and initialises its tables when it loads it.
 *
 * @throws {GraphError} `Malformed`, `InvalidGraph`, `UnknownOp`, `UnsafeOp`, `TooLarge`, `NotFound`
 */
export function importSavedModel(folder: string, options: ImportSavedModelOptions = {}): ImportedGraph {
  const limits = { ...GRAPH_LIMITS, ...options.limits };
  const { join } = nodeModule('node:path');
  const saved = decodeMessage(SavedModel, readBytes(join(folder, 'saved_model.pb'), limits.bytes));
  const meta = chooseMetaGraph(saved, options.tags ?? ['serve'], folder);
  const { graphDef, saverDef } = meta;
  if (graphDef === undefined) throw new GraphError('Malformed', `${folder}: the SavedModel holds no graph`, { folder });
  checkGraph(graphDef, { limits, allowOps: options.allowOps ?? [], saver: saverDef });
  if (options.clearDevices !== false) clearDevices(graphDef);
  const { signature } = options;
  if (signature !== undefined && !meta.signatureDef.has(signature)) {
    const there = [...meta.signatureDef.keys()];
    throw new GraphError('NotFound', `${folder} has no signature '${signature}', but ${there.join(', ')}`, {
      signature,
      there,
    });
  }
  const collections = decodeCollections(meta.collectionDef);
  return new ImportedGraph({
    graphDef,
    source: 'savedModel',
    variables: findVariables(graphDef, collections, meta.objectGraphDef),
    collections,
    ...(saverDef === undefined ? {} : { saver: saverDef }),
    signatures: meta.signatureDef,
    folder,
    metaGraph: meta,
    allowedOps: options.allowOps ?? [],
  });
}

function chooseMetaGraph(saved: SavedModel, tags: readonly string[], folder: string): MetaGraphDef {
  const sets = saved.metaGraphs.map((meta) => meta.metaInfoDef?.tags ?? []);
  const wanted = [...tags].sort().join(',');
  const index = sets.findIndex((set) => [...set].sort().join(',') === wanted);
  if (index >= 0) return saved.metaGraphs[index]!;
  throw new GraphError(
    'NotFound',
    `${folder} has no graph tagged {${tags.join(', ')}}, but ${sets.map((set) => `{${set.join(', ')}}`).join(', ')}`,
    { tags, there: sets },
  );
}
