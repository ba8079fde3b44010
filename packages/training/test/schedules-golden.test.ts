// golden/optimizers.json: learning-rate schedules, clipping by the global norm, moving averages, in a TF1 session.
import * as tf from '@tensorflow/tfjs-core';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  clipByGlobalNorm,
  cosineDecay,
  cosineDecayRestarts,
  ExponentialMovingAverage,
  exponentialDecay,
  inverseTimeDecay,
  type LearningRate,
  linearCosineDecay,
  naturalExpDecay,
  piecewiseConstant,
  polynomialDecay,
} from '../src/index.js';
import { camelCase, floatsOf, type GoldenArray, tensorOf, ulpsApart } from './golden-optimizer.js';

interface Golden {
  readonly schedules: { schedule: string; args: Record<string, unknown>; values: number[] }[];
  readonly clip_by_global_norm: {
    inputs: GoldenArray[];
    clip_norm: number;
    global_norm: number;
    outputs: GoldenArray[];
  };
  readonly moving_average: {
    decay: number;
    num_updates: number | null;
    name: string;
    steps: { value: GoldenArray; average: GoldenArray }[];
  }[];
}

const SCHEDULES: Readonly<Record<string, (options: never) => LearningRate>> = {
  exponential_decay: exponentialDecay,
  polynomial_decay: polynomialDecay,
  natural_exp_decay: naturalExpDecay,
  inverse_time_decay: inverseTimeDecay,
  cosine_decay: cosineDecay,
  cosine_decay_restarts: cosineDecayRestarts,
  linear_cosine_decay: linearCosineDecay,
};

function rateAt(schedule: string, args: Readonly<Record<string, unknown>>, step: number): tf.Scalar {
  const rate =
    schedule === 'piecewise_constant'
      ? piecewiseConstant(step, args['boundaries'] as number[], args['values'] as number[])
      : SCHEDULES[schedule]!({ ...camelCase(args), globalStep: step } as never);
  return (rate as () => tf.Scalar)();
}

const scalarOf = (value: number): GoldenArray => ({
  shape: [],
  hex: Buffer.from(Float32Array.of(value).buffer).toString('hex'),
});

describeGolden('optimizers.json', () => {
  const golden = goldenJson<Golden>('optimizers.json');

  describe.each(backends)('%s', (backend) => {
    beforeAll(() => useBackend(backend));
    const exact = backend === 'tensorflow';

    it.each(golden.schedules.map((c) => [`${c.schedule} ${JSON.stringify(c.args)}`, c] as const))('%s', (_, c) => {
      c.values.forEach((value, i) => {
        const rate = rateAt(c.schedule, c.args, 3 * i);
        const found = rate.dataSync()[0]!;
        rate.dispose();
        if (exact) expect(found, `step ${3 * i}`).toBe(value);
        // JavaScript's pow, exp and cos are not Eigen's; a rate near the end of a cosine is a small difference.
        else expect(Math.abs(found - value), `step ${3 * i}`).toBeLessThanOrEqual(1e-7 * Math.abs(value) + 1e-8);
      });
    });

    it('clipByGlobalNorm', () => {
      const { inputs, clip_norm, global_norm, outputs } = golden.clip_by_global_norm;
      const { clipped, norm } = clipByGlobalNorm(inputs.map(tensorOf), clip_norm);
      expect(ulpsApart(norm, scalarOf(global_norm))).toBeLessThanOrEqual(exact ? 0 : 1);
      outputs.forEach((output, i) => {
        expect(ulpsApart(clipped[i] as tf.Tensor, output)).toBeLessThanOrEqual(exact ? 0 : 2);
      });
    });

    it.each(golden.moving_average.map((c) => [String(c.num_updates), c] as const))('average, updates %s', (_, c) => {
      const variable = getVariable(`ema${c.num_updates ?? 'None'}`, { initializer: () => tf.zeros([3]) });
      const average = new ExponentialMovingAverage({ decay: c.decay, numUpdates: c.num_updates ?? undefined });
      average.apply([variable]);
      expect(`${average.average(variable)!.name}:0`).toBe(c.name);
      for (const step of c.steps) {
        tf.tidy(() => variable.assign(tf.tensor(floatsOf(step.value))));
        average.apply([variable]);
        expect(ulpsApart(average.average(variable)!, step.average)).toBeLessThanOrEqual(exact ? 0 : 1);
      }
      average.dispose();
      variable.dispose();
    });
  });
});
