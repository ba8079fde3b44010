import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  getVariable,
  layerVariables,
  regularizationLoss,
  trackTf1StyleVariables,
  variableScope,
} from '../src/index.js';

class Scale extends tfl.layers.Layer {
  static className = 'ScaleLayer';

  @trackTf1StyleVariables
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
    using _ = variableScope('scale');
    const w = getVariable('w', {
      shape: [x.shape[1] as number, 3],
      initializer: (s) => tf.ones(s),
      regularizer: (v) => tf.sum(tf.square(v)),
    });
    return tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D);
  }
}

describe.each(backends)('%s', (name) => {
  beforeAll(() => useBackend(name));
  it('trains', async () => {
    const layer = new Scale();
    const y = layer.apply(tf.ones([2, 4])) as tf.Tensor;
    expect(y.shape).toEqual([2, 3]);
    layer.apply(tf.ones([2, 4]));
    expect(layerVariables(layer).map((v) => v.name)).toEqual(['scale/w']);
    expect(regularizationLoss(layer).dataSync()[0]).toBe(12);
    const input = tfl.input({ shape: [4] });
    const second = new Scale();
    const model = tfl.model({ inputs: input, outputs: second.apply(input) as tfl.SymbolicTensor });
    expect(model.outputs[0]?.shape).toEqual([null, 3]);
    expect(model.weights.length).toBe(1);
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    const history = await model.fit(tf.ones([2, 4]), tf.fill([2, 3], 4), { epochs: 1, verbose: 0 });
    expect(history.history['loss']?.[0]).toBe(12);
    expect(layerVariables(layer)[0]?.dataSync()[0]).toBe(1);
    expect(layerVariables(second)[0]?.dataSync()[0]).toBeCloseTo(0.8);
  });
});
