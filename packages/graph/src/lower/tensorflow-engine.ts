import type * as tf from '@tensorflow/tfjs-core';
import type { Graph } from '../graph.js';
import { GraphError, type GraphErrorCode, isGraphError } from '../graph-error.js';
import { checkGrapplerOptions } from '../native/grappler-options.js';
import { withSaver } from '../native/saver-nodes.js';
import { TensorFlowSession, type TensorFlowSessionOptions } from '../native/tensorflow-session.js';
import type { Operation } from '../operation.js';
import type { RunRequest, SessionEngine } from '../session-engine.js';
import { fedSizes } from '../unknown-sizes.js';
import { DrawnStreams } from './drawn-streams.js';
import { type LoweredGraph, lowerGraph } from './lower-graph.js';

/** What TensorFlow says of a node: the line that made the node belongs to it. */
const PLACED = new Set<GraphErrorCode>(['TensorFlow', 'FailedPrecondition', 'WrongValue']);

/**
 * Computes runs in TensorFlow's own session, on the lowered graph. Ops that are recorded after the first run
 * make it load the graph anew when one of them is needed; variables keep their values then, and a random op that has drawn
 * and is needed again is an error, because its stream would start afresh.
 */
export class TensorFlowEngine implements SessionEngine {
  private session: TensorFlowSession | undefined;
  private lowered: LoweredGraph | undefined;
  private size = 0;
  private readonly streams = new DrawnStreams();

  constructor(
    private readonly graph: Graph,
    private readonly options: TensorFlowSessionOptions = {},
  ) {
    // What cannot be had is said now, not at the first run.
    if (typeof options.optimizer === 'object') checkGrapplerOptions(options.optimizer);
  }

  run(request: RunRequest): tf.Tensor[] {
    const { session, lowered } = this.load([...request.fetches.map(({ op }) => op), ...request.targets]);
    this.streams.draw(request);
    if (lowered.usesSizes) {
      const sizes = fedSizes(request.feeds);
      // Which of several sizes an op means, only its own inputs would say.
      for (const recorded of sizes.ambiguous) sizes.get(recorded);
    }
    const fetches = request.fetches.map((ref) => lowered.tensorName(ref));
    const targets = request.targets.map((op) => op.name);
    const feeds = [...request.feeds].map(([ref, value]) => [lowered.tensorName(ref), value] as const);
    try {
      // The order of the structure is the order of the request; targets give null.
      const [values] = session.run([fetches, targets], feeds);
      return values as tf.Tensor[];
    } catch (error) {
      throw this.placed(error);
    }
  }

  /** Restores every variable from a checkpoint, by its name. */
  restore(checkpoint: string): void {
    this.load().session.restore(checkpoint);
  }

  /** Saves every variable to a checkpoint, under its name. */
  save(checkpoint: string): void {
    this.load().session.save(checkpoint);
  }

  close(): void {
    this.session?.close();
    this.session = undefined;
    this.lowered = undefined;
  }

  /** The session, loaded anew only where it lacks one of the ops that are needed; of all ops where left out. */
  private load(needed: readonly Operation[] = this.graph.operations.slice(-1)): {
    session: TensorFlowSession;
    lowered: LoweredGraph;
  } {
    const { operations } = this.graph;
    const { session: loaded, lowered: before } = this;
    if (loaded !== undefined && before !== undefined) {
      // What an op needs was recorded before it.
      const current = this.size === operations.length || needed.every(({ name }) => before.graph.findNode(name));
      if (current) return { session: loaded, lowered: before };
    }
    const lowered = loweredOnce(this.graph);
    const session = new TensorFlowSession(withSaver(lowered.graph), this.options);
    if (this.session !== undefined) {
      session.assign(this.session.assigned());
      this.session.close();
      this.streams.reloaded();
    }
    this.session = session;
    this.lowered = lowered;
    this.size = operations.length;
    return { session, lowered };
  }

  /** The error with the TypeScript line that made the node it names. */
  private placed(error: unknown): unknown {
    if (!isGraphError(error) || !PLACED.has(error.code)) return error;
    const name = error.details['node'];
    const op = this.graph.operations.find((each) => each.name === name || String(name).startsWith(`${each.name}/`));
    const site = op?.callSite;
    if (op === undefined || site === undefined) return error;
    const message = `${error.message}\n\t [[{{node ${op.name}}}]] made at ${site.file}:${site.line}`;
    return new GraphError(error.code, message, { ...error.details, callSite: site }, { cause: error });
  }
}

const known = new WeakMap<Graph, { size: number; lowered: LoweredGraph }>();

/** The lowered graph, the same for every session until ops are added. */
function loweredOnce(graph: Graph): LoweredGraph {
  const size = graph.operations.length;
  const before = known.get(graph);
  if (before?.size === size) return before.lowered;
  const lowered = lowerGraph(graph);
  known.set(graph, { size, lowered });
  return lowered;
}
