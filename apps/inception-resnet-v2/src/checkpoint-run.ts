// Both sides with the weights of a checkpoint in place of initial ones.
import * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { type Checkpoint, type CoverageReport, coverage, initFromCheckpoint } from '@tfparity/checkpoint';
import { Graph, type GraphVariable, globalVariablesInitializer, Session, TensorFlowSession } from '@tfparity/graph';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { GraphKeys, getCollection, globalVariables } from '@tfparity/variables';
import { forwardPass, InceptionResnetV2 } from './inception-resnet-v2.js';
import type { LegacyKind } from './legacy-side.js';
import {
  download,
  dropoutDraw,
  images,
  isDropoutDraw,
  type ModelRun,
  numberOf,
  type RunSettings,
  sessionOptions,
  startAtZero,
  stateOf,
  variablesOf,
} from './model-run.js';
import { type RealGraph, runSession } from './real-graph.js';
import { saveByName, type Writer } from './save-v2.js';

/** A run whose variables came from a checkpoint, and what of the two met. */
export interface RestoredRun {
  readonly run: ModelRun;
  readonly coverage: CoverageReport;
}

/** The TF1 side: one graph, of which one session writes the initial values and another restores them. */
export interface Tf1Net {
  readonly legacy: LegacyKind;
  /** The operation seed of the net's dropout, which says which units it drops; none where it drops nothing. */
  readonly dropoutSeed: number | undefined;
  /** Initialises the variables in a session of their own, and writes them by name. */
  save(prefix: string): Promise<Writer>;
  /** The run of a session that has no values but the checkpoint's. */
  runFrom(checkpoint: Checkpoint): Promise<RestoredRun>;
}

const MODE = 'num_random_ops';

/** slim's own graph, whose own saver writes and restores. */
export class RealTf1Net implements Tf1Net {
  readonly legacy = 'tensorflow';

  constructor(
    private readonly real: RealGraph,
    private readonly settings: RunSettings,
  ) {}

  get dropoutSeed(): number | undefined {
    const draw = this.real.graph.nodes.find(({ op, name }) => isDropoutDraw(op, name));
    return draw && Number(draw.attr.get('seed2')?.i);
  }

  async save(prefix: string): Promise<Writer> {
    using session = new TensorFlowSession(this.real.graph);
    session.run(this.real.fetches.init);
    session.save(prefix);
    return 'TensorFlow SaveV2';
  }

  async runFrom(checkpoint: Checkpoint): Promise<RestoredRun> {
    using session = new TensorFlowSession(this.real.graph);
    session.restore(checkpoint.location);
    const run = runSession(session, this.real, this.settings);
    return { run, coverage: coverage(checkpoint, this.real.graph.variables) };
  }
}

/** The graph that TypeScript records, replayed. */
export class RecordedTf1Net implements Tf1Net {
  readonly legacy = 'typescript';
  private readonly graph = new Graph();
  private readonly variables: GraphVariable[];
  private readonly initialize: ReturnType<typeof globalVariablesInitializer>;
  private readonly fetches: { logits: tf.Tensor; endPoints: Record<string, tf.Tensor> };
  private readonly losses: { loss: tf.Tensor; losses: tf.Tensor };

  /** Builds the graph with random numbers aligned as in step 4, so that its initial values are TensorFlow's recorded ones. */
  constructor(settings: RunSettings) {
    using _tool = new DeterministicRandomTestTool({ mode: MODE }).scope();
    using _graph = this.graph.asDefault();
    this.fetches = forwardPass(images(settings), settings);
    const losses = getCollection(GraphKeys.REGULARIZATION_LOSSES) as tf.Scalar[];
    this.losses = { loss: tf.addN(losses), losses: tf.stack(losses) };
    this.variables = globalVariables() as GraphVariable[];
    this.initialize = globalVariablesInitializer();
  }

  get dropoutSeed(): number | undefined {
    return dropoutDraw(this.graph)?.attrs['seed2'] as number | undefined;
  }

  async save(prefix: string): Promise<Writer> {
    using session = new Session(this.graph, sessionOptions());
    session.run(this.initialize);
    const values = new Map(this.variables.map((variable) => [variable.name, session.run(variable) as tf.Tensor]));
    try {
      return await saveByName(prefix, values);
    } finally {
      tf.dispose([...values.values()]);
    }
  }

  async runFrom(checkpoint: Checkpoint): Promise<RestoredRun> {
    using session = new Session(this.graph, sessionOptions());
    await initFromCheckpoint(checkpoint, { '/': '/' }, this.variables, {
      // As TF1's Variable.load does: the initializer is run with the value fed in place of the initial one.
      assign: (variable, array) => void session.run(variable.initializer, [[variable.initialValue.name, array]]),
    });
    const variables = this.variables.map((variable) => {
      const value = session.run(variable) as tf.Tensor;
      const state = stateOf(variable, value);
      value.dispose();
      return state;
    });
    const computed = download(session.run(this.losses) as Record<'loss' | 'losses', tf.Tensor>);
    const outputs = session.run(this.fetches) as typeof this.fetches;
    const { logits, ...endPoints } = download({ ...outputs.endPoints, logits: outputs.logits });
    const run = { variables, ...lossesOf(computed), logits: logits!, endPoints };
    return { run, coverage: coverage(checkpoint, this.variables) };
  }
}

function lossesOf({ loss, losses }: Readonly<Record<'loss' | 'losses', NdArray>>) {
  return {
    regularizationLosses: Array.from(losses.data as Float32Array),
    regularizationLoss: numberOf(loss),
  };
}

/** The migrated side: a fresh layer whose variables a checkpoint is loaded into. */
export class RestoredLayer implements Disposable {
  private readonly layer = new InceptionResnetV2(1000);
  private readonly x: tf.Tensor;

  private constructor(private readonly settings: RunSettings) {
    this.x = images(settings);
    // The first call makes the variables. They start at 0, so that no value can have come from anywhere but the checkpoint.
    using _ = startAtZero();
    tf.dispose(tf.tidy(() => this.layer.apply(this.x, { training: false })));
  }

  /** A layer with the values of a checkpoint, and what of the two met. */
  static async from(
    checkpoint: Checkpoint,
    settings: RunSettings,
  ): Promise<{ layer: RestoredLayer; coverage: CoverageReport }> {
    const layer = new RestoredLayer(settings);
    await initFromCheckpoint(checkpoint, { '/': '/' }, layer.variables, {
      assign: (variable, { data, shape }) =>
        tf.tidy(() => variable.assign(tf.tensor(data as tf.TypedArray, [...shape]))),
    });
    return { layer, coverage: coverage(checkpoint, layer.variables) };
  }

  /** In order of creation. */
  get variables(): tf.Variable[] {
    return variablesOf(this.layer);
  }

  /** The layer's object tree as TensorFlow's migration shim has it, so that its `tf.train.Checkpoint` finds the values too. */
  get objects() {
    const variables = new Map(this.variables.map((variable) => [variable.name, variable]));
    return { model: { _tf1_style_var_store: { _vars: variables } } };
  }

  /** Runs the layer; its dropout draws what the op of that seed draws in the TF1 graph. */
  run(dropoutSeed: number | undefined): ModelRun {
    const tool = new DeterministicRandomTestTool({ mode: MODE });
    tool.operationSeed = dropoutSeed ?? 0;
    // A training call moves the averages, so the variables are looked at before it.
    const variables = this.variables.map((variable) => stateOf(variable, variable));
    const outputs = tool.scope(() => tf.tidy(() => this.layer.apply(this.x, { training: this.settings.training })));
    const each = this.layer.calculateLosses();
    const computed = download({ loss: this.layer.regularizationLoss(), losses: tf.stack(each) });
    tf.dispose(each);
    const { logits, ...endPoints } = download({ ...outputs.endPoints, logits: outputs.logits });
    return { variables, ...lossesOf(computed), logits: logits!, endPoints };
  }

  /** Frees the variables. */
  [Symbol.dispose](): void {
    tf.dispose([this.x, this.variables]);
  }
}
