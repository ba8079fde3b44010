import * as tf from '@tensorflow/tfjs-core';
import { type NdArray, toNdArray } from '@tfparity/array';
import { describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { variable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  compareTraining,
  frozenAverages,
  MomentumOptimizer,
  noiseGradients,
  STOCK_OPTIMIZERS,
  stockOptimizerWarning,
  type TrainingSide,
  variableGrads,
} from '../src/index.js';

const copy = (tensor: tf.Tensor): NdArray => {
  const array = toNdArray(tensor);
  return { ...array, data: (array.data as Float32Array).slice() };
};

/** A line fitted to four points, with a moving average of the inputs; `fault` breaks one thing. */
function side({ fault = '', nudge = 0 } = {}): TrainingSide & { taken: number[] } {
  const w = variable(tf.tensor1d([1, 2]), { name: 'w' });
  const mean = variable(tf.scalar(0), { name: 'bn/moving_mean', trainable: false });
  const optimizer = new MomentumOptimizer({ learningRate: 0.1, momentum: fault === 'momentum' ? 0.8 : 0.9 });
  const taken: number[] = [];
  return {
    taken,
    step(index) {
      taken.push(index);
      const x = tf.tensor2d([1 + nudge, 2, 3, 4 - index], [2, 2]);
      if (fault !== 'update ops') tf.tidy(() => mean.assign(tf.add(tf.mul(mean, 0.9), tf.mul(tf.mean(x), 0.1))));
      const loss = () => tf.mean(tf.square(tf.sum(tf.mul(x, w), 1))) as tf.Scalar;
      const { value, gradients } = variableGrads(loss, [w]);
      optimizer.applyGradients(gradients);
      return {
        loss: value.dataSync()[0]!,
        learningRate: 0.1,
        gradients: { w: copy(gradients[0]![0] as tf.Tensor) },
        variables: { w: copy(w), 'bn/moving_mean': copy(mean) },
        slots: { 'w/Momentum': copy(optimizer.getSlot(w, 'momentum')!) },
      };
    },
  };
}

describe('compareTraining', () => {
  beforeAll(() => useBackend('cpu'));

  it('finds nothing between equal sides, and says so at every step', async () => {
    const result = await compareTraining({ legacy: side(), migrated: side(), again: side({ nudge: 1e-6 }), steps: 4 });
    expect(result).toMatchObject({ passed: true, bitIdentical: true, firstDifference: null, withinNoise: true });
    expect(result.steps.map(({ drift }) => drift)).toEqual([0, 0, 0, 0]);
    expect(result.frozenAverages).toEqual([]);
  });

  it('names the step and array where a wrong momentum shows: the variable of the second step', async () => {
    const result = await compareTraining({
      legacy: side(),
      migrated: side({ fault: 'momentum' }),
      again: side({ nudge: 1e-6 }),
      steps: 3,
    });
    expect(result.passed).toBe(false);
    expect(result.firstFailure).toEqual({ step: 1, kind: 'variable', name: 'w' });
    expect(result.steps[1]!.differences.map(({ kind, name }) => `${kind} ${name}`)).toContain('slot w/Momentum');
    expect(result.withinNoise).toBe(false);
  });

  it('reports moving averages that never move', async () => {
    const broken = side({ fault: 'update ops' });
    const result = await compareTraining({ legacy: side(), migrated: broken, steps: 3 });
    expect(result.frozenAverages).toEqual(['bn/moving_mean']);
    expect(result.firstFailure).toEqual({ step: 0, kind: 'variable', name: 'bn/moving_mean' });
    expect(result.withinNoise).toBeNull();
  });

  it('goes on where a run was broken off', async () => {
    const lines: string[] = [];
    const onStep = (step: object) => void lines.push(JSON.stringify(step));
    await compareTraining({ legacy: side(), migrated: side({ nudge: 1e-3 }), steps: 2 }, { onStep });
    const done = lines.map((line) => JSON.parse(line));
    const migrated = side({ nudge: 1e-3 });
    const result = await compareTraining({ legacy: side(), migrated, steps: 4 }, { onStep, done });
    expect(migrated.taken).toEqual([0, 1, 2, 3]);
    expect(lines).toHaveLength(4);
    expect(result.steps.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    const whole = await compareTraining({ legacy: side(), migrated: side({ nudge: 1e-3 }), steps: 4 });
    expect(JSON.stringify(result.steps)).toBe(JSON.stringify(whole.steps));
    await expect(compareTraining({ legacy: side(), migrated, steps: 4 }, { done: [done[1]] })).rejects.toThrow(
      'in order',
    );
    await expect(compareTraining({ legacy: side(), migrated, steps: 0 })).rejects.toThrow('at least one step');
  });

  it('tells zero moved from not moved, and only of moving averages', () => {
    const array = (value: number): NdArray => ({ dtype: 'float32', shape: [1], data: Float32Array.of(value) });
    const before = { 'a/moving_mean:0': array(0), 'a/moving_variance': array(1), 'a/gamma': array(1) };
    const after = { 'a/moving_mean:0': array(-0), 'a/moving_variance': array(1), 'a/gamma': array(1) };
    expect(frozenAverages(before, after)).toEqual(['a/moving_variance']);
  });
});

describe('stock optimizers', () => {
  it('warns of those that take other steps', () => {
    expect(stockOptimizerWarning(tf.train.rmsprop(0.1))).toContain('use RMSPropOptimizer');
    expect(stockOptimizerWarning(tf.train.adam(0.1))).toContain('epsilon');
    expect(stockOptimizerWarning(tf.train.sgd(0.1))).toBeNull();
    expect(stockOptimizerWarning(new MomentumOptimizer({ learningRate: 1, momentum: 0 }))).toBeNull();
    expect(STOCK_OPTIMIZERS.length).toBeGreaterThan(5);
  });
});

describeGolden('nets/inception_resnet_v2.sgd.json', () => {
  it('has one noise gradient: the bias that feeds a batch norm', () => {
    const { gradients } = goldenJson<{ gradients: Record<string, { l2: number }> }>(
      'nets/inception_resnet_v2.sgd.json',
    );
    // An array of one element has the norm that the golden file says.
    const norms = Object.entries(gradients).map(([name, { l2 }]) => [
      name,
      { dtype: 'float32', shape: [1], data: Float32Array.of(l2) } as NdArray,
    ]);
    expect(noiseGradients(Object.fromEntries(norms))).toEqual(['InceptionResnetV2/Block8/Conv2d_1x1/biases:0']);
  });
});
