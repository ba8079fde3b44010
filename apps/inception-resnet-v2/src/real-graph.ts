// slim's own TF1 graphs of the net, as Python TensorFlow wrote them (golden/graphs), in TensorFlow's own session.

import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { type ImportedGraph, importMetaGraph, TensorFlowSession } from '@tfparity/graph';
import { goldenFile, sha256 } from './golden.js';
import { images, type ModelRun, numberOf, type RunSettings } from './model-run.js';

/** The graphs there are: inference, training, and training with the test tool in constant mode. */
export type RealGraphName = 'infer' | 'train' | 'constant';

/** A TF1 program as its author has it: the graph, and the names of what to feed and fetch. */
export interface RealGraph {
  readonly name: RealGraphName;
  readonly graph: ImportedGraph;
  readonly fetches: RealGraphFetches;
}

/** What the program that wrote the graph noted beside it: names of tensors and ops. */
export interface RealGraphFetches {
  readonly input: string;
  readonly logits: string;
  readonly regularization_loss: string;
  readonly init: string;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly update_ops: readonly string[];
}

/** Where a real graph's two files are, or `undefined` where the golden folder lacks one. */
export function findRealGraph(name: RealGraphName): { readonly meta: string; readonly fetches: string } | undefined {
  const meta = goldenFile('graphs', `inception_resnet_v2.${name}.meta`);
  const fetches = goldenFile('graphs', `inception_resnet_v2.${name}.fetches.json`);
  return meta === undefined || fetches === undefined ? undefined : { meta, fetches };
}

/**
 * Reads a real graph.
 *
 * @throws {GraphError} for a file that is no graph, or not one that may be run
 */
export function readRealGraph(name: RealGraphName): RealGraph | undefined {
  const files = findRealGraph(name);
  if (files === undefined) return undefined;
  const fetches = JSON.parse(readFileSync(files.fetches, 'utf8')) as RealGraphFetches;
  return { name, graph: importMetaGraph(files.meta), fetches };
}

/** The version of TensorFlow that wrote a graph, where the graph says it. */
export function writtenBy({ graph }: RealGraph): string | undefined {
  return graph.metaGraph?.metaInfoDef?.tensorflowVersion || undefined;
}

/** The graph whose program a run's settings describe. The test tool's seeds are in the graphs; a reset needs none. */
export function realGraphFor({ training, mode }: RunSettings): RealGraphName {
  if (!training) return 'infer';
  return mode === 'constant' ? 'constant' : 'train';
}

/** Sets every variable to one value. Variables of one shape are fed one tensor: there are few shapes among the many. */
function resetVariables(session: TensorFlowSession, { graph }: RealGraph, value: number): void {
  tf.tidy(() => {
    const filled = new Map<string, tf.Tensor>();
    const values = graph.variables.map(({ name, shape }) => {
      const key = shape.join();
      const tensor = filled.get(key) ?? tf.fill([...shape], value);
      filled.set(key, tensor);
      return [name, tensor] as const;
    });
    session.assign(new Map(values));
  });
}

/** Whether the graph's input takes a batch of that size. */
export function takesBatch({ graph, fetches }: RealGraph, batch: number): boolean {
  const dim = graph.node(fetches.input.replace(/:0$/, '')).attr.get('shape')?.shape?.dim[0];
  return dim === undefined || Number(dim.size) === -1 || Number(dim.size) === batch;
}

/**
 * The TF1 side for real: slim's own graph in TensorFlow's session.
 *
 * One session makes several runs, without what loading and optimizing a graph cost, where none depends on the runs before
 * it: without dropout nothing but the initializers draws random numbers, and no run moves a variable.
 */
export class RealGraphRuns implements Disposable {
  private readonly session: TensorFlowSession;
  private initialized = false;
  private ran = false;

  /** @throws {GraphError} in TensorFlow's words, where it refuses the graph */
  constructor(private readonly real: RealGraph) {
    this.session = new TensorFlowSession(real.graph);
  }

  /** Whether a run gives what it would in a new session. */
  isFreshFor({ reset, training }: RunSettings): boolean {
    if (training) return !this.ran;
    return reset !== undefined || !this.initialized;
  }

  /** Initialises the variables, or sets them all to the value of a reset, and runs the graph. */
  run(settings: RunSettings): ModelRun {
    const { session, real } = this;
    if (settings.reset === undefined) session.run(real.fetches.init);
    else resetVariables(session, real, settings.reset);
    this.initialized ||= settings.reset === undefined;
    this.ran = true;
    return runSession(session, real, settings);
  }

  /** Closes the session. */
  [Symbol.dispose](): void {
    this.session.close();
  }
}

/** Runs the graph in a session whose variables have their values already. */
export function runSession(session: TensorFlowSession, real: RealGraph, settings: RunSettings): ModelRun {
  const { graph, fetches } = real;
  const input = images(settings);
  // One run for everything: TensorFlow optimizes the graph anew for each set of fetches. Nothing in it moves a variable.
  const { variables, ...computed } = session.runArrays(
    {
      variables: graph.variables.map(({ snapshot }) => snapshot!),
      loss: fetches.regularization_loss,
      losses: graph.collection('regularization_losses'),
      logits: fetches.logits,
      endPoints: fetches.endpoints,
    },
    { [fetches.input]: input },
  );
  input.dispose();
  return {
    variables: graph.variables.map(({ name, shape, dtype, trainable }, i) => ({
      name: name.replace(/:0$/, ''),
      shape,
      dtype,
      trainable,
      sha256: sha256(variables[i]!),
    })),
    regularizationLosses: computed.losses.map(numberOf),
    regularizationLoss: numberOf(computed.loss),
    logits: computed.logits,
    endPoints: computed.endPoints,
  };
}
