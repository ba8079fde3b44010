import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { backends, useBackend } from '@tfparity/testing';
import { variable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AdadeltaOptimizer,
  AdagradDAOptimizer,
  AdagradOptimizer,
  AdamOptimizer,
  FtrlOptimizer,
  GradientDescentOptimizer,
  MomentumOptimizer,
  ProximalAdagradOptimizer,
  ProximalGradientDescentOptimizer,
  RMSPropOptimizer,
  registerOptimizers,
  type Tf1Optimizer,
} from '../src/index.js';
import { valuesOf } from './golden-optimizer.js';

const learningRate = 0.1;
const MAKERS: Readonly<Record<string, () => Tf1Optimizer>> = {
  Adadelta: () => new AdadeltaOptimizer(),
  Adagrad: () => new AdagradOptimizer({ learningRate }),
  AdagradDA: () => new AdagradDAOptimizer({ learningRate, l2RegularizationStrength: 0.5 }),
  Adam: () => new AdamOptimizer({ learningRate, epsilon: 0.1 }),
  Ftrl: () => new FtrlOptimizer({ learningRate, l1RegularizationStrength: 0.01 }),
  GradientDescent: () => new GradientDescentOptimizer({ learningRate }),
  Momentum: () => new MomentumOptimizer({ learningRate, momentum: 0.9, useNesterov: true }),
  ProximalAdagrad: () => new ProximalAdagradOptimizer({ learningRate }),
  ProximalGradientDescent: () => new ProximalGradientDescentOptimizer({ learningRate }),
  RMSProp: () => new RMSPropOptimizer({ learningRate, momentum: 0.5, centered: true }),
};

const bitsOf = (tensors: readonly tf.Tensor[]) => tensors.map((tensor) => Array.from(valuesOf(tensor)));

describe.each(backends)('%s', (backend) => {
  beforeAll(() => useBackend(backend));

  it.each(Object.entries(MAKERS))('%s: a model that was saved and loaded takes the same next step', async (_, make) => {
    const model = tfl.sequential({
      layers: [tfl.layers.dense({ units: 3, inputShape: [2], activation: 'tanh' }), tfl.layers.dense({ units: 1 })],
    });
    model.compile({ optimizer: make(), loss: 'meanSquaredError' });
    const [x, y] = [tf.tensor2d([0, 0.5, 1, -1], [2, 2]), tf.tensor2d([1, 3], [2, 1])];
    const step = (trained: tfl.LayersModel) => trained.fit(x, y, { epochs: 2, batchSize: 2, verbose: 0 });
    await step(model);
    let file: tf.io.ModelArtifacts | undefined;
    const save = async (artifacts: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> => {
      // What reaches a file is JSON and bytes.
      file = { ...JSON.parse(JSON.stringify(artifacts)), weightData: artifacts.weightData };
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    };
    await model.save({ save }, { includeOptimizer: true });
    const loaded = await tfl.loadLayersModel({ load: async () => file! });
    await step(model);
    await step(loaded);
    expect(bitsOf(loaded.getWeights())).toEqual(bitsOf(model.getWeights()));
    const [optimizer, copy] = [model.optimizer, loaded.optimizer] as unknown as [Tf1Optimizer, Tf1Optimizer];
    expect(copy.constructor).toBe(optimizer.constructor);
    expect(copy.getConfig()).toEqual(optimizer.getConfig());
    expect(copy.iterations).toBe(4);
    expect(bitsOf(copy.variables())).toEqual(bitsOf(optimizer.variables()));
    model.dispose();
    loaded.dispose();
  });

  it('gives weights as they are, and takes them back, its own too', async () => {
    const w = variable(tf.tensor1d([1, 2]), { name: 'w' });
    const optimizer = new MomentumOptimizer({ learningRate: 1, momentum: 0.9 });
    const step = () => optimizer.minimize(() => tf.sum(tf.square(w)) as tf.Scalar, false, [w]);
    step();
    const weights = await optimizer.getWeights();
    const before = tf.memory().numTensors;
    step();
    expect(bitsOf([weights[1]!.tensor])).toEqual([[2, 4]]);
    await optimizer.setWeights(weights);
    await optimizer.setWeights(weights);
    expect(bitsOf(optimizer.variables())).toEqual([[2, 4]]);
    expect(optimizer.iterations).toBe(1);
    step();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses weights that are not all there, or of another shape, and stays as it was', async () => {
    const w = variable(tf.tensor1d([1, 2]), { name: 'w' });
    const optimizer = new AdamOptimizer();
    optimizer.createSlots([w]);
    const weights = await optimizer.getWeights();
    await expect(optimizer.setWeights(weights.slice(0, 3))).rejects.toThrow("no weight for Adam's variable 'w/Adam'");
    const wrong = weights.map(({ name }, i) => ({ name, tensor: i === 0 ? tf.scalar(0, 'int32') : tf.ones([3]) }));
    await expect(optimizer.setWeights(wrong)).rejects.toThrow(
      "'beta1_power' has the shape (), and its weight 'beta1_power' (3,)",
    );
    expect(bitsOf(optimizer.variables())).toEqual([[Math.fround(0.9)], [Math.fround(0.999)], [0, 0], [0, 0]]);
    // Before there are slots the weights wait, and the first step refuses what does not fit.
    const later = new MomentumOptimizer({ learningRate: 1, momentum: 0.9 });
    await later.setWeights(weights);
    expect(() => later.applyGradients([[tf.ones([2]), w]])).toThrow('Momentum has 1 variables, and 4 weights wait');
  });

  it('says which option is missing', () => {
    expect(() => new GradientDescentOptimizer({} as never)).toThrow("missing 1 required option(s): 'learningRate'");
    expect(() => new MomentumOptimizer({} as never)).toThrow("'learningRate' and 'momentum'");
    expect(() => registerOptimizers()).not.toThrow();
  });
});
