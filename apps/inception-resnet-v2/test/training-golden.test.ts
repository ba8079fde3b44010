import { createHash } from 'node:crypto';
import type { NdArray } from '@tfparity/array';
import { describe, expect, it } from 'vitest';
import type { StepContext } from '../src/step.js';
import { trainingSteps } from '../src/steps/training.js';
import { differingNames, distanceFrom, goldenTrajectory, median, sampledDrift } from '../src/training-golden.js';

const array = (...values: number[]): NdArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

const hash = ({ data }: NdArray) =>
  createHash('sha256')
    .update(new Uint8Array((data as Float32Array).buffer))
    .digest('hex');

/** As the recipes write it. */
function summary(of: NdArray) {
  const samples = Array.from(of.data as Float32Array);
  return { shape: of.shape, sha256: hash(of), stride: 1, samples, l2: Math.hypot(...samples) };
}

const floats = (values: readonly number[]) => Buffer.from(Float32Array.from(values).buffer).toString('base64');

describe('distanceFrom', () => {
  const golden = { 'w:0': summary(array(3, 4)), 'b:0': summary(array(0, 0)) };

  it('counts the same bits, under names with and without :0', () => {
    expect(distanceFrom(golden, { w: array(3, 4), b: array(0, 0) })).toEqual({ count: 2, identical: 2, different: [] });
  });

  it('measures by the root mean square, and tells -0 from 0 though it is no distance', () => {
    const { different } = distanceFrom(golden, { w: array(3, 4.5), b: array(-0, 0) });
    expect(different).toEqual([
      { name: 'w', relative: 0.5 / (5 / Math.sqrt(2)) },
      { name: 'b', relative: 0 },
    ]);
  });

  it('takes what is missing on either side, NaN and a value in the place of zeros for infinitely far', () => {
    const { count, identical, different } = distanceFrom(golden, { w: array(Number.NaN, 4), other: array(1) });
    expect([count, identical]).toEqual([3, 0]);
    expect(different.map(({ relative }) => relative)).toEqual([Infinity, Infinity, Infinity]);
    expect(distanceFrom(golden, { w: array(3, 4), b: array(1e-30, 0) }).different[0]!.relative).toBe(Infinity);
  });
});

describe('packed arrays', () => {
  const names = ['a', 'b'];
  const [a, b] = [array(3, 4, 0), array(1)];
  const packed = {
    hashes: hash(a).slice(0, 8) + hash(b).slice(0, 8),
    l2: floats([5, 1]),
    samples: floats([3, 4, 1, 1]),
  };

  it('are the same where their hashes are', () => {
    expect(differingNames(names, packed, { a, b })).toEqual([]);
    expect(differingNames(names, packed, { a: array(3, 4, 1e-9), b })).toEqual(['a']);
    expect(differingNames(names, packed, { b })).toEqual(['a']);
  });

  it('drift by the two places that are packed', () => {
    expect(sampledDrift(names, packed, { a, b })).toEqual({ max: 0, median: 0 });
    const { max } = sampledDrift(names, packed, { a: array(3, 4.5, 0), b });
    expect(max).toBeCloseTo(0.5 / (5 / Math.sqrt(3)), 6);
    expect(sampledDrift(names, packed, { b }).max).toBe(Infinity);
    expect(sampledDrift(names, packed, { a: array(Number.NaN, 4, 0), b }).max).toBe(Infinity);
  });
});

it('median is the middle', () => {
  expect([median([]), median([3, 1, 2]), median([10, 9])]).toEqual([0, 2, 10]);
});

it('the recorded trajectory is whole: ten steps, a hash for each name, a noise floor that grows', () => {
  const golden = goldenTrajectory();
  if (golden === undefined) return;
  expect(golden.steps).toHaveLength(10);
  for (const step of golden.steps) {
    for (const kind of ['variables', 'slots', 'gradients'] as const) {
      expect(step[kind].hashes).toHaveLength(8 * golden.names[kind].length);
    }
    expect(step.noise_floor.sampled_median).toBeGreaterThan(0);
  }
  expect(golden.racing.filter((name) => !golden.names.variables.includes(name))).toEqual([]);
  expect(golden.racing.length).toBeLessThan(10);
  const [first, last] = [golden.steps[0]!, golden.steps[9]!];
  expect(last.noise_floor.median).toBeGreaterThan(100 * first.noise_floor.median);
  expect(last.learning_rate).toBeCloseTo(0.01 * 0.94 ** 4, 8);
});

it('the steps say why they are not taken where a step takes minutes', async () => {
  const context = { backend: { name: 'wasm' } } as unknown as StepContext;
  for (const step of trainingSteps) {
    const result = await step.run(context);
    expect(result).toMatchObject({ id: step.id, passed: true, skipped: expect.stringContaining('wasm') });
    expect(result.lines[0]).toContain('needs the backend tensorflow');
  }
});
