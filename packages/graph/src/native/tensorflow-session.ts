import type { NdArray } from '@tfparity/array';
import { GraphError } from '../graph-error.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { type Addon, arrayFromTensor, nativeBackend, type TensorHandle, tensorFromArray } from './addon.js';
import { type FeedValue, feedArray } from './feed-value.js';
import { type Fetched, type Fetches, fetchNames, fillFetches, type Named } from './fetches.js';
import { encodeSavedModel, SESSION_TAG, temporarySavedModel } from './saved-model-folder.js';
import { INITIALIZE, withRunners } from './session-graph.js';
import { tensorFlowError } from './tensorflow-error.js';

/** Values for tensors of the graph, by name or by the tensor itself. */
export type Feeds =
  | Readonly<Record<string, FeedValue>>
  | ReadonlyMap<string | Named, FeedValue>
  | readonly (readonly [string | Named, FeedValue])[];

/**
 * TensorFlow's own session over a graph read from a file: variables and random streams live in it from run to run.
 *
 * Needs the backend `tensorflow` (tfjs-node). `close` frees everything.
 */
export class TensorFlowSession implements Disposable {
  private readonly addon: Addon;
  private readonly runners: ReadonlyMap<string, string>;
  private id: number | undefined;

  /** @throws {GraphError} `Unavailable` without the backend, `TensorFlow` with its own words where it refuses the graph */
  constructor(readonly graph: ImportedGraph) {
    this.addon = nativeBackend().binding;
    const { graphDef, runners } = withRunners(graph);
    this.runners = runners;
    const saved = graph.source === 'savedModel';
    const bytes = encodeSavedModel({
      graphDef,
      ...(saved ? { metaGraph: graph.metaGraph, saver: graph.saver, signatures: graph.signatures } : {}),
    });
    using model = temporarySavedModel(bytes, graph.folder);
    try {
      this.id = this.addon.loadSavedModel(model.folder, SESSION_TAG);
    } catch (error) {
      throw tensorFlowError(error, graph);
    }
  }

  /**
   * Runs what the fetches need, and gives their values in the same structure; a fetched op gives `null`.
   *
   * @throws {GraphError} `NotFound` for a name that the graph has not, `WrongValue` for a value that cannot be fed,
   * `TensorFlow` with TensorFlow's own words and the node's name
   */
  run<F extends Fetches>(fetches: F, feeds: Feeds = []): Fetched<F, NdArray | null> {
    const names = fetchNames(fetches);
    const values = this.runNames(names, feeds);
    let next = 0;
    return fillFetches(fetches, () => values[next++]) as Fetched<F, NdArray | null>;
  }

  /** Gives every variable its initial value, by running its initializer. */
  initialize(): void {
    const runner = this.runners.get(INITIALIZE);
    if (runner === undefined) {
      throw new GraphError('NotFound', 'the graph lists no variables with initializers; run its init op by name', {});
    }
    this.runHandles([], [`${runner}:0`]).forEach((handle) => {
      this.addon.deleteTensor(handle.id);
    });
  }

  /** Frees the session with its variables. Closing twice does nothing. */
  close(): void {
    if (this.id === undefined) return;
    this.addon.deleteSavedModel(this.id);
    this.id = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private runNames(names: readonly string[], feeds: Feeds): (NdArray | null)[] {
    const fetched = names.map((name) => this.fetchOf(name));
    const unique = [...new Set(fetched.map((fetch) => fetch.tensor))];
    const handles = this.runHandles(feedEntries(feeds), unique);
    try {
      const arrays = new Map<string, NdArray>();
      return fetched.map(({ tensor, silent }) => {
        if (silent) return null;
        const array = arrays.get(tensor) ?? arrayFromTensor(this.addon, handles[unique.indexOf(tensor)]!);
        arrays.set(tensor, array);
        return array;
      });
    } finally {
      for (const handle of handles) this.addon.deleteTensor(handle.id);
    }
  }

  private fetchOf(name: string): { tensor: string; silent: boolean } {
    const { op, output } = this.graph.resolve(name);
    if (output !== undefined) return { tensor: `${op}:${output}`, silent: false };
    return { tensor: `${this.runners.get(op) ?? op}:0`, silent: true };
  }

  private runHandles(feeds: readonly (readonly [string, FeedValue])[], fetches: readonly string[]): TensorHandle[] {
    if (this.id === undefined) throw new GraphError('Closed', 'Attempted to use a closed Session.', {});
    if (fetches.length === 0) return [];
    const ids: number[] = [];
    try {
      const names = feeds.map(([name, value]) => {
        const { op, output = 0 } = this.graph.resolve(name.includes(':') ? name : `${name}:0`);
        ids.push(tensorFromArray(this.addon, feedArray(value, this.graph.outputTypes(op)[output]!, name)));
        return `${op}:${output}`;
      });
      return this.addon.runSavedModel(this.id, ids, names.join(','), fetches.join(','));
    } catch (error) {
      throw tensorFlowError(error, this.graph);
    } finally {
      for (const id of ids) this.addon.deleteTensor(id);
    }
  }
}

function feedEntries(feeds: Feeds): (readonly [string, FeedValue])[] {
  const entries: Iterable<readonly [string | Named, FeedValue]> =
    feeds instanceof Map || Array.isArray(feeds) ? feeds : Object.entries(feeds as Record<string, FeedValue>);
  return [...entries].map(([key, value]) => [typeof key === 'string' ? key : key.name, value]);
}
