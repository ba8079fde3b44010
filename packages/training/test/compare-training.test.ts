import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type NdArray, toNdArray } from '@tfparity/array';
import { describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { variable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  compareTraining,
  decodeStep,
  encodeStep,
  frozenAverages,
  MomentumOptimizer,
  noiseGradients,
  STOCK_OPTIMIZERS,
  stockOptimizerWarning,
  type TrainingRecord,
  type TrainingSide,
  variableGrads,
} from '../src/index.js';
import { fileLog } from '../src/node.js';

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
    const averaged = { 'w/ExponentialMovingAverage': array(1) };
    expect(frozenAverages(averaged, averaged)).toEqual(['w/ExponentialMovingAverage']);
  });
});

describe('a log', () => {
  let folder: string;
  beforeAll(async () => {
    await useBackend('cpu');
    folder = await mkdtemp(join(tmpdir(), 'tfparity-training-'));
    return () => rm(folder, { recursive: true });
  });
  /** What differs so that NaN and infinities have to pass through the file: the drift of a variable that began at zero. */
  const input = (fault = 'update ops') => ({
    legacy: side(),
    migrated: side({ fault, nudge: 1e-3 }),
    again: side({ nudge: 1e-6 }),
  });

  it('goes on after a crash in the middle of a write, and ends with the same result', async () => {
    const whole = await compareTraining({ ...input(), steps: 5 }, { log: fileLog(join(folder, 'whole.jsonl')) });
    const path = join(folder, 'crashed.jsonl');
    const { migrated, ...rest } = input();
    const dying: TrainingSide = {
      step: (index) => {
        if (index === 3) throw new Error('killed');
        return migrated.step(index);
      },
    };
    await expect(compareTraining({ ...rest, migrated: dying, steps: 5 }, { log: fileLog(path) })).rejects.toThrow(
      'killed',
    );
    const third = (await readFile(join(folder, 'whole.jsonl'), 'utf8')).split('\n')[4]!;
    await appendFile(path, third.slice(0, third.length / 2));
    const seen: number[] = [];
    const onStep = ({ step }: { step: number }) => void seen.push(step);
    const resumed = await compareTraining({ ...input(), steps: 5 }, { log: fileLog(path), onStep });
    expect(seen).toEqual([3, 4]);
    expect(resumed).toEqual(whole);
    expect(await readFile(path)).toEqual(await readFile(join(folder, 'whole.jsonl')));
    expect(resumed.frozenAverages).toEqual(['bn/moving_mean']);
    // All is there: nothing is run any more, and the averages are known right after resuming.
    const nothing: TrainingSide = { step: () => expect.fail('no step is left') };
    const again = await compareTraining({ legacy: nothing, migrated: nothing, steps: 5 }, { log: fileLog(path) });
    expect(again).toEqual(whole);
  });

  it('asks sides that can resume to do so once, and takes no step again', async () => {
    const path = join(folder, 'resumed.jsonl');
    const resumable = () => {
      const asked: string[] = [];
      const inner = side();
      const taken: TrainingSide = {
        step: (index) => {
          asked.push(`step ${index}`);
          return inner.step(index);
        },
        resume: (steps) => void asked.push(`resume ${steps}`),
      };
      return { asked, taken };
    };
    const [first, second] = [resumable(), resumable()];
    await compareTraining({ legacy: first.taken, migrated: side(), steps: 2 }, { log: fileLog(path) });
    expect(first.asked).toEqual(['step 0', 'step 1']);
    await compareTraining({ legacy: second.taken, migrated: side(), steps: 4 }, { log: fileLog(path) });
    expect(second.asked).toEqual(['resume 2', 'step 2', 'step 3']);
  });

  it('refuses a file that is another log, or none', async () => {
    const path = join(folder, 'log.jsonl');
    await compareTraining({ ...input(), steps: 2 }, { log: fileLog(path), rtol: 0.1 });
    await expect(compareTraining({ ...input(), steps: 3 }, { log: fileLog(path), rtol: 0.2 })).rejects.toThrow(
      'tolerance',
    );
    await expect(compareTraining({ ...input(), steps: 1 }, { log: fileLog(path), rtol: 0.1 })).rejects.toThrow(
      '2 steps are done',
    );
    await writeFile(path, '{"a": 1}\n');
    await expect(compareTraining({ ...input(), steps: 2 }, { log: fileLog(path) })).rejects.toThrow(
      'no log of a training',
    );
    await writeFile(path, 'loss: 3\n');
    await expect(compareTraining({ ...input(), steps: 2 }, { log: fileLog(path) })).rejects.toThrow(
      'no log of a training',
    );
  });

  it('keeps in memory only the first and the largest differences of a step', async () => {
    const many = (value: number): TrainingSide => ({
      step: () => ({
        ...nothingDiffers,
        gradients: {},
        variables: Object.fromEntries(names.map((n, i) => [n, array(1 + value * i)])),
      }),
    });
    const names = Array.from({ length: 100 }, (_, i) => `v${i}`);
    const path = join(folder, 'many.jsonl');
    const { steps, firstDifference } = await compareTraining(
      { legacy: many(0), migrated: many(1e-3), steps: 2 },
      { log: fileLog(path), rtol: 1 },
    );
    expect(steps[0]!.differing).toBe(99);
    expect(steps[0]!.differences).toHaveLength(16);
    expect(steps[0]!.differences.at(-1)!.name).toBe('v99');
    expect(firstDifference).toEqual({ step: 0, kind: 'variable', name: 'v1' });
    const lines = (await readFile(path, 'utf8')).trim().split('\n');
    expect(decodeStep(lines[1]!).differences).toHaveLength(99);
  });

  it('gives back what JSON alone would lose', async () => {
    const { steps } = await compareTraining({
      legacy: constant(array(1)),
      migrated: constant(array(Number.NaN)),
      steps: 1,
    });
    const step = { ...steps[0]!, loss: { legacy: Number.NaN, migrated: -0 } };
    expect(decodeStep(encodeStep(step))).toEqual(step);
    expect(step.drift).toBe(Number.POSITIVE_INFINITY);
    expect(() => decodeStep('{"step": 1}')).toThrow('this is no step of a training: it has no loss');
    expect(() => decodeStep('{"st')).toThrow('no step of a training');
  });
});

const array = (...values: number[]): NdArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const nothingDiffers: TrainingRecord = { loss: 1, gradients: { w: array(1) }, variables: { w: array(1) } };
const constant = (w: NdArray): TrainingSide => ({ step: () => ({ ...nothingDiffers, variables: { w } }) });

/** Compares one step of two records that differ from each other as said. */
async function compared(
  migrated: Partial<TrainingRecord>,
  legacy: Partial<TrainingRecord> = {},
  again?: Partial<TrainingRecord>,
) {
  const one = (part: Partial<TrainingRecord>): TrainingSide => ({ step: () => ({ ...nothingDiffers, ...part }) });
  return compareTraining(
    {
      legacy: one(legacy),
      migrated: one(migrated),
      steps: 1,
      ...(again ? { again: one(again) } : {}),
    },
    { rtol: 1e-5, atol: 0 },
  );
}

describe('fails closed', () => {
  it('where rates differ, or one side has none', async () => {
    expect(await compared({ learningRate: 10 }, { learningRate: 0.1 })).toMatchObject({
      passed: false,
      firstFailure: { step: 0, kind: 'learning-rate', name: 'learning-rate' },
    });
    expect(await compared({}, { learningRate: 0.1 })).toMatchObject({ passed: false, bitIdentical: false });
    expect(await compared({ learningRate: 0.1 }, {})).toMatchObject({ passed: false, bitIdentical: false });
  });

  it('where one side alone recorded its draws', async () => {
    expect(await compared({}, { draws: [] })).toMatchObject({ passed: false, firstFailure: { kind: 'draws' } });
    expect(await compared({ draws: [] }, {})).toMatchObject({ passed: false, firstFailure: { kind: 'draws' } });
    expect(await compared({ draws: [] }, { draws: [] })).toMatchObject({ passed: true, bitIdentical: true });
  });

  it('where there is nothing to compare, or a loss is not finite on both sides', async () => {
    const none = { gradients: {}, variables: {} };
    await expect(compared(none, none)).rejects.toThrow('nothing can be compared');
    const lost = { loss: Number.NaN };
    expect(await compared(lost, lost)).toMatchObject({ passed: false, firstFailure: { kind: 'loss' } });
  });

  it('where a variable is NaN, missing or of another shape: the drift has no bound', async () => {
    const legacy = { variables: { w: array(1, 2) } };
    for (const variables of [
      { w: array(Number.NaN, 2) },
      { w: array(2, 1, 0) },
      {},
      { w: array(1, 2), v: array(1) },
    ] as const) {
      const { steps, withinNoise, passed } = await compared({ variables } as Partial<TrainingRecord>, legacy, legacy);
      expect([steps[0]!.drift, withinNoise, passed]).toEqual([Number.POSITIVE_INFINITY, false, false]);
    }
    // The same on both sides is no drift; an integer of 64 bits is a number.
    const step = { dtype: 'int64', shape: [], data: BigInt64Array.of(3n) } as const;
    const same = { variables: { w: array(Number.NaN, Number.POSITIVE_INFINITY), global_step: step } };
    expect((await compared(same, same)).steps[0]!.drift).toBe(0);
    const later = { variables: { ...same.variables, global_step: { ...step, data: BigInt64Array.of(4n) } } };
    expect((await compared(later, same)).steps[0]).toMatchObject({ passed: false, driftOf: 'global_step' });
  });

  it('where done says infinity as plain JSON does', async () => {
    const sides = { legacy: constant(array(1)), migrated: constant(array(Number.NaN)), again: constant(array(1.1)) };
    const { steps } = await compareTraining({ ...sides, steps: 1 });
    const done = JSON.parse(JSON.stringify(steps));
    expect((await compareTraining({ ...sides, steps: 1 }, { done })).withinNoise).toBe(false);
    await expect(compareTraining({ ...sides, steps: 1 }, { done: [...done, { ...done[0], step: 1 }] })).rejects.toThrow(
      '2 steps are done',
    );
    await expect(compareTraining({ ...sides, steps: 1 }, { done: [{} as never] })).rejects.toThrow(
      'no step of a training',
    );
  });

  it('says nothing of averages after one step alone', async () => {
    expect((await compared({})).frozenAverages).toBeNull();
  });
});

describe('a gradient that is noise', () => {
  const gradients = (tiny: NdArray | undefined) => ({
    gradients: { a: array(1), b: array(1), c: array(1), ...(tiny === undefined ? {} : { tiny }) },
  });
  const rounding = (seed: number) => array(...Array.from({ length: 32 }, (_, i) => 1e-6 * Math.sin(seed + i * i)));

  it('is excused where both sides have nothing in common but their smallness', async () => {
    const result = await compared(gradients(rounding(1)), gradients(rounding(2)));
    expect(result).toMatchObject({ passed: true, bitIdentical: false });
    expect(result.steps[0]!.noise).toEqual(['tiny']);
  });

  it('is excused where another order of sums changes it as much', async () => {
    const [a, b, c] = [gradients(array(1e-6)), gradients(array(2e-6)), gradients(array(3e-6))];
    expect((await compared(b, a)).passed).toBe(false);
    expect((await compared(b, a, c)).passed).toBe(true);
    expect((await compared(gradients(array(-9e-6)), a, c)).passed).toBe(false);
  });

  it.each([
    ['of the wrong sign', gradients(array(...Array.from({ length: 32 }, (_, i) => -1e-6 * Math.sin(1 + i * i))))],
    ['twice as large', gradients(array(...Array.from({ length: 32 }, (_, i) => 2e-6 * Math.sin(1 + i * i))))],
    ['missing', gradients(undefined)],
    ['of another shape', gradients(array(1e-6, 1e-6))],
    ['not a number', gradients(array(...Array.from({ length: 32 }, () => Number.NaN)))],
  ])('is none where it is small and %s', async (_, migrated) => {
    const result = await compared(migrated, gradients(rounding(1)));
    expect(result).toMatchObject({ passed: false, firstFailure: { kind: 'gradient', name: 'tiny' } });
    expect(result.steps[0]!.noise).toEqual([]);
  });

  it('is nowhere in a step that explodes', () => {
    const exploded = { a: array(Number.POSITIVE_INFINITY), b: array(1), c: array(Number.POSITIVE_INFINITY) };
    expect(noiseGradients(exploded)).toEqual([]);
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
