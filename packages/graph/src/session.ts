// TF1's tf.compat.v1.Session (python/client/session.py, TF 2.21). Departures: one process, fetched values are tensors.
import type * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import type { Fetches, FetchResult } from './fetch.js';
import { Graph, type OpenGraphScope } from './graph.js';
import { GraphError } from './graph-error.js';
import { ImportedGraph } from './import/imported-graph.js';
import { TensorFlowEngine } from './lower/tensorflow-engine.js';
import type { FeedValue } from './native/feed-value.js';
import type { Fetched, Fetches as ImportedFetches, Named } from './native/fetches.js';
import type { GrapplerOptions } from './native/grappler-options.js';
import type { IsolationLimits } from './native/isolated-run.js';
import { type TensorFlowFeeds, TensorFlowSession } from './native/tensorflow-session.js';
import type { Operation } from './operation.js';
import { OPTIMIZER_PASSES, type OptimizerOptions, type OptimizerReport } from './optimize/optimizer.js';
import { RecordedSession } from './recorded-session.js';
import { currentGraph, realBackendName } from './recording.js';
import { ReplayEngine } from './replay-engine.js';
import type { Feeds } from './session-feeds.js';

/** Options of a session. */
export interface SessionOptions {
  /**
   * `replay` calls the recorded kernels on a TensorFlow.js backend; `tensorflow` runs the graph in TensorFlow's own
   * session (a recorded one is lowered), where the backend `tensorflow` is loaded. `replay` unless said for a recorded
   * graph; a graph that was read from a file runs in `tensorflow`.
   */
  readonly engine?: 'replay' | 'tensorflow';
  /**
   * Which passes may rewrite what a run computes. In the `replay` engine none where left out, so that it gives the bits
   * of eager code; true for all. In the `tensorflow` engine TensorFlow's own optimizer is on where left out, as
   * TensorFlow has it; false for none of it, or `GrapplerOptions` for its passes one by one.
   */
  readonly optimizer?: boolean | OptimizerOptions | GrapplerOptions;
  /** The TensorFlow.js backend that the `replay` engine runs on; the graph's own where left out. */
  readonly backend?: string;
  /**
   * In the `tensorflow` engine: loads the graph, and does the first run, in a child process before this one, so that a
   * graph that crashes TensorFlow, or takes too long or too much memory, is an error.
   */
  readonly isolated?: boolean | IsolationLimits;
}

/** A graph that a session runs: recorded, or read from TensorFlow's own files. */
export type RunnableGraph = Graph | ImportedGraph;

/** What a session of a graph can be asked for; of a graph that was read, everything goes by name. */
export type SessionFetches<G extends RunnableGraph> = G extends ImportedGraph ? ImportedFetches : Fetches;

/** What a session of a graph can be given. */
export type SessionFeeds<G extends RunnableGraph> = G extends ImportedGraph ? TensorFlowFeeds : Feeds;

/** What a run gives: the structure of the fetches, with tensors, or `NdArray`s of dtypes that TensorFlow.js has not. */
export type SessionResult<G extends RunnableGraph, F> = G extends ImportedGraph
  ? Fetched<F, tf.Tensor | NdArray>
  : FetchResult<F>;

/** What a run gives as arrays: the structure of the fetches, with null for an op. */
export type SessionArrays<F> = 0 extends 1 & F
  ? NdArray
  : F extends Operation
    ? null
    : F extends tf.Tensor | string | Named
      ? NdArray
      : { -readonly [K in keyof F]: SessionArrays<F[K]> };

const ALL_PASSES: OptimizerOptions = Object.fromEntries(OPTIMIZER_PASSES.map((pass) => [pass, true]));

/**
 * Runs ops of a graph, recorded or read from TensorFlow's files, and keeps the values of its variables and the state of
 * its random ops.
 *
 * `run` computes only what the fetches need. Disposing of a session, or `close`, frees everything it holds.
 */
export class Session<in out G extends RunnableGraph = Graph> implements Disposable {
  /** The graph whose ops it runs. */
  readonly graph: G;
  private readonly runs: RecordedSession | TensorFlowSession;

  /**
   * @param graph  the default graph where left out
   * @throws {GraphError} `Unavailable` for an engine or an option that cannot be had; `TensorFlow` with its own words
   *   where it refuses a graph that was read
   */
  constructor(graph?: G | OpenGraphScope, options: SessionOptions = {}) {
    const given = graph ?? currentGraph();
    if (given === undefined) {
      throw new GraphError(
        'Closed',
        'a session needs a graph: pass one, or open one with `using _ = graph.asDefault()`',
      );
    }
    const runnable = given instanceof Graph || given instanceof ImportedGraph ? given : (given as OpenGraphScope).graph;
    this.graph = runnable as G;
    this.runs = runnable instanceof Graph ? recordedSession(runnable, options) : importedSession(runnable, options);
  }

  /**
   * Computes the fetches and returns them in the structure that they are given in: a tensor for a tensor or variable,
   * null for an op. The tensors are on the session's backend and belong to the caller.
   *
   * @param fetches  tensors, variables, ops, names (`a/b:0`, `a/b`), or arrays and objects of them
   * @throws {GraphError} in TensorFlow's words: `NotFound`, `OtherGraph`, `WrongValue` (a feed), `FailedPrecondition`
   *   (a variable without a value), `Failed` (a kernel, with the op and the line that made it), `TensorFlow` (its own
   *   session's error), `UnsafeOp`, `Closed`
   */
  run<const F extends SessionFetches<G>>(
    fetches: F,
    feeds: SessionFeeds<G> = [] as unknown as SessionFeeds<G>,
  ): SessionResult<G, F> {
    return this.runs.run(fetches as never, feeds as never) as SessionResult<G, F>;
  }

  /**
   * As `run`, but every value comes as an `NdArray`: nothing to dispose of, every dtype exactly.
   *
   * @throws {GraphError} as `run`
   */
  runArrays<const F extends SessionFetches<G>>(
    fetches: F,
    feeds: SessionFeeds<G> = [] as unknown as SessionFeeds<G>,
  ): SessionArrays<F> {
    return this.runs.runArrays(fetches as never, feeds as never) as SessionArrays<F>;
  }

  /**
   * Runs a signature of a graph that was read: its inputs by their keys, its outputs as an object of arrays by theirs.
   *
   * @throws {GraphError} `NotFound` for a signature or a key that the graph has not, and as `run`
   */
  call(signature: string, inputs: Readonly<Record<string, FeedValue>> = {}): Record<string, NdArray> {
    return this.runs.call(signature, inputs);
  }

  /** Gives every variable its initial value, by running the variables' own initializers. */
  initialize(): void {
    this.runs.initialize();
  }

  /**
   * The values of the variables, by name (`net/w:0`).
   *
   * @throws {GraphError} `FailedPrecondition` or `TensorFlow` for one that has no value yet
   */
  variables(): Map<string, NdArray> {
    return this.runs.variables();
  }

  /**
   * Gives variables values, by name (with or without `:0`).
   *
   * @throws {GraphError} `NotFound` for a variable that the graph has not, `WrongValue` for a value that does not fit
   */
  assign(values: Readonly<Record<string, FeedValue>> | ReadonlyMap<string, FeedValue>): void {
    this.runs.assign(values as never);
  }

  /**
   * Restores the variables from a checkpoint of TF1 (V1 or V2), in the engine `tensorflow`: with the graph's own saver,
   * or, of a recorded graph, every variable by its name.
   *
   * @param checkpoint  the prefix, as `tf.train.Saver.restore` takes it: `model.ckpt-7`
   * @throws {GraphError} `NotFound` for a graph without a saver, `Unavailable` in the engine `replay`, `TensorFlow`
   */
  restore(checkpoint: string): void {
    this.runs.restore(checkpoint);
  }

  /**
   * Saves the variables to a checkpoint, in the engine `tensorflow`.
   *
   * @throws {GraphError} as `restore`
   */
  save(checkpoint: string): void {
    this.runs.save(checkpoint);
  }

  /**
   * What the optimizer of the `replay` engine did to the last run: which ops each pass rewrote, and into what. Undefined
   * before the first run, without an optimizer, and for TensorFlow's own.
   */
  get optimizerReport(): OptimizerReport | undefined {
    return this.runs instanceof RecordedSession ? this.runs.optimizerReport : undefined;
  }

  /** Frees the session's variables, constants and random streams; it cannot run any more. Closing twice does nothing. */
  close(): void {
    this.runs.close();
  }

  /** As `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function importedSession(graph: ImportedGraph, options: SessionOptions): TensorFlowSession {
  const { engine = 'tensorflow', optimizer, isolated } = options;
  checkEngine(engine);
  if (engine === 'tensorflow') {
    return new TensorFlowSession(graph, { optimizer: optimizer as boolean | GrapplerOptions, isolated });
  }
  throw new GraphError(
    'Unavailable',
    "a graph that was read from a file has no recorded kernels to replay; it runs in the engine 'tensorflow'",
    { engine },
  );
}

function recordedSession(graph: Graph, options: SessionOptions): RecordedSession {
  const { engine = 'replay', optimizer, isolated, backend = graph.backendName ?? realBackendName() } = options;
  checkEngine(engine);
  if (engine === 'tensorflow') {
    return new RecordedSession(
      graph,
      new TensorFlowEngine(graph, { optimizer: optimizer as boolean | GrapplerOptions, isolated }),
    );
  }
  if (isolated) {
    throw new GraphError('Unavailable', "only the engine 'tensorflow' runs a graph in a child process first", {
      engine,
    });
  }
  const passes = optimizer === true ? ALL_PASSES : optimizer || undefined;
  checkPasses(passes);
  return new RecordedSession(graph, new ReplayEngine(backend, passes));
}

function checkEngine(engine: string): void {
  if (engine === 'replay' || engine === 'tensorflow') return;
  const message = `there is no engine '${engine}'; engines are 'replay' and 'tensorflow'`;
  throw new GraphError('Unavailable', message, { engine });
}

function checkPasses(passes: object | undefined): asserts passes is OptimizerOptions | undefined {
  const unknown = Object.keys(passes ?? {}).find((name) => !(OPTIMIZER_PASSES as readonly string[]).includes(name));
  if (unknown === undefined) return;
  throw new GraphError(
    'Unavailable',
    `the engine 'replay' has no optimizer pass '${unknown}'; its passes are ${OPTIMIZER_PASSES.join(', ')}`,
    { option: unknown, there: OPTIMIZER_PASSES },
  );
}
