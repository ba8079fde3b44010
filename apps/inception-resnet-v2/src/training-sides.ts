// One training step on both sides: the recipe of golden/nets/inception_resnet_v2.{sgd,momentum,adam,rmsprop}.json.
import * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { Graph, type GraphVariable, group, type Operation, Session } from '@tfparity/graph';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { RandomOp } from '@tfparity/random/philox';
import {
  AdamOptimizer,
  GradientDescentOptimizer,
  gradients,
  MomentumOptimizer,
  RMSPropOptimizer,
  softmaxCrossEntropyWithLogits,
  type Tf1Optimizer,
  variableGrads,
} from '@tfparity/training';
import {
  GraphKeys,
  getCollection,
  getRegularizationLosses,
  globalVariables,
  trainableVariables,
} from '@tfparity/variables';
import { forwardPass, InceptionResnetV2 } from './inception-resnet-v2.js';
import { copyAll, download, numberOf, variablesOf } from './model-run.js';
import type { NamedArrays } from './training-golden.js';

/** What slim trains with, by the names of the golden files. */
export const OPTIMIZERS: Readonly<Record<string, () => Tf1Optimizer>> = {
  sgd: () => new GradientDescentOptimizer({ learningRate: 0.01 }),
  momentum: () => new MomentumOptimizer({ learningRate: 0.01, momentum: 0.9 }),
  adam: () => new AdamOptimizer({ learningRate: 0.001 }),
  rmsprop: () => new RMSPropOptimizer({ learningRate: 0.01, decay: 0.9, momentum: 0.9, epsilon: 1 }),
};

/** The number of classes of the net that is trained. */
export const CLASSES = 10;
const LABELS = [0, 7];

/** Who runs the TF1 side's graph. */
export type Engine = 'replay' | 'tensorflow';

/** The two images that step `step` of a training takes: [2, 299, 299, 3], uniform noise. */
export function trainingImages(step = 0): tf.Tensor4D {
  const shape: [number, number, number, number] = [LABELS.length, 299, 299, 3];
  const draw = new RandomOp('RandomUniform', { seed: 42, seed2: 100000 + step, dtype: 'float32' }).draw({ shape });
  return tf.tensor4d(draw.data as Float32Array, shape);
}

/** The mean cross entropy of the images' classes. */
export function crossEntropyOf(logits: tf.Tensor): tf.Scalar {
  const rows = LABELS.map((label) => Array.from({ length: CLASSES }, (_, i) => Number(i === label)));
  return tf.mean(softmaxCrossEntropyWithLogits(tf.tensor2d(rows), logits as tf.Tensor2D)) as tf.Scalar;
}

/** In which order a graph for that engine sums gradients: TensorFlow's session reorders by itself. */
export const sumOrder = (engine: Engine): 'graph' | 'session' => (engine === 'tensorflow' ? 'graph' : 'session');

/** The values of variables, by name. */
export function valuesOf(variables: readonly tf.Variable[]): Record<string, NdArray> {
  return copyAll(Object.fromEntries(variables.map((variable) => [variable.name, variable])));
}

/** The values of what a session was asked for, by the names of the variables that it belongs to; the tensors are freed. */
export function takeArrays(variables: readonly tf.Variable[], tensors: readonly tf.Tensor[]): Record<string, NdArray> {
  return download(Object.fromEntries(variables.map(({ name }, i) => [name, tensors[i]!])));
}

/** The values that variables have in a session, by name. */
export function fetchValues(session: Session, variables: readonly tf.Variable[]): Record<string, NdArray> {
  return takeArrays(variables, session.run(variables) as tf.Tensor[]);
}

/** A forward and backward pass. */
export interface GradientRun {
  readonly crossEntropy: number;
  readonly totalLoss: number;
  readonly gradients: NamedArrays;
  /** Variables on which the loss does not depend. */
  readonly without: readonly string[];
  /** The moving averages before and after. */
  readonly before: NamedArrays;
  readonly averages: NamedArrays;
}

/** The variables and slots after one update. */
export interface UpdateRun {
  readonly variables: NamedArrays;
  readonly slots: NamedArrays;
}

/** A side: it computes gradients once, and applies them by any optimizer to the initial values. */
export interface TrainedNet extends Disposable {
  readonly run: GradientRun;
  update(optimizer: string): UpdateRun;
}

/** The TF1 side: one graph with a step of every optimizer, and a session. */
export class Tf1TrainedNet implements TrainedNet {
  readonly run: GradientRun;
  private readonly session: Session;
  private readonly steps = new Map<string, { slots: tf.Variable[]; init: Operation; ops: Operation[] }>();
  private readonly given: (readonly [tf.Tensor, GraphVariable])[] = [];
  private readonly initial: tf.Tensor[];
  private readonly gradients: tf.Tensor[];

  constructor(engine: Engine) {
    const built = new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() => this.build(engine));
    this.session = new Session(built.graph, { engine });
    this.session.run(built.init);
    const averages = built.model.filter(({ trainable }) => !trainable);
    const before = fetchValues(this.session, averages);
    this.initial = this.session.run(this.given.map(([, variable]) => variable)) as tf.Tensor[];
    const fetched = this.session.run({
      losses: { crossEntropy: built.crossEntropy, totalLoss: built.totalLoss },
      gradients: this.given.map(([gradient]) => gradient),
      updates: built.updates,
    });
    this.gradients = fetched.gradients as tf.Tensor[];
    const losses = download(fetched.losses as Record<'crossEntropy' | 'totalLoss', tf.Tensor>);
    this.run = {
      crossEntropy: numberOf(losses.crossEntropy),
      totalLoss: numberOf(losses.totalLoss),
      gradients: copyAll(Object.fromEntries(this.given.map(([, { name }], i) => [name, this.gradients[i]!]))),
      without: built.without,
      before,
      averages: fetchValues(this.session, averages),
    };
  }

  /** Gives the variables their initial values, makes the slots, and applies the gradients. */
  update(optimizer: string): UpdateRun {
    const { session, given } = this;
    const { slots, init, ops } = this.steps.get(optimizer)!;
    const variables = given.map(([, variable]) => variable);
    session.run(init);
    session.run(
      variables.map(({ initializer }) => initializer),
      variables.map(({ initialValue }, i) => [initialValue, this.initial[i]!] as const),
    );
    session.run(
      ops,
      given.map(([gradient], i) => [gradient, this.gradients[i]!] as const),
    );
    return { variables: fetchValues(session, variables), slots: fetchValues(session, slots) };
  }

  [Symbol.dispose](): void {
    tf.dispose([this.initial, this.gradients]);
    this.session.close();
  }

  private build(engine: Engine) {
    const graph = new Graph();
    using _ = graph.asDefault();
    const { logits } = forwardPass(trainingImages(), { numClasses: CLASSES, training: true });
    const crossEntropy = crossEntropyOf(logits);
    const totalLoss = tf.add(crossEntropy, tf.addN(getRegularizationLosses()));
    const model = globalVariables();
    const trained = trainableVariables() as GraphVariable[];
    const without: string[] = [];
    gradients(totalLoss, trained, { order: sumOrder(engine) }).forEach((gradient, i) => {
      if (gradient === null) without.push(trained[i]!.name);
      else this.given.push([gradient as tf.Tensor, trained[i]!]);
    });
    const init = group(model.map((variable) => (variable as GraphVariable).initializer));
    for (const [name, make] of Object.entries(OPTIMIZERS)) {
      const optimizer = make();
      const ops = optimizer.applyGradients(this.given) as unknown as Operation[];
      const slots = optimizer.variables();
      this.steps.set(name, { slots, ops, init: group(slots.map((slot) => (slot as GraphVariable).initializer)) });
    }
    const updates = getCollection<Operation>(GraphKeys.UPDATE_OPS);
    return { graph, init, model, crossEntropy, totalLoss, without, updates };
  }
}

/** The migrated side: the layer in eager code. */
export class MigratedTrainedNet implements TrainedNet {
  readonly run: GradientRun;
  private readonly layer = new InceptionResnetV2(CLASSES);
  private readonly pairs: (readonly [tf.Tensor, tf.Variable])[] = [];
  private readonly initial: tf.Tensor[];

  constructor() {
    this.run = new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() => this.compute());
    this.initial = this.pairs.map(([, variable]) => tf.clone(variable));
  }

  /** Gives the variables their initial values and applies the gradients; a new optimizer makes its slots. */
  update(name: string): UpdateRun {
    this.pairs.forEach(([, variable], i) => {
      variable.assign(this.initial[i]!);
    });
    const optimizer = OPTIMIZERS[name]!();
    optimizer.applyGradients(this.pairs);
    const trained = this.pairs.map(([, variable]) => variable);
    const run = { variables: valuesOf(trained), slots: valuesOf(optimizer.variables()) };
    optimizer.dispose();
    return run;
  }

  [Symbol.dispose](): void {
    tf.dispose([this.initial, this.pairs.map(([gradient]) => gradient), variablesOf(this.layer)]);
  }

  private compute(): GradientRun {
    const images = trainingImages();
    const fixed = () => variablesOf(this.layer).filter(({ trainable }) => !trainable);
    let crossEntropy = Number.NaN;
    const { value, gradients: found } = variableGrads(
      () => {
        const { logits } = this.layer.apply(images, { training: true });
        const entropy = crossEntropyOf(logits);
        crossEntropy = entropy.dataSync()[0]!;
        return tf.add(entropy, tf.addN(this.layer.calculateLosses())) as tf.Scalar;
      },
      () => variablesOf(this.layer).filter(({ trainable }) => trainable),
    );
    const without: string[] = [];
    for (const [gradient, variable] of found) {
      if (gradient === null) without.push(variable.name);
      else this.pairs.push([gradient as tf.Tensor, variable]);
    }
    const totalLoss = value.dataSync()[0]!;
    tf.dispose([value, images]);
    return {
      crossEntropy,
      totalLoss,
      gradients: copyAll(Object.fromEntries(this.pairs.map(([gradient, { name }]) => [name, gradient]))),
      without,
      // Means start at zero and variances at one.
      before: Object.fromEntries(fixed().map(({ name, shape }) => [name, initialAverage(name, shape)])),
      averages: valuesOf(fixed()),
    };
  }
}

function initialAverage(name: string, shape: readonly number[]): NdArray {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(name.endsWith('moving_variance') ? 1 : 0);
  return { dtype: 'float32', shape: [...shape], data };
}
