import * as tf from '@tensorflow/tfjs-core';
import { fusedBatchNorm } from '@tfparity/layers';
import { normal } from '@tfparity/random';
import { backends, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  assignAdd,
  controlDependencies,
  Graph,
  globalVariablesInitializer,
  identity,
  isGraphError,
  OPTIMIZER_PASSES,
  type OptimizerOptions,
  type OptimizerReport,
  placeholder,
  Session,
} from '../src/index.js';

/** What a graph gives without any pass, and with some: the values, and what the passes did. */
function compare(build: () => tf.Tensor | tf.Tensor[], optimizer: boolean | OptimizerOptions, feeds = {}) {
  const graph = new Graph();
  const { fetches, init } = graph.asDefault(() => {
    const fetches = [build()].flat();
    return { fetches, init: graph.variables.length > 0 ? globalVariablesInitializer() : undefined };
  });
  const run = (options: { optimizer?: boolean | OptimizerOptions }) => {
    using session = new Session(graph, options);
    if (init !== undefined) session.run(init);
    const values = session.run(fetches, feeds).map((tensor) => {
      const value = Array.from(tensor.dataSync());
      tensor.dispose();
      return value;
    });
    return { values, report: session.optimizerReport };
  };
  const { values: plain, report: none } = run({});
  expect(none).toBeUndefined();
  const { values: optimized, report } = run({ optimizer });
  return { plain, optimized, report: report as OptimizerReport };
}

/** How far values are apart, by the larger of each pair (or 1). */
function distance(a: number[][], b: number[][]): number {
  const [one, other] = [a.flat(), b.flat()];
  expect(one).toHaveLength(other.length);
  return one.reduce((most, x, i) => {
    const y = other[i]!;
    return Math.max(most, Math.abs(x - y) / Math.max(1, Math.abs(x), Math.abs(y)));
  }, 0);
}

const ROUNDING = 1e-5;
const noise = (shape: number[], seed: number): tf.Tensor =>
  tf.tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed * 31.7 + i * 1.37)),
    shape,
  );

describe.each(backends)('graph optimization in the replay engine on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('folds what depends on constants alone, to the bits that the kernels give', () => {
    const x = noise([3], 1).dataSync();
    const build = () => {
      const table = tf.exp(tf.mul(tf.tensor1d([1, 2, 3]), tf.scalar(0.1)));
      return tf.add(placeholder('float32', [3], 'x'), table);
    };
    const { plain, optimized, report } = compare(build, { constantFolding: true }, { 'x:0': x });
    expect(optimized).toEqual(plain);
    expect(report.counts).toEqual({ constantFolding: 2 });
    expect(report.changes.map(({ op, into }) => [op, into])).toEqual([
      ['Multiply', 'a constant'],
      ['Exp', 'a constant'],
    ]);
    expect([report.opsBefore, report.opsAfter]).toEqual([5, 2]);
  });

  it('moves bits where constant folding divides by multiplying', () => {
    const x = Array.from({ length: 64 }, (_, i) => i + 1);
    const build = () => tf.div(placeholder('float32', [64], 'x'), tf.scalar(3));
    const { plain, optimized, report } = compare(build, { constantFolding: true }, { 'x:0': x });
    expect(report.counts.constantFolding).toBe(1);
    expect(optimized).not.toEqual(plain);
    expect(distance(optimized, plain)).toBeLessThan(2e-7);
  });

  it('leaves out neutral operands, and keeps those that broadcast', () => {
    const build = () => {
      const x = placeholder('float32', [2], 'x');
      return [tf.mul(tf.add(x, tf.scalar(0)), tf.ones([2])), tf.add(x, tf.zeros([3, 2]))];
    };
    const { plain, optimized, report } = compare(build, { constantFolding: true }, { 'x:0': [5, -7] });
    expect(optimized).toEqual(plain);
    expect(report.changes.map(({ op }) => op)).toEqual(['Add', 'Multiply']);
  });

  it('joins constants, and keeps large results as ops', () => {
    const build = () => [
      tf.mul(tf.scalar(3), tf.mul(tf.scalar(0.1), placeholder('float32', [2], 'x'))),
      tf.fill([200, 200], 2),
    ];
    const { plain, optimized, report } = compare(build, { constantFolding: true }, { 'x:0': [1, 7] });
    expect(distance(optimized, plain)).toBeLessThan(2e-7);
    expect(report.changes.map(({ into }) => into)).toEqual(['one op with both constants in one']);
  });

  it('computes equal ops once, but neither draws nor reads around an assignment', () => {
    const build = () => {
      const x = placeholder('float32', [2], 'x');
      const v = getVariable('v', { shape: [], initializer: (shape) => tf.ones([...shape]) });
      const before = identity(v as unknown as tf.Tensor, 'before');
      const step = assignAdd(v, tf.scalar(1));
      const after = controlDependencies([step], () => identity(v as unknown as tf.Tensor, 'after'));
      return [
        tf.sub(tf.exp(x), tf.exp(x)),
        tf.sub(normal([2], { seed: 1 }), normal([2], { seed: 2 })),
        tf.stack([before, after]),
      ];
    };
    const { plain, optimized, report } = compare(build, { commonSubexpressions: true }, { 'x:0': [1, 2] });
    expect(optimized).toEqual(plain);
    expect(optimized[2]).toEqual([1, 2]);
    expect(report.changes.map(({ op, into }) => `${op}: ${into}`)).toContain('Exp_1: the same as Exp');
    expect(report.changes.filter(({ op }) => /Random|Normal|Read/.test(op))).toEqual([]);
  });

  it("adds in the order of the terms' names, as TensorFlow's session does", () => {
    const terms = { z: 1e8, m: -1e8, a: 1, q: 3e-3, b: 7e4, c: -7e4, y: 1e-3, d: 5, e: 11, n: 13 };
    const build = () => tf.addN(Object.keys(terms).map((name) => placeholder('float32', [], name)));
    const feeds = Object.fromEntries(Object.entries(terms).map(([name, value]) => [`${name}:0`, value]));
    const { plain, optimized, report } = compare(build, { canonicalInputOrder: true }, feeds);
    expect(report.changes.map(({ into }) => into)).toEqual(['the sum of its 10 terms in the order of their names']);
    expect(optimized).not.toEqual(plain);
    if (backend !== 'tensorflow') return;
    const graph = new Graph();
    const sum = graph.asDefault(build);
    using session = new Session(graph, { engine: 'tensorflow' });
    const native = session.run(sum, feeds);
    expect(optimized).toEqual([Array.from(native.dataSync())]);
    native.dispose();
  });

  it('takes a common factor out of a sum, as Grappler does, and that moves bits', () => {
    const terms = Array.from({ length: 40 }, (_, i) => noise([], i + 2).dataSync()[0]!);
    const build = () => tf.addN(terms.map((_, i) => tf.mul(tf.scalar(4e-5), placeholder('float32', [], `x${i}`))));
    const feeds = Object.fromEntries(terms.map((term, i) => [`x${i}:0`, term]));
    const { plain, optimized, report } = compare(build, { arithmeticOptimization: true }, feeds);
    expect(report.counts.arithmeticOptimization).toBe(1);
    expect(report.changes[0]).toMatchObject({ op: 'AddN', pass: 'arithmeticOptimization' });
    const sum = terms.reduce((a, b) => a + b, 0) * 4e-5;
    expect(optimized[0]![0]! / sum).toBeCloseTo(1, 4);
    expect(plain[0]![0]! / sum).toBeCloseTo(1, 4);
    expect(report.opsAfter).toBeLessThan(report.opsBefore - 70);
  });

  it('keeps products of different factors, and of different shapes', () => {
    const build = () => {
      const x = placeholder('float32', [2], 'x');
      return [
        tf.add(tf.mul(tf.scalar(2), x), tf.mul(tf.scalar(3), x)),
        tf.add(tf.mul(tf.scalar(2), x), tf.mul(tf.scalar(2), tf.sum(x))),
      ];
    };
    const { plain, optimized, report } = compare(build, { arithmeticOptimization: true }, { 'x:0': [1.5, -2] });
    expect(optimized).toEqual(plain);
    expect(report.changes).toEqual([]);
  });

  it('joins sums, reshapes and inverse transposes, and writes squares and differences', () => {
    const build = () => {
      const x = placeholder('float32', [2, 3], 'x');
      return [
        tf.add(tf.add(x, tf.exp(x)), tf.sin(x)),
        tf.reshape(tf.reshape(x, [3, 2]), [6]),
        tf.transpose(tf.transpose(x)),
        tf.mul(x, x),
        tf.add(x, tf.neg(tf.cos(x))),
      ];
    };
    const x = noise([2, 3], 3).arraySync();
    const { plain, optimized, report } = compare(build, { arithmeticOptimization: true }, { 'x:0': x });
    expect(distance(optimized, plain)).toBeLessThan(ROUNDING);
    expect(report.counts.arithmeticOptimization).toBe(5);
  });

  const net = (norm: (y: tf.Tensor4D) => tf.Tensor) => () => {
    const x = placeholder('float32', [2, 7, 7, 3], 'x') as tf.Tensor4D;
    const w = getVariable('w', { shape: [3, 3, 3, 4], initializer: (shape) => noise([...shape], 5) });
    const conv = tf.conv2d(x, w as unknown as tf.Tensor4D, 1, 'same');
    return tf.relu(norm(conv));
  };
  const weights = [7, 8, 9, 10].map((seed) => Float32Array.from([0, 1, 2, 3], (i) => 1.5 + Math.sin(seed + i)));
  const tensors = () =>
    weights.map((values) => tf.tensor1d(values)) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
  const image = () => ({ 'x:0': noise([2, 7, 7, 3], 11).arraySync() });

  it.each([
    [
      'FusedBatchNorm',
      (y: tf.Tensor4D) => {
        const [mean, variance, offset, scale] = tensors();
        return tf.batchNorm(y, mean, variance, offset, scale, 0.001);
      },
    ],
    [
      'FusedBatchNormV3',
      (y: tf.Tensor4D) => {
        const [mean, variance, offset, scale] = tensors();
        return fusedBatchNorm(y, { mean, variance, offset, scale, isTraining: false }).y;
      },
    ],
  ])('folds %s into the convolution before it', (_, norm) => {
    const { plain, optimized, report } = compare(net(norm), { batchNormFolding: true }, image());
    expect(report.counts).toEqual({ batchNormFolding: 1 });
    expect(optimized).not.toEqual(plain);
    expect(distance(optimized, plain)).toBeLessThan(ROUNDING);
  });

  it('does not fold a batch norm in training', () => {
    const norm = (y: tf.Tensor4D) => {
      const [, , offset, scale] = tensors();
      return fusedBatchNorm(y, { offset, scale, isTraining: true }).y;
    };
    const { plain, optimized, report } = compare(net(norm), true, image());
    expect(optimized).toEqual(plain);
    expect(report.counts.batchNormFolding).toBe(0);
  });

  it('fuses convolution, bias and activation', () => {
    const build = () => {
      const bias = tf.tensor1d(weights[0]!);
      return net((conv) => tf.add(conv, bias))();
    };
    const { plain, optimized, report } = compare(build, { remapping: true }, image());
    expect(report.counts).toEqual({ remapping: 2 });
    expect(report.opsAfter).toBe(report.opsBefore - 2);
    expect(distance(optimized, plain)).toBeLessThan(ROUNDING);
  });

  it('fuses nothing that is fetched or used elsewhere', () => {
    const build = () => {
      const x = placeholder('float32', [1, 3, 3, 1], 'x') as tf.Tensor4D;
      const conv = tf.conv2d(x, tf.ones<tf.Rank.R4>([2, 2, 1, 1]), 1, 'same');
      return [conv, tf.relu(tf.add(conv, tf.tensor1d([0.5])))];
    };
    const { plain, optimized, report } = compare(
      build,
      { remapping: true },
      { 'x:0': noise([1, 3, 3, 1], 1).arraySync() },
    );
    expect(optimized).toEqual(plain);
    expect(report.changes).toEqual([]);
  });

  it('leaves out what hands on its input', () => {
    const build = () => {
      const x = placeholder('float32', [2, 2], 'x');
      return tf.relu(tf.reshape(identity(x), [2, 2]));
    };
    const { plain, optimized, report } = compare(
      build,
      { deadCode: true },
      {
        'x:0': [
          [1, -2],
          [3, 4],
        ],
      },
    );
    expect(optimized).toEqual(plain);
    expect([report.counts, report.opsBefore, report.opsAfter]).toEqual([{ deadCode: 2 }, 3, 1]);
  });

  it('looks through no value that is fed', () => {
    const build = () => {
      const x = placeholder('float32', [2], 'x');
      return tf.div(tf.exp(tf.add(x, tf.scalar(0))), tf.exp(tf.tensor1d([0, 0])));
    };
    const graph = new Graph();
    const y = graph.asDefault(build);
    using session = new Session(graph, { optimizer: true });
    const values = (feeds: Record<string, number[]>) => Array.from(session.run(y, feeds).dataSync());
    expect(values({ 'x:0': [0, 0], 'Exp_1:0': [2, 4] })).toEqual([0.5, 0.25]);
    expect(values({ 'Exp:0': [8, 9] })).toEqual([8, 9]);
    expect(values({ 'Add:0': [0, 0], 'Exp_1:0': [4, 4] })).toEqual([0.25, 0.25]);
  });

  it('keeps an unknown batch size, updates and draws with every pass on', () => {
    const build = () => {
      const graph = new Graph();
      const fetches = graph.asDefault(() => {
        const x = placeholder('float32', [null, 4], 'x');
        const v = getVariable('v', { shape: [4, 2], initializer: (shape) => noise([...shape], 2) });
        const y = tf.relu(tf.add(tf.matMul(tf.reshape(x, [-1, 4]), v as unknown as tf.Tensor2D), tf.tensor1d([1, 2])));
        const step = assignAdd(v, tf.mul(tf.ones([4, 2]), tf.scalar(0.5)));
        const init = globalVariablesInitializer();
        return { y, step, draw: normal([3], { seed: 9 }), init };
      });
      return { graph, ...fetches };
    };
    const runs = ([false, true] as const).map((optimizer) => {
      const { graph, init, y, step, draw } = build();
      using session = new Session(graph, { optimizer });
      session.run(init);
      return [1, 2, 3].map((size) => {
        const got = session.run({ y, step, draw }, { 'x:0': noise([size, 4], size).arraySync() });
        expect(got.y.shape).toEqual([size, 2]);
        return [got.y, got.draw].map((tensor) => Array.from(tensor.dataSync()));
      });
    });
    expect(distance(runs[0]!.flat(), runs[1]!.flat())).toBeLessThan(ROUNDING);
    expect(runs[1]![0]![1]).not.toEqual(runs[1]![1]![1]);
  });

  it('frees what it folded when the session is closed', () => {
    const graph = new Graph();
    const y = graph.asDefault(() => tf.add(placeholder('float32', [2], 'x'), tf.exp(tf.tensor1d([1, 2]))));
    const { numTensors } = tf.memory();
    const session = new Session(graph, { optimizer: true });
    for (let i = 0; i < 3; i++) session.run(y, { 'x:0': [i, i] }).dispose();
    session.close();
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('names the op that was recorded where an optimized one fails', () => {
    const graph = new Graph();
    const y = graph.asDefault(() => {
      const x = placeholder('float32', [null], 'x');
      return tf.relu(tf.add(tf.add(x, placeholder('float32', [null], 'z')), tf.exp(x)));
    });
    using session = new Session(graph, { optimizer: true });
    try {
      session.run(y, { 'x:0': [1, 2, 3], 'z:0': [1, 2] });
      expect.unreachable();
    } catch (error) {
      expect(isGraphError(error) && error.message).toMatch(/node Add(_1)?}.* made at .*optimizer\.test\.ts/);
    }
  });

  it('has every pass off unless asked for, and knows them by name', () => {
    expect([...OPTIMIZER_PASSES].sort()).toEqual([
      'arithmeticOptimization',
      'batchNormFolding',
      'canonicalInputOrder',
      'commonSubexpressions',
      'constantFolding',
      'deadCode',
      'remapping',
    ]);
    const { report } = compare(() => tf.relu(tf.zeros([2])), {});
    expect(report.changes).toEqual([]);
  });
});
