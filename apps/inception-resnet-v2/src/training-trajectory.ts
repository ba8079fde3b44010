// Ten steps of training on both sides, as slim trains: the recipe of golden/training/inception_resnet_v2.ten_steps.json.
import * as tf from '@tensorflow/tfjs-core';
import { Graph, globalVariablesInitializer, placeholder, Session } from '@tfparity/graph';
import { DeterministicRandomTestTool, pushSeedSource, type SeedPair } from '@tfparity/random';
import {
  createTrainOp,
  exponentialDecay,
  getOrCreateGlobalStep,
  type LearningRate,
  RMSPropOptimizer,
  type TrainingRecord,
  type TrainingSide,
  variableGrads,
} from '@tfparity/training';
import { getRegularizationLosses, globalVariables } from '@tfparity/variables';
import { forwardPass, InceptionResnetV2 } from './inception-resnet-v2.js';
import { download, dropoutDraw, numberOf, variablesOf } from './model-run.js';
import {
  CLASSES,
  crossEntropyOf,
  type Engine,
  fetchValues,
  sumOrder,
  takeArrays,
  trainingImages,
  valuesOf,
} from './training-sides.js';

/** slim's optimizer: RMSProp with its defaults, at a rate that falls every two steps. */
function optimizerFor(globalStep: tf.Variable): { rate: LearningRate; optimizer: RMSPropOptimizer } {
  const rate = exponentialDecay({ learningRate: 0.01, globalStep, decaySteps: 2, decayRate: 0.94, staircase: true });
  return { rate, optimizer: new RMSPropOptimizer({ learningRate: rate, decay: 0.9, momentum: 0.9, epsilon: 1 }) };
}

/** The TF1 side: slim's train step in a graph, and a session that runs it again and again. */
export class Tf1Trajectory implements TrainingSide, Disposable {
  /** The seeds of the net's dropout, which one stream of numbers comes from, step after step. */
  readonly dropoutSeeds: SeedPair;
  private readonly session: Session;
  private readonly net: ReturnType<Tf1Trajectory['build']>;

  constructor(engine: Engine) {
    this.net = new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() => this.build(engine));
    const draw = dropoutDraw(this.net.graph);
    this.dropoutSeeds = [Number(draw?.attrs['seed']), Number(draw?.attrs['seed2'])];
    this.session = new Session(this.net.graph, { engine });
    this.session.run(this.net.init);
  }

  step(index: number): TrainingRecord {
    const { images, loss, rate, given, model, slots } = this.net;
    const fed = trainingImages(index);
    const run = this.session.run({ scalars: { loss, rate }, gradients: given.map(([gradient]) => gradient) }, [
      [images, fed] as const,
    ]);
    fed.dispose();
    const scalars = download(run.scalars as Record<'loss' | 'rate', tf.Tensor>);
    return {
      loss: numberOf(scalars.loss),
      learningRate: numberOf(scalars.rate),
      gradients: takeArrays(
        given.map(([, variable]) => variable),
        run.gradients as tf.Tensor[],
      ),
      variables: fetchValues(this.session, model),
      slots: fetchValues(this.session, slots),
    };
  }

  [Symbol.dispose](): void {
    this.session.close();
  }

  private build(engine: Engine) {
    const graph = new Graph();
    using _ = graph.asDefault();
    const images = placeholder('float32', [2, 299, 299, 3], 'images');
    const { logits } = forwardPass(images, { numClasses: CLASSES, training: true });
    const total = tf.add(crossEntropyOf(logits), tf.addN(getRegularizationLosses()));
    const model = globalVariables();
    const globalStep = getOrCreateGlobalStep();
    const { rate, optimizer } = optimizerFor(globalStep);
    const train = createTrainOp(total, optimizer, { globalStep, order: sumOrder(engine) });
    const given = train.gradients.flatMap(([gradient, variable]) =>
      gradient instanceof tf.Tensor ? [[gradient, variable] as const] : [],
    );
    const init = globalVariablesInitializer();
    return {
      graph,
      images,
      loss: train.loss,
      rate: rate as tf.Scalar,
      given,
      model,
      slots: optimizer.variables(),
      init,
    };
  }
}

/** The migrated side: the layer and the optimizer in eager code. */
export class MigratedTrajectory implements TrainingSide, Disposable {
  private readonly layer = new InceptionResnetV2(CLASSES);
  private readonly scope: Disposable;
  private readonly globalStep = tf.variable(tf.scalar(0, 'int32'), false);
  private readonly rate: LearningRate;
  private readonly optimizer: RMSPropOptimizer;

  /** @param dropoutSeeds  those of the TF1 side: eager code numbers each draw anew, a session's op goes on with its stream */
  constructor(private readonly dropoutSeeds: SeedPair) {
    this.scope = new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope();
    const { rate, optimizer } = optimizerFor(this.globalStep);
    this.rate = rate;
    this.optimizer = optimizer;
  }

  step(index: number): TrainingRecord {
    // The first call draws the initial values too, and is numbered as the graph was.
    if (index === 0) return this.take(index);
    using _ = pushSeedSource("the TF1 side's dropout", () => this.dropoutSeeds);
    return this.take(index);
  }

  [Symbol.dispose](): void {
    this.scope[Symbol.dispose]();
    this.optimizer.dispose();
    tf.dispose([this.globalStep, variablesOf(this.layer)]);
  }

  private take(index: number): TrainingRecord {
    const images = trainingImages(index);
    const { value, gradients } = variableGrads(
      () => {
        const { logits } = this.layer.apply(images, { training: true });
        return tf.add(crossEntropyOf(logits), tf.addN(this.layer.calculateLosses())) as tf.Scalar;
      },
      () => variablesOf(this.layer).filter(({ trainable }) => trainable),
      // As slim's train step sums them.
      { gateGradients: true },
    );
    const rate = (this.rate as () => tf.Scalar)();
    const scalars = download({ loss: value, rate });
    this.optimizer.applyGradients(gradients, { globalStep: this.globalStep });
    images.dispose();
    const given = gradients.flatMap(([gradient, { name }]) =>
      gradient instanceof tf.Tensor ? [[name, gradient] as const] : [],
    );
    return {
      loss: numberOf(scalars.loss),
      learningRate: numberOf(scalars.rate),
      gradients: download(Object.fromEntries(given)),
      variables: valuesOf(variablesOf(this.layer)),
      slots: valuesOf(this.optimizer.variables()),
    };
  }
}
