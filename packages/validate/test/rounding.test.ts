import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openCheckpoint } from '@tfparity/checkpoint';
import { fusedBatchNorm } from '@tfparity/layers';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { perturb } from '../src/noise-floor.js';
import { reproOf, writeRepro } from '../src/repro.js';
import { gamma, UNIT_ROUNDOFF } from '../src/rounding-bounds.js';
import { RoundingFloor } from '../src/rounding-floor.js';
import { checkAgainstShadow, shadowRun } from '../src/shadow-run.js';
import { captureTrace, type TraceSide } from '../src/trace-capture.js';
import { traceOfArrays } from '../src/trace-recorded.js';
import { triage } from '../src/triage.js';
import { setAttrs, withKernelFault } from './kernel-faults.js';
import { smallNet } from './traced-net.js';

const random = (shape: number[], seed: number) =>
  tf.randomNormal(shape as [number, number, number, number], 0, 1, 'float32', seed) as tf.Tensor4D;

/** One call of each kernel that has a double-precision version, over paddings, strides and dilations. */
const OPS: Record<string, () => tf.Tensor | tf.Tensor[]> = {
  'conv same': () => tf.conv2d(random([2, 7, 6, 5], 1), random([3, 3, 5, 9], 2), 1, 'same'),
  'conv valid, stride 2': () => tf.conv2d(random([1, 8, 7, 3], 1), random([3, 2, 3, 4], 2), [2, 1], 'valid'),
  'conv dilated': () => tf.conv2d(random([1, 9, 9, 2], 1), random([3, 3, 2, 3], 2), 1, 'same', 'NHWC', 2),
  'depthwise, multiplier 2': () => tf.depthwiseConv2d(random([1, 6, 6, 3], 1), random([3, 3, 3, 2], 2), [2, 2], 'same'),
  'matmul transposed': () => tf.matMul(random([5, 7], 1) as tf.Tensor, random([4, 7], 2), false, true),
  'max pool': () => tf.maxPool(random([1, 7, 7, 3], 1), 3, 2, 'same'),
  'average pool same': () => tf.avgPool(random([1, 7, 7, 3], 1), 3, 1, 'same'),
  'batch norm': () =>
    fusedBatchNorm(random([2, 5, 5, 3], 1), { scale: tf.tensor1d([1, 2, 3]), offset: tf.tensor1d([0, 1, 2]) }).y,
  'batch norm, inference': () =>
    fusedBatchNorm(random([2, 5, 5, 3], 1), {
      scale: tf.tensor1d([1, 2, 3]),
      offset: tf.tensor1d([0, 1, 2]),
      mean: tf.tensor1d([0.1, 0.2, 0.3]),
      variance: tf.tensor1d([1, 0.5, 2]),
      isTraining: false,
    }).y,
  softmax: () => tf.softmax(tf.mul(random([4, 9], 1), 10)),
  arithmetic: () =>
    tf.div(tf.sub(tf.mul(random([3, 1, 4], 1), random([5, 1], 2)), 0.1), tf.add(tf.abs(random([4], 3)), 1)),
  'mean and sum': () => [tf.mean(random([3, 4, 5], 1), [0, 2]), tf.sum(random([3, 4], 2), 1, true)],
  shapes: () => {
    const parts = [tf.transpose(random([3, 2, 4], 1), [1, 0, 2]), tf.slice(random([2, 5, 4], 2), [0, 1, 0], [2, 2, 4])];
    return tf.pad(
      tf.concat(parts, 1),
      [
        [0, 1],
        [1, 0],
        [2, 2],
      ],
      7,
    );
  },
  'reverse and select': () =>
    tf.where(tf.greater(random([3, 4], 1), 0), tf.reverse(random([3, 4], 2), 1), tf.zerosLike(random([3, 4], 2))),
  'roots and exponents': () => [
    tf.rsqrt(tf.exp(random([9], 1))),
    tf.sqrt(tf.square(random([9], 2))),
    tf.tanh(random([9], 3)),
    tf.sigmoid(random([9], 4)),
  ],
  'relu family': () => [
    tf.relu(random([9], 1)),
    tf.relu6(tf.mul(random([9], 2), 5)),
    tf.elu(random([9], 3)),
    tf.leakyRelu(random([9], 4)),
  ],
};

describe.each(backends)('double precision and bounds: %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it.each(Object.keys(OPS))('every op is within its bound: %s', async (name) => {
    const side = { run: () => OPS[name]!() };
    const trace = await captureTrace(side);
    const checks = await checkAgainstShadow(side, trace);
    expect(checks.length).toBeGreaterThan(0);
    for (const { op, isolated } of checks)
      expect(['identical', 'rounding'], `${op.name} ${isolated.bound}`).toContain(isolated.verdict);
    expect([...(await shadowRun(side)).keys()]).toEqual(trace.endPoints.map((point) => point.name));
  });
});

describe('bounds', () => {
  beforeAll(() => useBackend('cpu'));

  it('grows with the number of roundings', () => {
    expect(gamma(1)).toBeCloseTo(UNIT_ROUNDOFF, 12);
    expect(gamma(2 ** 20)).toBeCloseTo(1 / 15, 12);
  });

  it('tells a convolution in bfloat16 from rounding', async () => {
    const right = tf.getKernel('Conv2D', 'cpu');
    const side = { run: () => OPS['conv same']!() };
    const trace = await captureTrace(side);
    tf.unregisterKernel('Conv2D', 'cpu');
    const kernelFunc: tf.KernelFunc = (args) => {
      const [x, filter] = [args.inputs['x'], args.inputs['filter']] as tf.TensorInfo[];
      const backend = args.backend as { makeTensorInfo(s: number[], d: string, v: Float32Array): tf.TensorInfo };
      const cut = (info: tf.TensorInfo) => {
        const values = (tf.engine().readSync(info.dataId) as Float32Array).slice();
        const bits = new Uint32Array(values.buffer);
        for (let i = 0; i < bits.length; i++) bits[i]! &= 0xffff0000;
        return backend.makeTensorInfo(info.shape, 'float32', values);
      };
      return right.kernelFunc({ ...args, inputs: { x: cut(x!), filter: cut(filter!) } });
    };
    tf.registerKernel({ ...right, kernelFunc });
    try {
      const [check] = await checkAgainstShadow(side, trace);
      expect(check!.isolated.verdict).toBe('different');
      expect(check!.isolated.shareOfBound).toBeGreaterThan(100);
    } finally {
      tf.unregisterKernel('Conv2D', 'cpu');
      tf.registerKernel(right);
    }
  });
});

describe('the floor that an op puts under its end point', () => {
  beforeAll(() => useBackend('cpu'));

  /** A batch norm over a constant: what is left is nothing but the error of the mean. */
  const constant = (at: number): TraceSide => {
    const x = tf.keep(tf.fill([1, 40, 40, 2], at) as tf.Tensor4D);
    const [scale, offset] = [tf.keep(tf.ones([2])), tf.keep(tf.zeros([2]))] as [tf.Tensor1D, tf.Tensor1D];
    const pooled = () => {
      const y: tf.Tensor4D = tf.relu(fusedBatchNorm(x, { scale, offset }).y as tf.Tensor4D);
      return { norm: y, pool: tf.concat([tf.maxPool(y, 2, 2, 'valid'), tf.maxPool(y, 2, 2, 'valid')], 3) };
    };
    return { name: 'constant', run: () => tf.tidy(pooled) };
  };

  /** What a mean off by `ulps` of the constant leaves, in float32, after division by the root of epsilon. */
  const off = (at: number, ulps: number) => {
    const y = Math.fround((ulps * at * UNIT_ROUNDOFF) / Math.sqrt(0.001));
    const array = (shape: number[]) => ({
      dtype: 'float32' as const,
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(y),
    });
    return traceOfArrays('recorded', { norm: array([1, 40, 40, 2]), pool: array([1, 20, 20, 4]) });
  };

  it('is the bound of the batch norm, through activation, pool and concatenation', async () => {
    const side = constant(0.7);
    const trace = await captureTrace(side);
    const floor = new RoundingFloor(trace);
    await checkAgainstShadow(side, trace, floor);
    const at = floor.atEndPoints();
    // Twice gamma_1601 of the mean, over the root of epsilon.
    expect(at.get('norm')).toBeGreaterThan((2 * gamma(1600) * 0.7) / Math.sqrt(0.001));
    expect(at.get('norm')).toBeLessThan((4 * gamma(1600) * 0.7) / Math.sqrt(0.001));
    expect(at.get('pool')).toBeCloseTo(at.get('norm')!, 6);
  });

  it('calls a mean that is off in its last bits rounding, though nothing of the value is left', async () => {
    const report = await triage({ legacy: await off(0.7, 100), migrated: constant(0.7) });
    expect(report.growth.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
      'norm amplified-rounding',
      'pool amplified-rounding',
    ]);
    for (const { noise, bound } of report.growth) expect(bound).toBeGreaterThan(50 * noise!);
    expect(report.verdict).toBe('amplified-rounding');
    expect(report.culprits).toEqual([]);
  });

  it('does not excuse what is beyond it', async () => {
    const report = await triage({ legacy: await off(0.7, 100_000), migrated: constant(0.7) });
    expect(report.verdict).toBe('different');
  });
});

describe('noise', () => {
  it('moves every finite number but 0 by one ulp, the same way for the same seed', () => {
    const values = Float32Array.of(0, -0, 1, -1, 1e-45, 3.4028234663852886e38, Number.NaN, Number.POSITIVE_INFINITY);
    let calls = 0;
    const up = perturb(values, () => {
      calls++;
      return 1;
    });
    expect(Array.from(up)).toEqual([
      0,
      -0,
      1 + 2 ** -23,
      -1 - 2 ** -23,
      2.802596928649634e-45,
      3.4028234663852886e38,
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ]);
    expect(calls).toBe(3);
    expect(values[2]).toBe(1);
  });
});

describe('repro', () => {
  it('writes a folder that runs one op alone', async () => {
    await useBackend('cpu');
    const legacy = smallNet();
    const migrated = smallNet();
    const faulty = {
      ...migrated.side,
      run: () =>
        withKernelFault('net/Conv_1/BatchNorm', 'FusedBatchNormV3', setAttrs({ epsilon: 0.1 }), () => migrated.call()),
    };
    const { culprits } = await triage({ legacy: legacy.side, migrated: faulty });
    const repro = await reproOf({ legacy: legacy.side, migrated: faulty }, culprits[0]!);
    const folder = await mkdtemp(join(tmpdir(), 'repro-'));
    try {
      await writeRepro(folder, repro);
      const op = JSON.parse(await readFile(join(folder, 'op.json'), 'utf8'));
      expect(op).toMatchObject({ kernel: 'FusedBatchNormV3', attrs: { epsilon: 0.1 }, takesArray: false });
      for (const [i, { file }] of op.inputs.entries()) {
        const npy = await openCheckpoint(join(folder, file));
        expect(await npy.get(npy.entries[0]!.name)).toEqual(repro.inputs[i]!.value);
      }
      expect((await readFile(join(folder, 'repro.mjs'), 'utf8')).split('\n').length).toBeLessThan(20);
    } finally {
      await rm(folder, { recursive: true });
    }
    const missing = { op: null, reference: culprits[0]!.reference, causes: [], mayFollow: false };
    await expect(reproOf({ legacy: legacy.side, migrated: faulty }, missing)).rejects.toThrow(/by one side alone/);
  });
});
