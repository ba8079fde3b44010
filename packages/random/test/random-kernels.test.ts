import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  categorical,
  DeterministicRandomTestTool,
  gamma,
  initializers,
  isRandomError,
  normal,
  poisson,
  RANDOM_KERNELS,
  type RandomError,
  registerRandomKernels,
  shuffle,
  statelessNormal,
  statelessTruncatedNormal,
  statelessUniform,
  statelessUniformInt,
  truncatedNormal,
  uniform,
  uniformInt,
} from '../src/index.js';

interface Args {
  shape: number[];
  dtype: string;
  minval: number;
  maxval: number;
  value: 'range';
  n: number;
  logits: number[][];
  num_samples: number;
  alpha: number[][];
  rate: number[];
}

interface Case {
  op: string;
  seed: number;
  seed2: number;
  args: Args;
  draws: { dtype: string; shape: number[]; sha256: string; head: number[] }[];
}

const STATEFUL: Record<string, (args: Args) => tf.Tensor> = {
  RandomUniform: ({ shape }) => uniform(shape),
  RandomUniformInt: ({ shape, minval, maxval }) => uniformInt(shape, { minval, maxval }),
  RandomStandardNormal: ({ shape }) => normal(shape),
  TruncatedNormal: ({ shape }) => truncatedNormal(shape),
  RandomShuffle: ({ n }) => shuffle(tf.range(0, n, 1, 'int32')),
  Multinomial: ({ logits, num_samples }) => categorical(logits, num_samples),
  RandomGamma: ({ shape, alpha }) => gamma(shape, alpha),
  RandomPoissonV2: ({ shape, rate }) => poisson(shape, rate),
};

const STATELESS: Record<string, (args: Args, seed: [number, number]) => tf.Tensor> = {
  StatelessRandomUniform: ({ shape }, seed) => statelessUniform(shape, { seed }),
  StatelessRandomNormal: ({ shape }, seed) => statelessNormal(shape, { seed }),
  StatelessTruncatedNormal: ({ shape }, seed) => statelessTruncatedNormal(shape, { seed }),
  StatelessRandomUniformInt: ({ shape, minval, maxval }, seed) => statelessUniformInt(shape, { minval, maxval, seed }),
};

/** The bytes of what TensorFlow drew; its class numbers are int64. */
function sha256(tensor: tf.Tensor, dtype: string): string {
  const data = tensor.dataSync();
  const array = dtype === 'int64' ? BigInt64Array.from(data, BigInt) : data;
  return createHash('sha256')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex');
}

/** TensorFlow.js has tensors of these only; RandomOp's own test has the rest. Class numbers and shuffled ranges fit int32. */
const fits = ({ op, draws }: Case) => ['float32', 'int32'].includes(draws[0]!.dtype) || op === 'Multinomial';

describe.each(backends)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  describeGolden('rng.json', () => {
    const cases = goldenJson<{ cases: Case[] }>('rng.json').cases.filter(fits);

    it('covers every op', () => {
      expect(new Set(cases.map((c) => c.op))).toEqual(new Set([...Object.keys(STATEFUL), ...Object.keys(STATELESS)]));
    });

    it.each(cases.map((c) => [c.op, `${c.seed},${c.seed2}`, JSON.stringify(c.args).slice(0, 60), c] as const))(
      '%s (%s) %s',
      (_op, _seeds, _args, { op, seed, seed2, args, draws }) => {
        const stateless = STATELESS[op];
        const run = () => {
          if (stateless !== undefined) return draws.map(() => stateless(args, [seed, seed2]));
          const tool = new DeterministicRandomTestTool({ seed, mode: 'constant' });
          tool.operationSeed = seed2;
          // A kernel run again goes on; only its first run is a tool's.
          return tool.scope(() => [STATEFUL[op]!(args)]);
        };
        run().forEach((tensor, i) => {
          expect(tensor.shape).toEqual(draws[i]!.shape);
          expect(sha256(tensor, draws[i]!.dtype)).toBe(draws[i]!.sha256);
        });
      },
    );

    const continued = cases.filter(
      (c) => c.op.startsWith('Random') && c.op !== 'RandomShuffle' && c.args.alpha === undefined,
    );
    it.each(continued.map((c) => [c.op, `${c.seed},${c.seed2}`, c] as const))(
      '%s (%s) goes on in its stream',
      (_op, _seeds, c) => {
        registerRandomKernels();
        const { shape, dtype, minval, maxval } = c.args;
        const attrs = {
          shape,
          dtype,
          seed: c.seed,
          seed2: c.seed2,
          stream: `${backend}/${JSON.stringify([c.seed, c.seed2, c.args])}`,
        };
        const inputs: tf.NamedTensorMap = c.args.rate === undefined ? {} : { rate: tf.tensor(c.args.rate) };
        const bounds = minval === undefined ? {} : { minval, maxval };
        const found = c.draws.map(
          () => tf.engine().runKernel(c.op, inputs, { ...attrs, ...bounds } as never) as tf.Tensor,
        );
        expect(found.map((t) => sha256(t, dtype))).toEqual(c.draws.map((d) => d.sha256));
      },
    );
  });

  it('registers its kernels once, for this backend', () => {
    registerRandomKernels();
    const before = RANDOM_KERNELS.map((name) => tf.getKernel(name, backend));
    registerRandomKernels();
    expect(RANDOM_KERNELS.map((name) => tf.getKernel(name, backend))).toEqual(before);
    expect(before).not.toContain(undefined);
  });

  it('keeps no tensors but its results', () => {
    const before = tf.memory().numTensors;
    for (const make of [
      () => uniform([4], { minval: -1, maxval: 3 }),
      () => uniformInt([4], { maxval: 9 }),
      () => normal([4], { mean: 1, stddev: 2 }),
      () => shuffle([1, 2, 3]),
      () => categorical([[1, 2]], 3),
      () => gamma([2], [1, 2], { beta: 2 }),
      () => poisson([2], [1, 2]),
      () => statelessUniform([4], { minval: 2, maxval: 3, seed: [1, 2] }),
      () => initializers.orthogonal()([4, 2]),
    ]) {
      const made = make();
      expect(tf.memory().numTensors).toBe(before + 1);
      made.dispose();
    }
  });

  it('draws empty shapes and scalars', () => {
    expect(uniform([]).shape).toEqual([]);
    expect(uniform([0, 3]).shape).toEqual([0, 3]);
    expect([...normal([2, 0]).dataSync()]).toEqual([]);
    expect(gamma([], 1).shape).toEqual([]);
    expect(poisson([2], []).shape).toEqual([2, 0]);
  });

  it('refuses what TensorFlow refuses', () => {
    expect(() => uniform([2], { dtype: 'int32' })).toThrow('Must specify maxval for integer dtype int32');
    expect(() => uniform([2], { dtype: 'float64' as 'float32' })).toThrow(/got invalid value float64/);
    expect(() => uniformInt([2], { minval: 3, maxval: 3 })).toThrow('Need minval < maxval, got 3 >= 3');
    expect(() => uniformInt([2], { maxval: 2 ** 31 })).toThrow('maxval 2147483648 is not an int32');
    expect(() => categorical([0.1, 0.9], 2)).toThrow('logits should be a matrix, got shape [2]');
    expect(() => statelessUniform([1.5], { seed: [1, 2] })).toThrow('1.5 is not the size of an axis');
  });

  const refusal = (body: () => unknown): RandomError => {
    try {
      body();
    } catch (error) {
      if (isRandomError(error)) return error;
      throw error;
    }
    throw new Error('nothing was refused');
  };

  it('refuses shapes that no tensor has, before a seed is taken', () => {
    const tool = new DeterministicRandomTestTool({ mode: 'num_random_ops' });
    tool.scope(() => {
      for (const draw of [
        () => uniform([2 ** 32 + 3]),
        () => normal([2 ** 31]),
        () => truncatedNormal([2 ** 16, 2 ** 16]),
        () => gamma([2 ** 16], tf.ones([2 ** 16])),
        () => uniform([-1]),
        () => uniform(5 as unknown as number[]),
        () => categorical([[1, 2]], -1),
        () => categorical([[1, 2]], 2 ** 32 + 1),
        () => statelessUniform([2 ** 32 + 3], { seed: [1, 2] }),
      ]) {
        expect(refusal(draw).code).toBe('InvalidShape');
      }
      expect(refusal(() => uniform([2, -1])).message).toBe('RandomUniform: Dimension -1 must be >= 0, shape [2,-1]');
      expect(refusal(() => categorical(tf.zeros([2, 0]), 3)).code).toBe('InvalidArgument');
    });
    expect(tool.operationSeed).toBe(0);
    expect(tool.ledger).toEqual([]);
  });

  it('refuses Poisson rates of which there is no draw', () => {
    expect(refusal(() => poisson([2], Number.NaN)).message).toMatch(/rate 0 is NaN/);
    expect(refusal(() => poisson([2], [1, 1e12], { dtype: 'int32' })).message).toMatch(/rate 1 is .* int32 holds/);
    expect(poisson([0], Number.NaN).shape).toEqual([0]);
    expect(poisson([2], 1e12).shape).toEqual([2]);
  });

  it('refuses stateless bounds that are not int32', () => {
    for (const bounds of [{ minval: 0.5, maxval: 3.5 }, { maxval: 2 ** 40 }, { minval: 3, maxval: 3 }]) {
      const before = tf.memory().numTensors;
      expect(refusal(() => statelessUniformInt([2], { ...bounds, seed: [1, 2] })).code).toBe('InvalidArgument');
      expect(tf.memory().numTensors).toBe(before);
    }
  });

  it('gives a kernel that is run wrongly an error of its own, and keeps nothing of it', () => {
    registerRandomKernels();
    const attrs = { shape: [2], dtype: 'int32', minval: 3, maxval: 3, seed: [1, 2] };
    const before = tf.memory().numTensors;
    const run = () => tf.engine().runKernel('StatelessRandomUniformInt', {}, attrs as never);
    expect(refusal(run).code).toBe('InvalidArgument');
    expect(tf.memory().numTensors).toBe(before);
  });
});
