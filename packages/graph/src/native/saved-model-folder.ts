import type { GraphDef } from '../import/graph-protos.js';
import { createMessage, encodeMessage } from '../import/message.js';
import {
  MetaGraphDef,
  MetaInfoDef,
  SavedModel,
  type SaverDef,
  type SignatureDef,
} from '../import/meta-graph-protos.js';
import { nodeModule } from '../import/node-file.js';

/** The tag under which a graph is wrapped for the session. */
export const SESSION_TAG = 'tfparity';

/** What a SavedModel is written of. */
export interface SavedModelContents {
  readonly graphDef: GraphDef;
  readonly tags?: readonly string[];
  readonly signatures?: ReadonlyMap<string, SignatureDef>;
  readonly saver?: SaverDef;
  /** Where `variables/` and `assets/` are; they are linked, not copied. */
  readonly folder?: string;
  /** A meta graph whose other fields (collections, assets, object graph) are kept. */
  readonly metaGraph?: MetaGraphDef;
}

/** The bytes of a `saved_model.pb`. */
export function encodeSavedModel(contents: SavedModelContents): Uint8Array {
  const { metaGraph: original } = contents;
  const metaInfoDef = createMessage(MetaInfoDef, {
    ...original?.metaInfoDef,
    tags: [...(contents.tags ?? [SESSION_TAG])],
  });
  const metaGraph = createMessage(MetaGraphDef, {
    ...original,
    metaInfoDef,
    graphDef: contents.graphDef,
    signatureDef: new Map(contents.signatures ?? []),
  });
  if (contents.saver === undefined) delete metaGraph.saverDef;
  else metaGraph.saverDef = contents.saver;
  return encodeMessage(SavedModel, createMessage(SavedModel, { savedModelSchemaVersion: 1n, metaGraphs: [metaGraph] }));
}

/** A temporary SavedModel folder for TensorFlow to load; gone when disposed. */
export function temporarySavedModel(bytes: Uint8Array, linked?: string): { folder: string } & Disposable {
  const { mkdtempSync, rmSync, writeFileSync, symlinkSync, existsSync } = nodeModule('node:fs');
  const { join, resolve } = nodeModule('node:path');
  const folder = mkdtempSync(join(nodeModule('node:os').tmpdir(), 'tfparity-graph-'));
  writeFileSync(join(folder, 'saved_model.pb'), bytes);
  for (const part of linked === undefined ? [] : ['variables', 'assets']) {
    const target = resolve(linked!, part);
    if (existsSync(target)) symlinkSync(target, join(folder, part), 'junction');
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
