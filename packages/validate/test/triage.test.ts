import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TraceSide } from '../src/trace-capture.js';
import { traceOfArrays } from '../src/trace-recorded.js';
import { triage } from '../src/triage.js';
import {
  changeVariable,
  otherKernel,
  setAttrs,
  setInput,
  skip,
  swapInputs,
  withKernelFault,
  withoutUpdate,
} from './kernel-faults.js';
import { smallNet } from './traced-net.js';

type Net = ReturnType<typeof smallNet>;
type Outputs = ReturnType<Net['call']>;

const kernel =
  (...fault: [string, string, Parameters<typeof withKernelFault>[2]]) =>
  (call: () => Outputs) =>
    withKernelFault(...fault, call);

const FAULTS: [
  name: string,
  training: boolean,
  culprit: RegExp,
  cause: string,
  run: (call: () => Outputs) => Outputs,
][] = [
  [
    'branches swapped',
    false,
    /Repeat\/Block\/Concat$/,
    'input-order',
    kernel('Repeat/Block', 'Concat', swapInputs('0', '1')),
  ],
  [
    'epsilon',
    false,
    /Conv_1\/BatchNorm\/FusedBatchNormV3$/,
    'attribute',
    kernel('Conv_1/BatchNorm', 'FusedBatchNormV3', setAttrs({ epsilon: 0.002 })),
  ],
  ['scale missing', false, /Block\/Multiply$/, 'missing-op', kernel('Repeat/Block', 'Multiply', skip)],
  ['padding', false, /net\/Conv_1\/Conv2D$/, 'attribute', kernel('net/Conv_1', 'Conv2D', setAttrs({ pad: 'same' }))],
  [
    'another residual scale',
    false,
    /Block\/Multiply$/,
    'constant',
    kernel(
      'Repeat/Block',
      'Multiply',
      setInput('b', () => tf.scalar(0.2)),
    ),
  ],
  ['no activation', false, /net\/Conv_1\/Relu$/, 'missing-op', kernel('net/Conv_1', 'Relu', skip)],
  ['elu', false, /net\/Conv_1\/Elu$/, 'other-kernel', kernel('net/Conv_1', 'Relu', otherKernel('Elu'))],
  [
    'average pool',
    false,
    /net\/Pool_1\/AvgPool$/,
    'other-kernel',
    kernel('net/Pool_1', 'MaxPool', otherKernel('AvgPool')),
  ],
  [
    'BGR',
    false,
    /net\/Conv_1\/Reverse$/,
    'extra-op',
    kernel(
      'net/Conv_1',
      'Conv2D',
      setInput('x', (x) => tf.reverse(x, 3)),
    ),
  ],
  [
    'dropout rate',
    true,
    /Dropout\/GreaterEqual$/,
    'constant',
    kernel(
      'Dropout',
      'GreaterEqual',
      setInput('b', () => tf.scalar(0.5)),
    ),
  ],
  [
    'no update',
    true,
    /Conv_1\/BatchNorm\/moving_mean\/AssignVariable$/,
    'update',
    (call) => withoutUpdate('net/Conv_1/BatchNorm/moving_mean', call),
  ],
  [
    'a value from JavaScript',
    false,
    /Up\/Conv2D$/,
    'input',
    kernel(
      'Repeat/Block/Up',
      'Conv2D',
      setInput('x', (x) =>
        tf.tensor(
          x.dataSync().map((v) => v * 1.01),
          x.shape,
        ),
      ),
    ),
  ],
];

describe('on one backend', () => {
  const nets = new Map<boolean, { legacy: Net; migrated: Net }>();
  beforeAll(async () => {
    await useBackend('cpu');
    for (const training of [false, true]) {
      nets.set(training, { legacy: smallNet({ training }), migrated: smallNet({ training }) });
    }
  });

  it.each([false, true])('finds nothing between equal nets (training: %s)', async (training) => {
    const { legacy, migrated } = nets.get(training)!;
    const before = migrated.layer.variables.map((v) => Array.from(v.dataSync()));
    const { runKernel } = tf.engine();
    const report = await triage({ legacy: legacy.side, migrated: migrated.side });
    expect(report).toMatchObject({
      verdict: 'identical',
      culprits: [],
      ledger: null,
      firstDivergence: null,
      inherited: 0,
    });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    // A training step moves averages; looking at it must not.
    expect(migrated.layer.variables.map((v) => Array.from(v.dataSync()))).toEqual(before);
    expect(tf.engine().runKernel).toBe(runKernel);
  });

  it.each(FAULTS)('names the op: %s', async (_, training, culprit, cause, run) => {
    const { legacy, migrated } = nets.get(training)!;
    const report = await triage({
      legacy: legacy.side,
      migrated: { ...migrated.side, run: () => run(() => migrated.call()) },
    });
    const [first] = report.culprits;
    expect((first?.op ?? first?.reference)?.name, report.summary).toMatch(culprit);
    expect(first?.causes.map(({ kind }) => kind)).toContain(cause);
    expect(['suspicious', 'different']).toContain(report.verdict);
    expect(first?.isolated?.verdict).not.toBe('rounding');
  });

  it.each([
    ['transposed', (w: tf.Tensor) => tf.transpose(w, [1, 0, 2, 3]), /transposed by \(1, 0, 2, 3\)/],
    ['never restored', (w: tf.Tensor) => tf.zerosLike(w), /all values are 0/],
    ['scaled', (w: tf.Tensor) => tf.mul(w, 2), /times 2/],
    [
      'one off',
      (w: tf.Tensor) => tf.add(w, tf.reshape(tf.oneHot(tf.scalar(5, 'int32'), w.size, 0.1, 0), w.shape)),
      /1 of 216 values/,
    ],
  ])('says what became of a variable: %s', async (_, change, words) => {
    const { legacy, migrated } = nets.get(false)!;
    const name = 'net/Conv_1/weights';
    const undo = changeVariable(migrated.layer.variables.find((v) => v.name === name)!, change);
    const report = await triage({ legacy: legacy.side, migrated: migrated.side });
    undo();
    expect(report.culprits).toHaveLength(1);
    expect(report.culprits[0]!.causes[0]).toMatchObject({ kind: 'variable', subject: name });
    expect(report.variables[0]).toMatchObject({ name, message: expect.stringMatching(words) });
  });

  it('warns of what differs without effect on these inputs', async () => {
    const { legacy, migrated } = nets.get(true)!;
    // An attribute that the kernel does not know.
    const name = 'unused';
    const run = () =>
      withKernelFault(
        'net/Logits',
        'BatchMatMul',
        ({ kernel: k, inputs, attrs }, compute) => compute(k, inputs, { ...attrs, [name]: 1 }),
        () => migrated.call(),
      );
    const report = await triage({ legacy: legacy.side, migrated: { ...migrated.side, run } });
    expect(report.verdict).toBe('identical');
    expect(report.warnings).toEqual([
      `net/Logits/BatchMatMul: ${name}: absent in the reference, 1 here; on these inputs it makes no difference`,
    ]);
  });

  it('warns of a variable that differs where nothing reaches it', async () => {
    const side = (other: number): TraceSide => {
      const x = tf.keep(tf.tensor2d([[1, 0]]));
      const w = tf.variable(tf.tensor2d([[1], [other]]), true);
      return { run: () => tf.matMul(x, w as tf.Tensor2D) };
    };
    const report = await triage({ legacy: side(1), migrated: side(2) });
    expect(report.verdict).toBe('identical');
    expect(report.warnings.join()).toMatch(/differs; on these inputs it makes no difference/);
  });

  it('does not take another tensor under the same name for rounding', async () => {
    const x = tf.keep(tf.tensor1d([1, 2, 3]));
    const parts = () => ({ a: tf.mul(x, 1.0001), b: tf.mul(x, 1.0002), c: tf.mul(x, 3) });
    const swapped = () => {
      const { a, b, c } = parts();
      return { a: b, b: a, c };
    };
    const report = await triage({ legacy: { run: parts }, migrated: { run: swapped } });
    expect(report.growth.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
      'a different',
      'b different',
      'c identical',
    ]);
    expect(report.verdict).toBe('different');
  });

  it('diffs ledgers of random ops before any number', async () => {
    const { legacy, migrated } = nets.get(true)!;
    const extra = { ...migrated.side, ledger: () => [...legacy.side.ledger!(), legacy.side.ledger!()[0]!] };
    const report = await triage({ legacy: legacy.side, migrated: extra });
    expect(report.ledger?.kind).toBe('extra-in-b');
    expect(report.verdict).toBe('different');
    expect(report.summary).toMatch(/^The random ops differ before any number/);
  });

  it.each(['legacy', 'migrated'] as const)('fails where the %s side lacks an output', async (side) => {
    const { legacy, migrated } = nets.get(false)!;
    const without = (net: Net) => ({ ...net.side, run: () => ({ logits: net.call().logits }) });
    const report = await triage({
      legacy: side === 'legacy' ? without(legacy) : legacy.side,
      migrated: side === 'migrated' ? without(migrated) : migrated.side,
    });
    expect(report.verdict).toBe('different');
    expect(report.warnings.join()).toMatch(/Predictions is not among what the/);
  });
});

const [faster, other] = backends.includes('tensorflow') ? ['tensorflow', 'wasm'] : ['wasm', 'cpu'];

describe(`${faster} against ${other}`, () => {
  let legacy: Net;
  let migrated: Net;
  beforeAll(async () => {
    await useBackend(faster!);
    legacy = smallNet({ backend: faster });
    await useBackend(other!);
    migrated = smallNet({ backend: other });
  });

  it('calls rounding by its name, op by op', async () => {
    const report = await triage({ legacy: legacy.side, migrated: migrated.side }, { shadow: true });
    expect(report.culprits).toEqual([]);
    expect(report.verdict).toBe('rounding');
    expect(report.isolated.rounding).toBeGreaterThan(5);
    const last = report.growth.at(-1)!;
    expect(last.noise).toBeGreaterThan(0);
    expect(last.shadow!.reference).toBeLessThan(1e-5);
    expect(last.shadow!.migrated).toBeLessThan(1e-5);
  });

  it("finds a kernel that computes something else, from the reference's ops and from recorded end points", async () => {
    await useBackend(faster!);
    const recorded = tf.tidy(() => legacy.call());
    const golden = await traceOfArrays('recorded', { ...recorded.endPoints, logits: recorded.logits });
    const kernelName = 'MaxPool';
    const right = tf.getKernel(kernelName, other!);
    tf.unregisterKernel(kernelName, other!);
    tf.registerKernel({
      ...right,
      kernelName,
      backendName: other!,
      kernelFunc: (args) =>
        right.kernelFunc({ ...args, attrs: { ...args.attrs, strides: [1, 1], filterSize: [5, 5] } }),
    });
    try {
      for (const reference of [legacy.side, golden]) {
        const report = await triage({ legacy: reference, migrated: migrated.side }, { noise: false });
        expect(report.verdict, report.summary).toBe('different');
        expect(report.culprits[0]!.op!.name).toBe('net/Pool_1/MaxPool');
        expect(report.culprits[0]!.isolated!.verdict).toBe('different');
      }
    } finally {
      tf.unregisterKernel(kernelName, other!);
      tf.registerKernel(right);
    }
  });

  it('holds recorded end points against the noise floor', async () => {
    await useBackend(faster!);
    const recorded = tf.tidy(() => legacy.call());
    const golden = await traceOfArrays('recorded', { ...recorded.endPoints, logits: recorded.logits });
    const report = await triage({ legacy: golden, migrated: migrated.side });
    expect(report.culprits).toEqual([]);
    expect(report.verdict).toBe('rounding');
    expect(report.reference.detail).toBe('end-points');
    expect(report.isolated.rounding + report.isolated.identical).toBeGreaterThan(20);
  });
});
