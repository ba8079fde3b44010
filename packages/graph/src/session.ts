// TF1's tf.compat.v1.Session (python/client/session.py, TF 2.21). Departures: one process, fetched values are tensors.
import type * as tf from '@tensorflow/tfjs-core';
import { type FeedValue, fedTensor } from './feed.js';
import { type Fetches, type FetchResult, resolveFetches } from './fetch.js';
import { Graph, type OpenGraphScope } from './graph.js';
import { GraphError } from './graph-error.js';
import { TensorFlowEngine } from './lower/tensorflow-engine.js';
import type { OutputRef } from './operation.js';
import { OPTIMIZER_PASSES, type OptimizerOptions, type OptimizerReport } from './optimize/optimizer.js';
import { currentGraph, realBackendName } from './recording.js';
import { ReplayEngine } from './replay-engine.js';
import type { SessionEngine } from './session-engine.js';

/** What a run is given: values by tensor or by tensor name. */
export type Feeds =
  | ReadonlyMap<tf.Tensor | string, FeedValue>
  | readonly (readonly [tf.Tensor | string, FeedValue])[]
  | Readonly<Record<string, FeedValue>>;

const ALL_PASSES: OptimizerOptions = Object.fromEntries(OPTIMIZER_PASSES.map((pass) => [pass, true]));

/** Options of a session. */
export interface SessionOptions {
  /**
   * `replay` calls the recorded kernels on a TensorFlow.js backend; `tensorflow` lowers the graph and runs it in
   * TensorFlow's own session, where the backend `tensorflow` is loaded.
   */
  readonly engine?: 'replay' | 'tensorflow';
  /**
   * Which passes may rewrite what a run computes: in the `replay` engine none where left out, so that it gives the bits
   * of eager code; true for all. In the `tensorflow` engine TensorFlow's own optimizer is on, as TensorFlow has it:
   * tfjs-node passes the session no ConfigProto, so that anything but true is refused there.
   */
  readonly optimizer?: boolean | OptimizerOptions;
  /** The TensorFlow.js backend to run on; the graph's own where left out. */
  readonly backend?: string;
}

/**
 * Runs ops of a graph, and keeps the values of its variables and the state of its random ops.
 *
 * `run` computes only what the fetches need. Disposing of a session, or `close`, frees everything it holds.
 */
export class Session implements Disposable {
  /** The graph whose ops it runs. */
  readonly graph: Graph;
  private readonly engine: SessionEngine;
  private closed = false;

  /** @param graph  the default graph where left out */
  constructor(graph: Graph | OpenGraphScope | undefined = currentGraph(), options: SessionOptions = {}) {
    if (graph === undefined) {
      throw new GraphError(
        'Closed',
        'a session needs a graph: pass one, or open one with `using _ = graph.asDefault()`',
      );
    }
    this.graph = graph instanceof Graph ? graph : graph.graph;
    const { engine = 'replay', backend = this.graph.backendName ?? realBackendName() } = options;
    if (engine !== 'replay' && engine !== 'tensorflow') {
      const message = `there is no engine '${String(engine)}'; engines are 'replay' and 'tensorflow'`;
      throw new GraphError('Unavailable', message, { engine });
    }
    const { optimizer } = options;
    if (engine === 'tensorflow' && optimizer !== undefined && optimizer !== true) {
      throw new GraphError(
        'Unavailable',
        "tfjs-node passes TensorFlow's session no options, so its graph optimizer cannot be turned off; the engine 'replay' runs the graph as it is",
        { engine },
      );
    }
    const passes = optimizer === true ? ALL_PASSES : optimizer || undefined;
    this.engine = engine === 'replay' ? new ReplayEngine(backend, passes) : new TensorFlowEngine(this.graph);
  }

  /**
   * Computes the fetches and returns them in the structure that they are given in: a tensor for a tensor or variable,
   * null for an op. The tensors are on the session's backend and belong to the caller.
   *
   * @param fetches  tensors, variables, ops, names (`a/b:0`, `a/b`), or arrays and objects of them
   * @throws {GraphError} in TensorFlow's words: `NotFound`, `OtherGraph`, `WrongValue` (a feed), `FailedPrecondition`
   *   (a variable without a value), `Failed` (a kernel, with the op and the line that made it), `Closed`
   */
  run<const F extends Fetches>(fetches: F, feeds: Feeds = []): FetchResult<F> {
    if (this.closed) throw new GraphError('Closed', 'Attempted to use a closed Session.');
    if (this.graph.operations.length === 0) {
      throw new GraphError(
        'InvalidGraph',
        'The Session graph is empty. Add operations to the graph before calling run().',
      );
    }
    const resolved = resolveFetches(this.graph, fetches);
    const made: tf.Tensor[] = [];
    try {
      const values = new Map<OutputRef, tf.Tensor>();
      for (const [key, value] of entriesOf(feeds)) {
        const [ref, tensor, owned] = fedTensor(this.graph, key, value);
        if (owned) made.push(tensor);
        values.set(ref, tensor);
      }
      const results = this.engine.run({ fetches: resolved.refs, targets: resolved.targets, feeds: values });
      return resolved.rebuild(results) as FetchResult<F>;
    } finally {
      for (const tensor of made) tensor.dispose();
    }
  }

  /**
   * What the optimizer of the `replay` engine did to the last run: which ops each pass rewrote, and into what. Undefined
   * before the first run, without an optimizer, and for TensorFlow's own.
   */
  get optimizerReport(): OptimizerReport | undefined {
    return this.engine instanceof ReplayEngine ? this.engine.report : undefined;
  }

  /** Frees the session's variables, constants and random streams; it cannot run any more. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.engine.close();
  }

  /** As `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function entriesOf(feeds: Feeds): Iterable<readonly [tf.Tensor | string, FeedValue]> {
  if (feeds instanceof Map) return feeds.entries();
  if (Array.isArray(feeds)) return feeds as readonly (readonly [tf.Tensor | string, FeedValue])[];
  return Object.entries(feeds as Readonly<Record<string, FeedValue>>);
}
