// golden/nets/inception_resnet_v2.{sgd,momentum,adam,rmsprop}.json: one training step of slim's net in a TF1 session.
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { controlDependencies, Graph, globalVariablesInitializer, Session } from '@tfparity/graph';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { RandomOp } from '@tfparity/random/philox';
import { argScope, nets } from '@tfparity/slim';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import {
  GraphKeys,
  getCollection,
  getRegularizationLosses,
  globalVariables,
  trainableVariables,
} from '@tfparity/variables';
import { beforeAll, expect, it } from 'vitest';
import {
  AdamOptimizer,
  GradientDescentOptimizer,
  gradients,
  MomentumOptimizer,
  RMSPropOptimizer,
  softmaxCrossEntropyWithLogits,
  type Tf1Optimizer,
} from '../src/index.js';

interface Summary {
  readonly sha256: string;
}

interface Golden {
  readonly cross_entropy: number;
  readonly total_loss: number;
  readonly gradients: Record<string, Summary>;
  readonly without_gradient: string[];
  readonly after_step: Record<string, Summary>;
}

const OPTIMIZERS: Readonly<Record<string, () => Tf1Optimizer>> = {
  sgd: () => new GradientDescentOptimizer({ learningRate: 0.01 }),
  momentum: () => new MomentumOptimizer({ learningRate: 0.01, momentum: 0.9 }),
  adam: () => new AdamOptimizer({ learningRate: 0.001 }),
  rmsprop: () => new RMSPropOptimizer({ learningRate: 0.01, decay: 0.9, momentum: 0.9, epsilon: 1 }),
};

function sha256(tensor: tf.Tensor): string {
  const { buffer, byteOffset, byteLength } = tensor.dataSync() as Float32Array;
  return createHash('sha256')
    .update(Buffer.from(buffer, byteOffset, byteLength))
    .digest('hex');
}

function image(): tf.Tensor4D {
  const shape: [number, number, number, number] = [2, 299, 299, 3];
  const { data } = new RandomOp('RandomUniform', { seed: 42, seed2: 100000, dtype: 'float32' }).draw({ shape });
  return tf.tensor4d(data as Float32Array, shape);
}

/** The recipe's graph: the net, mean softmax cross entropy and regularization, gradients, and a step of each optimizer. */
function buildGraph() {
  using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
  const { logits } = nets.inceptionResnetV2(image(), { numClasses: 10, isTraining: true });
  const labels = tf.tensor2d([0, 7].map((label) => Array.from({ length: 10 }, (__, i) => Number(i === label))));
  const crossEntropy = tf.mean(softmaxCrossEntropyWithLogits(labels, logits as tf.Tensor2D));
  const totalLoss = tf.add(crossEntropy, tf.addN(getRegularizationLosses()));
  const model = globalVariables();
  const trained = trainableVariables();
  const all = gradients(totalLoss, trained).map((gradient, i) => [gradient, trained[i]!] as const);
  const updates = getCollection<never>(GraphKeys.UPDATE_OPS);
  return { crossEntropy, totalLoss, model, all, updates };
}

/** The names of the variables that are not what the golden step left. */
function differing(found: Iterable<readonly [string, tf.Tensor]>, golden: Readonly<Record<string, Summary>>): string[] {
  return [...found].filter(([name, value]) => sha256(value) !== golden[`${name}:0`]?.sha256).map(([name]) => name);
}

// On every backend but TensorFlow's own a step of this net takes minutes.
if (backends.includes('tensorflow')) {
  describeGolden('nets/inception_resnet_v2.sgd.json', () => {
    beforeAll(() => useBackend('tensorflow'));
    const golden = (name: string) => goldenJson<Golden>(`nets/inception_resnet_v2.${name}.json`);

    it('a graph gives losses, gradients, variables and moving averages of TF1 sessions, bit for bit', () => {
      const tool = new DeterministicRandomTestTool({ mode: 'num_random_ops' });
      const { initial, given, values } = tool.scope(() => {
        const graph = new Graph();
        using _ = graph.asDefault();
        const { crossEntropy, totalLoss, model, all, updates } = buildGraph();
        const given = all.filter(([gradient]) => gradient !== null);
        const step = controlDependencies(updates, () => OPTIMIZERS['momentum']!().applyGradients(given));
        using session = new Session(graph);
        session.run(globalVariablesInitializer());
        const initial = session.run(given.map(([, variable]) => variable)) as tf.Tensor[];
        const tensors = given.map(([gradient]) => gradient as tf.Tensor);
        const run = session.run({ crossEntropy, totalLoss, tensors, step: step as never });
        const { cross_entropy, total_loss, after_step, without_gradient, ...momentum } = golden('momentum');
        expect(run.crossEntropy.dataSync()[0]).toBe(cross_entropy);
        expect(run.totalLoss.dataSync()[0]).toBe(total_loss);
        const names = given.map(([, variable]) => variable.name);
        const values = run.tensors as tf.Tensor[];
        expect(
          differing(
            names.map((name, i) => [name, values[i]!] as const),
            momentum.gradients,
          ),
        ).toEqual([]);
        const after = model.map((variable) => [variable.name, session.run(variable) as tf.Tensor] as const);
        expect(differing(after, after_step)).toEqual([]);
        expect(after.filter(([name]) => name.includes('moving_'))).toHaveLength(412);
        tf.dispose(after.map(([, value]) => value));
        const without = all.filter(([gradient]) => gradient === null).map(([, variable]) => `${variable.name}:0`);
        expect(without.sort()).toEqual([...without_gradient].sort());
        return { initial, given, values };
      });

      // The other optimizers, eagerly, on the same values and gradients.
      for (const name of ['sgd', 'adam', 'rmsprop']) {
        const variables = initial.map((value) => tf.variable(tf.clone(value)));
        const optimizer = OPTIMIZERS[name]!();
        optimizer.applyGradients(variables.map((variable, i) => [values[i]!, variable] as const));
        const after = variables.map((variable, i) => [given[i]![1].name, variable] as const);
        expect(differing(after, golden(name).after_step), name).toEqual([]);
        optimizer.dispose();
        tf.dispose(variables);
      }
    }, 300_000);
  });
}
