import * as tf from '@tensorflow/tfjs-core';
import { DTYPES, type NdArray } from '@tfparity/array';
import { GraphError } from '../graph-error.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { outsideGraphs } from '../recording.js';
import {
  type Addon,
  arrayFromTensor,
  type NativeBackend,
  nativeBackend,
  ownedByTensorFlow,
  type TensorHandle,
  tensorFromArray,
} from './addon.js';
import { checkFeedShape } from './feed-shape.js';
import { type FeedValue, feedArray } from './feed-value.js';
import { type IsolatedRun, type IsolationLimits, runIsolated } from './isolated-run.js';
import { encodeSavedModel, type SavedModelContents, SESSION_TAG, temporarySavedModel } from './saved-model-folder.js';
import { tensorFlowError } from './tensorflow-error.js';

/** What the session needs to know of its graph. */
export type SessionNames = Pick<ImportedGraph, 'resolve' | 'outputTypes' | 'findNode' | 'nodes' | 'graphDef'>;

interface Input {
  readonly name: string;
  readonly value: FeedValue;
  readonly type: number;
}

// The dtypes of tfjs-node's handles, by TensorFlow's number.
const HELD = new Map([
  [1, 'float32'],
  [3, 'int32'],
  [7, 'string'],
  [8, 'complex64'],
  [10, 'bool'],
]);

/** A session of TensorFlow that is run by names. */
export interface SessionRuns {
  readonly addon: Addon;
  /** Runs the fetches (`op:0`); the handles are the caller's to `keep` or `release`. */
  run(feeds: readonly (readonly [string, FeedValue])[], fetches: readonly string[], proves?: boolean): TensorHandle[];
  /** A fetched value as a tensor of the backend, or an array where TensorFlow.js has not its dtype; takes the handle. */
  keep(handle: TensorHandle): tf.Tensor | NdArray;
  /** A fed value as if it had been fetched. */
  fed(name: string, value: FeedValue): TensorHandle;
  /** Frees handles. */
  release(handles: readonly TensorHandle[]): void;
  /** Frees the session; closing twice does nothing. */
  close(): void;
}

/** One `TF_Session` of the addon: loaded from bytes, run by names, freed. */
export class NativeSession implements SessionRuns {
  readonly addon: Addon;
  private readonly backend: NativeBackend;
  // A fetched reference variable shares its buffer with the session, which writes into it in later runs.
  private readonly sharesBuffers: boolean;
  private readonly model: { folder: string } & Disposable;
  private readonly history: IsolatedRun[] = [];
  private unproven: IsolationLimits | undefined;
  private id: number | undefined;

  constructor(
    private readonly graph: SessionNames,
    contents: SavedModelContents,
    isolated?: IsolationLimits,
  ) {
    this.backend = nativeBackend();
    this.addon = this.backend.binding;
    this.sharesBuffers = graph.nodes.some((node) => node.op === 'VariableV2' || node.op === 'Variable');
    const bytes = encodeSavedModel({ ...contents, tags: [SESSION_TAG] });
    this.model = temporarySavedModel(bytes, contents.folder);
    this.unproven = isolated;
    try {
      if (isolated) runIsolated(this.model.folder, [], isolated);
      this.id = this.addon.loadSavedModel(this.model.folder, SESSION_TAG);
    } catch (error) {
      this.model[Symbol.dispose]();
      throw tensorFlowError(error, graph);
    }
    if (!isolated) this.model[Symbol.dispose]();
  }

  /** Runs the fetches (`op:0`); the handles are the caller's to `keep` or `release`. */
  run(feeds: readonly (readonly [string, FeedValue])[], fetches: readonly string[], proves = false): TensorHandle[] {
    if (this.id === undefined) throw new GraphError('Closed', 'Attempted to use a closed Session.', {});
    if (fetches.length === 0) return [];
    const made: number[] = [];
    try {
      const inputs = feeds.map(([name, value]) => this.input(name, value));
      this.prove({ feeds: inputs, fetches }, proves);
      const ids = inputs.map((input) => this.feed(input, made));
      return this.addon.runSavedModel(this.id, ids, inputs.map(({ name }) => name).join(','), fetches.join(','));
    } catch (error) {
      throw tensorFlowError(error, this.graph);
    } finally {
      for (const id of made) this.addon.deleteTensor(id);
    }
  }

  /** A fetched value as a tensor of the backend, or an array where TensorFlow.js has not its dtype; takes the handle. */
  keep(handle: TensorHandle): tf.Tensor | NdArray {
    const dtype = HELD.get(handle.dtype);
    if (dtype !== undefined && !this.sharesBuffers && dtype !== 'string')
      return outsideGraphs('tensorflow', () => this.backend.createOutputTensor(handle));
    try {
      const array = arrayFromTensor(this.addon, handle);
      if (dtype === undefined || dtype === 'complex64') return array;
      return outsideGraphs('tensorflow', () => tf.tensor(array.data as Float32Array, handle.shape, dtype as 'float32'));
    } finally {
      this.addon.deleteTensor(handle.id);
    }
  }

  /** A fed value as if it had been fetched. */
  fed(name: string, value: FeedValue): TensorHandle {
    const { type } = this.input(name, value);
    const array = feedArray(value, type, name);
    checkFeedShape(this.graph, name, array.shape);
    return { id: tensorFromArray(this.addon, array), shape: [...array.shape], dtype: type % 100 };
  }

  /** Frees handles. */
  release(handles: readonly TensorHandle[]): void {
    for (const { id } of handles) this.addon.deleteTensor(id);
  }

  /** Frees the session; closing twice does nothing. */
  close(): void {
    if (this.id === undefined) return;
    this.addon.deleteSavedModel(this.id);
    this.id = undefined;
    this.model[Symbol.dispose]();
  }

  /** The handle of a fed value, in memory that the session's threads may free; what is to be deleted is put in `made`. */
  private feed({ value, type, name }: Input, made: number[]): number {
    const held = this.heldTensor(value, type);
    const array = held === undefined ? feedArray(value, type, name) : undefined;
    checkFeedShape(this.graph, name, array?.shape ?? (value as tf.Tensor).shape);
    const id = held ?? tensorFromArray(this.addon, array!);
    // Strings are TensorFlow's own from the start, and must not be deleted: see tensorFromArray.
    if (type % 100 === DTYPES.string.enumValue) return id;
    if (held === undefined) made.push(id);
    const owned = ownedByTensorFlow(this.addon, id, type % 100);
    made.push(owned);
    return owned;
  }

  private input(name: string, value: FeedValue): Input {
    const { op, output = 0 } = this.graph.resolve(name.includes(':') ? name : `${name}:0`);
    return { name: `${op}:${output}`, value, type: this.graph.outputTypes(op)[output]! };
  }

  /** The handle of a tensor that is on this backend already, with the dtype that is wanted. */
  private heldTensor(value: FeedValue, type: number): number | undefined {
    if (!(value instanceof tf.Tensor) || value.dtype !== HELD.get(type % 100)) return undefined;
    const { state } = tf.engine() as unknown as { state: { tensorInfo: WeakMap<object, { backend: unknown }> } };
    if (state.tensorInfo.get(value.dataId)?.backend !== this.backend) return undefined;
    return this.backend.getInputTensorIds([value])[0];
  }

  /** Repeats everything so far in a child process, until a run that fetches values has come back from there. */
  private prove(run: { feeds: readonly Input[]; fetches: readonly string[] }, last: boolean): void {
    if (this.unproven === undefined) return;
    const feeds = run.feeds.map(({ name, value, type }) => ({ name, array: feedArray(value, type, name) }));
    this.history.push({ feeds, fetches: run.fetches });
    runIsolated(this.model.folder, this.history, this.unproven);
    if (!last) return;
    this.unproven = undefined;
    this.history.length = 0;
    this.model[Symbol.dispose]();
  }
}
