import * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { GraphError } from '../graph-error.js';
import type { ImportedGraph } from '../import/imported-graph.js';
import { nodeModule } from '../import/node-file.js';
import { parseTensorName } from '../import/tensor-name.js';
import { outsideGraphs } from '../recording.js';
import { arrayFromTensor, type TensorHandle } from './addon.js';
import { assignedVariables } from './assigned-variables.js';
import type { FeedValue } from './feed-value.js';
import { type Fetched, type Fetches, fetchNames, fillFetches, type Named } from './fetches.js';
import { checkGrapplerOptions, type GrapplerOptions } from './grappler-options.js';
import { ISOLATION_LIMITS, type IsolationLimits } from './isolated-run.js';
import { NativeSession, type SessionRuns } from './native-session.js';
import { PassSession } from './pass-session.js';
import { EMPTY, INITIALIZE, withRunners } from './session-graph.js';
import { SessionSafety } from './session-safety.js';
import { variableFeeds } from './variable-feeds.js';

/** Values for tensors of the graph, by name or by the tensor itself. */
export type TensorFlowFeeds =
  | Readonly<Record<string, FeedValue>>
  | ReadonlyMap<string | Named, FeedValue>
  | readonly (readonly [string | Named, FeedValue])[];

/** How a session over an imported graph behaves. */
export interface TensorFlowSessionOptions {
  /**
   * Loads the graph, and does the first run, in a child process before this one: a graph that crashes TensorFlow, or
   * takes too long or too much memory, is an error then.
   */
  readonly isolated?: boolean | IsolationLimits;
  /**
   * TensorFlow's own graph optimizer: on unless said, as in TensorFlow; false for none of it; or its passes one by one,
   * by the names of `tf.config.optimizer.set_experimental_options`.
   */
  readonly optimizer?: boolean | GrapplerOptions;
}

/**
 * TensorFlow's own session over a graph read from a file: variables and random streams live in it from run to run.
 *
 * Needs the backend `tensorflow` (tfjs-node). `close` frees everything.
 */
export class TensorFlowSession implements Disposable {
  private readonly native: SessionRuns;
  private readonly runners: ReadonlyMap<string, string>;
  private readonly copies: ReadonlyMap<string, string>;
  private readonly isSet: ReadonlyMap<string, string>;
  private readonly copiesMade: ReadonlySet<string>;
  private readonly safety: SessionSafety;

  /** @throws {GraphError} `Unavailable` without the backend, `TensorFlow` with its own words where it refuses the graph */
  constructor(
    readonly graph: ImportedGraph,
    options: TensorFlowSessionOptions = {},
  ) {
    const { graph: loaded, runners, copies, isSet } = withRunners(graph);
    this.isSet = isSet;
    this.runners = runners;
    this.copies = copies;
    this.copiesMade = new Set(copies.values());
    this.safety = new SessionSafety(graph);
    const saved = graph.source === 'savedModel';
    if (saved) this.safety.checkSaver();
    const contents = {
      ...(saved ? { metaGraph: graph.metaGraph, saver: graph.saver, signatures: graph.signatures } : {}),
      ...(graph.folder === undefined ? {} : { folder: graph.folder }),
    };
    const { isolated, optimizer = true } = options;
    const limits = isolated ? { ...ISOLATION_LIMITS, ...(isolated === true ? {} : isolated) } : undefined;
    if (typeof optimizer === 'object') checkGrapplerOptions(optimizer);
    this.native =
      optimizer === true || (optimizer !== false && Object.values(optimizer).every((value) => value === undefined))
        ? new NativeSession(loaded, { ...contents, graphDef: loaded.graphDef }, limits)
        : new PassSession(loaded, isSet, contents, optimizer, limits);
  }

  /**
   * Runs what the fetches need, and gives their values in the same structure: a tensor of the backend `tensorflow`,
   * which belongs to the caller; an `NdArray` where TensorFlow.js has not the dtype (int64, float64, …); `null` for an op.
   *
   * @throws {GraphError} `NotFound` for a name that the graph has not, `WrongValue` for a value that cannot be fed,
   * `UnsafeOp`, `TensorFlow` with TensorFlow's own words and the node's name, `Closed`
   */
  run<const F extends Fetches>(fetches: F, feeds: TensorFlowFeeds = []): Fetched<F, tf.Tensor | NdArray> {
    return this.fetch(fetches, feeds, (handle) => this.native.keep(handle)) as Fetched<F, tf.Tensor | NdArray>;
  }

  /** As `run`, but every value comes as an `NdArray`: nothing to dispose of, every dtype exactly. */
  runArrays<const F extends Fetches>(fetches: F, feeds: TensorFlowFeeds = []): Fetched<F, NdArray> {
    const { addon } = this.native;
    return this.fetch(fetches, feeds, (handle) => {
      try {
        return arrayFromTensor(addon, handle);
      } finally {
        this.native.release([handle]);
      }
    }) as Fetched<F, NdArray>;
  }

  /**
   * Runs a signature of the graph: its inputs by their keys, its outputs as an object of arrays by theirs.
   *
   * @throws {GraphError} as `run`
   */
  call(signature: string, inputs: Readonly<Record<string, FeedValue>> = {}): Record<string, NdArray> {
    const def = this.graph.signatures.get(signature);
    if (def === undefined) {
      const there = [...this.graph.signatures.keys()].join(', ');
      throw new GraphError('NotFound', `the graph has no signature '${signature}', but ${there}`, { signature });
    }
    const feeds = Object.entries(inputs).map(([key, value]) => {
      const info = def.inputs.get(key);
      if (info !== undefined) return [info.name ?? '', value] as const;
      const keys = [...def.inputs.keys()].join(', ');
      throw new GraphError('NotFound', `signature '${signature}' has no input '${key}', but ${keys}`, {
        signature,
        key,
      });
    });
    const fetches = Object.fromEntries([...def.outputs].map(([key, info]) => [key, info.name ?? '']));
    return this.runArrays(fetches, feeds);
  }

  /** Gives every variable its initial value, by running the variables' own initializers. */
  initialize(): void {
    const runner = this.runners.get(INITIALIZE);
    if (runner === undefined) {
      throw new GraphError('NotFound', 'the graph lists no variables with initializers; run its init op by name', {});
    }
    const initializers = this.graph.variables.flatMap((v) => (v.initializer === undefined ? [] : [v.initializer]));
    this.safety.check(initializers, []);
    this.native.release(this.native.run([], [`${runner}:0`]));
  }

  /**
   * The values of the variables, by name.
   *
   * @throws {GraphError} `TensorFlow` for one that has no value yet
   */
  variables(): Map<string, NdArray> {
    const readable = this.graph.variables.filter((variable) => variable.snapshot !== undefined);
    const values = this.runArrays(readable.map((variable) => variable.snapshot!)) as NdArray[];
    return new Map(readable.map((variable, i) => [variable.name, values[i]!]));
  }

  /** The values of those variables that have one, by name. */
  assigned(): Map<string, NdArray> {
    return assignedVariables(this.graph, this.isSet, this.native);
  }

  /**
   * Gives variables values, by name (with or without `:0`).
   *
   * @throws {GraphError} `NotFound` for a variable that the graph has not, or that has no initializer to assign by
   */
  assign(values: Readonly<Record<string, FeedValue>> | ReadonlyMap<string, FeedValue>): void {
    for (const { feeds, ops } of variableFeeds(this.graph, values)) {
      const fetches = ops.map((op) => this.target(op));
      this.native.release(this.native.run(feeds, fetches));
    }
  }

  /**
   * Restores the variables from a checkpoint of TF1 (V1 or V2), with the graph's own saver.
   *
   * @param checkpoint  the prefix, as `tf.train.Saver.restore` takes it: `model.ckpt-7`
   * @throws {GraphError} `NotFound` for a graph without a saver, or without such a file; `TensorFlow`
   */
  restore(checkpoint: string): void {
    this.useSaver(checkpoint, this.graph.saver?.restoreOpName);
  }

  /**
   * Saves the variables to a checkpoint, with the graph's own saver.
   *
   * @throws {GraphError} `NotFound` for a graph without a saver, `TensorFlow`
   */
  save(checkpoint: string): void {
    this.useSaver(checkpoint, this.graph.saver?.saveTensorName);
  }

  /** Frees the session with its variables. Closing twice does nothing. */
  close(): void {
    this.native.close();
  }

  /** As `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  private useSaver(checkpoint: string, name: string | undefined): void {
    const { saver } = this.graph;
    if (saver === undefined || !name) {
      throw new GraphError('NotFound', 'the graph has no saver; open the checkpoint and pass its values to assign', {});
    }
    this.safety.checkSaver();
    const { op, output } = parseTensorName(name);
    const fetch = output === undefined ? this.target(op) : name;
    const path = nodeModule('node:path').resolve(checkpoint);
    this.native.release(this.native.run([[saver.filenameTensorName, path]], [fetch]));
  }

  private fetch(fetches: Fetches, feeds: TensorFlowFeeds, give: (handle: TensorHandle) => unknown): unknown {
    const fetched = fetchNames(fetches).map((name) => this.fetchOf(name));
    const unique = [...new Set(fetched.map((fetch) => fetch.tensor))];
    const entries = feedEntries(feeds);
    this.safety.check(
      fetched.map((fetch) => fetch.op),
      entries.map(([name]) => parseTensorName(name).op),
    );
    // TensorFlow refuses to fetch what is fed; the value is the one that was given.
    const given = new Map(entries.map(([name, value]) => [/:\d+$/.test(name) ? name : `${name}:0`, value]));
    const run = unique.filter((tensor) => !given.has(tensor));
    const copied = run.some((tensor) => this.copiesMade.has(tensor));
    const proves = fetched.some((fetch) => !fetch.silent);
    const handles = this.native.run(copied ? [...entries, [EMPTY, '']] : entries, run, proves);
    const wanted = new Set(fetched.filter((fetch) => !fetch.silent).map((fetch) => fetch.tensor));
    const values = new Map<string, unknown>();
    const left = [...handles];
    try {
      for (const tensor of run) {
        const handle = left.shift()!;
        if (wanted.has(tensor)) values.set(tensor, give(handle));
        else this.native.release([handle]);
      }
    } finally {
      this.native.release(left);
    }
    for (const tensor of unique) {
      if (given.has(tensor)) values.set(tensor, give(this.native.fed(tensor, given.get(tensor)!)));
    }
    let next = 0;
    const taken = new Set<string>();
    return fillFetches(fetches, () => {
      const { tensor, silent: targetOnly } = fetched[next++]!;
      if (targetOnly) return null;
      const value = values.get(tensor);
      // Every tensor is the caller's to dispose of by itself.
      const again = taken.has(tensor) && value instanceof tf.Tensor;
      taken.add(tensor);
      return again ? outsideGraphs('tensorflow', () => value.clone()) : value;
    });
  }

  /** The tensor to fetch for an op that is to be run. */
  private target(op: string): string {
    return `${this.runners.get(op) ?? this.copies.get(`${op}:0`)?.replace(/:0$/, '') ?? op}:0`;
  }

  private fetchOf(name: string): { op: string; tensor: string; silent: boolean } {
    const { op, output } = this.graph.resolve(name);
    if (output !== undefined) {
      const tensor = `${op}:${output}`;
      return { op, tensor: this.copies.get(tensor) ?? tensor, silent: false };
    }
    return { op, tensor: this.target(op), silent: true };
  }
}

function feedEntries(feeds: TensorFlowFeeds): (readonly [string, FeedValue])[] {
  const entries: Iterable<readonly [string | Named, FeedValue]> =
    feeds instanceof Map || Array.isArray(feeds) ? feeds : Object.entries(feeds as Record<string, FeedValue>);
  return [...entries].map(([key, value]) => [typeof key === 'string' ? key : key.name, value]);
}
