// Twenty-five faults in Inception-ResNet-v2, one at a time: triage must name the op, and call none of them rounding.
import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fill } from '../src/fill.js';
import { triage } from '../src/triage.js';
import {
  type Change,
  changeVariable,
  otherKernel,
  setAttrs,
  setInput,
  skip,
  swapInputs,
  withKernelFault,
  withoutUpdate,
} from '../test/kernel-faults.js';
import { inception, type Outputs } from './inception.js';

interface Fault {
  readonly name: string;
  readonly training?: boolean;
  /** What the first culprit is called, and why it is one. */
  readonly culprit: RegExp;
  readonly cause: string;
  run(call: () => Outputs): Outputs;
  /** Done before both sides run; what it returns undoes it. */
  prepare?(): () => void;
}

const at = (scope: string, kernel: string, change: Change, nth = 0) => ({
  run: (call: () => Outputs) => withKernelFault(scope, kernel, change, call, nth),
});

const NET = 'InceptionResnetV2';
let variables: ReadonlyMap<string, tf.Variable> = new Map();
const inVariable = (name: string, change: (value: tf.Tensor) => tf.Tensor) => ({
  prepare: () => changeVariable(variables.get(`${NET}/${name}`)!, change),
  run: (call: () => Outputs) => call(),
});

/** The block's relu applied to the residual, and then the sum. */
function activationFirst(call: () => Outputs): Outputs {
  const relu = (x: tf.Tensor) => tf.engine().runKernel('Relu', { x }) as tf.Tensor;
  const early = setInput('b', relu);
  // Of the two relus that then run in the block, the second is the one to leave out.
  return withKernelFault(
    'Repeat/block35_4',
    'Relu',
    skip,
    () => withKernelFault('Repeat/block35_4', 'Add', early, call),
    1,
  );
}

const FAULTS: readonly Fault[] = [
  {
    name: 'branches of block35_3 swapped',
    culprit: /block35_3\/Concat/,
    cause: 'input-order',
    ...at('Repeat/block35_3', 'Concat', swapInputs('0', '1')),
  },
  {
    name: 'kernel transposed',
    culprit: /Conv2d_2b_3x3\/Conv2D$/,
    cause: 'variable',
    ...inVariable('Conv2d_2b_3x3/weights', (w) => tf.transpose(w, [1, 0, 2, 3])),
  },
  {
    name: 'epsilon doubled',
    culprit: /block17_5\/Branch_1\/Conv2d_0b_1x7\/BatchNorm/,
    cause: 'attribute',
    ...at('block17_5/Branch_1/Conv2d_0b_1x7/BatchNorm', 'FusedBatchNormV3', setAttrs({ epsilon: 0.002 })),
  },
  {
    name: 'scale of a residual missing',
    culprit: /block17_5\/Multiply/,
    cause: 'missing-op',
    ...at('Repeat_1/block17_5', 'Multiply', skip),
  },
  {
    name: 'padding SAME for VALID',
    culprit: /Conv2d_1a_3x3\/Conv2D$/,
    cause: 'attribute',
    ...at('Conv2d_1a_3x3', 'Conv2D', setAttrs({ pad: 'same' })),
  },
  {
    name: 'moving average not updated',
    training: true,
    culprit: /Mixed_6a\/Branch_0\/Conv2d_1a_3x3\/BatchNorm\/moving_mean/,
    cause: 'update',
    run: (call) => withoutUpdate(`${NET}/Mixed_6a/Branch_0/Conv2d_1a_3x3/BatchNorm/moving_mean`, call),
  },
  {
    name: 'another dropout rate',
    training: true,
    culprit: /Dropout\/GreaterEqual/,
    cause: 'constant',
    ...at(
      'Dropout',
      'GreaterEqual',
      setInput('b', () => tf.scalar(0.3)),
    ),
  },
  {
    name: 'variable not restored',
    culprit: /Mixed_6a\/Branch_0\/Conv2d_1a_3x3\/Conv2D$/,
    cause: 'variable',
    ...inVariable('Mixed_6a/Branch_0/Conv2d_1a_3x3/weights', (w) => tf.zerosLike(w)),
  },
  {
    name: 'BGR for RGB',
    culprit: /Conv2d_1a_3x3\/Reverse/,
    cause: 'extra-op',
    ...at(
      'Conv2d_1a_3x3',
      'Conv2D',
      setInput('x', (x) => tf.reverse(x, 3)),
    ),
  },
  {
    name: 'stride offset by a pixel',
    culprit: /Conv2d_1a_3x3\/(Slice|PadV2)/,
    cause: 'extra-op',
    ...at(
      'Conv2d_1a_3x3',
      'Conv2D',
      setInput('x', (x) =>
        tf.slice(
          tf.pad(x, [
            [0, 0],
            [0, 1],
            [0, 1],
            [0, 0],
          ]),
          [0, 1, 1, 0],
        ),
      ),
    ),
  },
  { name: 'activation before the add', culprit: /block35_4\/(Relu|Add)$/, cause: 'moved-op', run: activationFirst },
  {
    name: 'no activation',
    culprit: /Mixed_7a\/Branch_2\/Conv2d_0b_3x3\/Relu/,
    cause: 'missing-op',
    ...at('Mixed_7a/Branch_2/Conv2d_0b_3x3', 'Relu', skip),
  },
  {
    name: 'elu for relu',
    culprit: /Conv2d_2a_3x3\/Elu/,
    cause: 'other-kernel',
    ...at('Conv2d_2a_3x3', 'Relu', otherKernel('Elu')),
  },
  {
    name: 'average for max pool',
    culprit: /MaxPool_3a_3x3\/AvgPool/,
    cause: 'other-kernel',
    ...at('MaxPool_3a_3x3', 'MaxPool', otherKernel('AvgPool')),
  },
  {
    name: 'dilated convolution',
    culprit: /block8_4\/Branch_1\/Conv2d_0b_1x3\/Conv2D$/,
    cause: 'attribute',
    ...at('Repeat_2/block8_4/Branch_1/Conv2d_0b_1x3', 'Conv2D', setAttrs({ dilations: [1, 2] })),
  },
  {
    name: 'gamma and beta swapped',
    culprit: /Conv2d_4a_3x3\/BatchNorm/,
    cause: 'variable',
    ...at('Conv2d_4a_3x3/BatchNorm', 'FusedBatchNormV3', swapInputs('scale', 'offset')),
  },
  {
    name: 'bias left out',
    culprit: /block35_7\/Conv2d_1x1\/Add/,
    cause: 'missing-op',
    ...at('Repeat/block35_7/Conv2d_1x1', 'Add', skip),
  },
  {
    name: 'another residual scale',
    culprit: /block35_9\/Multiply/,
    cause: 'constant',
    ...at(
      'Repeat/block35_9',
      'Multiply',
      setInput('b', () => tf.scalar(0.2)),
    ),
  },
  {
    name: 'one filter off by a percent',
    culprit: /block17_20\/Branch_0\/Conv2d_1x1\/Conv2D$/,
    cause: 'variable',
    ...inVariable('Repeat_1/block17_20/Branch_0/Conv2d_1x1/weights', (w) =>
      tf.mul(w, tf.add(1, tf.mul(tf.cast(tf.oneHot(tf.scalar(7, 'int32'), 192), 'float32'), 0.01))),
    ),
  },
  {
    name: 'weights kept in half precision',
    culprit: /Conv2d_7b_1x1\/Conv2D$/,
    cause: 'variable',
    ...inVariable('Conv2d_7b_1x1/weights', (w) => tf.div(tf.round(tf.mul(w, 2 ** 14)), 2 ** 14)),
  },
  {
    name: 'batch statistics in inference',
    culprit: /Conv2d_3b_1x1\/BatchNorm/,
    cause: 'attribute',
    ...at('Conv2d_3b_1x1/BatchNorm', 'FusedBatchNormV3', setAttrs({ isTraining: true })),
  },
  {
    name: 'moving averages swapped',
    culprit: /Mixed_5b\/Branch_1\/Conv2d_0b_5x5\/BatchNorm/,
    cause: 'variable',
    ...at('Mixed_5b/Branch_1/Conv2d_0b_5x5/BatchNorm', 'FusedBatchNormV3', swapInputs('mean', 'variance')),
  },
  {
    name: 'input scaled to [-1, 1]',
    culprit: /Conv2d_1a_3x3\/Sub/,
    cause: 'extra-op',
    ...at(
      'Conv2d_1a_3x3',
      'Conv2D',
      setInput('x', (x) => tf.sub(tf.mul(x, 2), 1)),
    ),
  },
  {
    name: 'branch taken from the wrong tensor',
    culprit: /block17_2\/Branch_0\/Conv2d_1x1\/Conv2D$/,
    cause: 'input',
    ...at(
      'block17_2/Branch_0/Conv2d_1x1',
      'Conv2D',
      setInput('x', (x) =>
        tf.tensor(
          x.dataSync().map((v) => v * 1.01),
          x.shape,
        ),
      ),
    ),
  },
  {
    name: 'moving average of another decay',
    training: true,
    culprit: /Conv2d_4a_3x3\/BatchNorm\/(Multiply|moving)/,
    cause: 'constant',
    ...at(
      'Conv2d_4a_3x3/BatchNorm',
      'Multiply',
      setInput('b', () => tf.scalar(0.01)),
    ),
  },
];

describe.skipIf(!backends.includes('tensorflow'))('faults in Inception-ResNet-v2', () => {
  let reference: ReturnType<typeof inception>;
  let migrated: ReturnType<typeof inception>;
  const named: string[] = [];
  const only = process.env['FAULT'];

  beforeAll(async () => {
    await useBackend('tensorflow');
    reference = inception('image', { name: 'reference' });
    migrated = inception('image', { name: 'migrated' });
    for (const { layer } of [reference, migrated]) fill(layer.variables, { mode: 'byName' });
    variables = new Map(migrated.layer.variables.map((variable) => [variable.name, variable]));
  });

  for (const fault of FAULTS.filter(({ name }) => only === undefined || new RegExp(only).test(name))) {
    it(fault.name, async () => {
      const training = fault.training ?? false;
      const undo = fault.prepare?.() ?? (() => {});
      const report = await triage({
        legacy: reference.side(() => reference.call(training), training),
        migrated: migrated.side(() => fault.run(() => migrated.call(training)), training),
      });
      undo();
      const [first] = report.culprits;
      const name = (first?.op ?? first?.reference)?.name ?? 'none';
      const causes = first?.causes.map(({ kind }) => kind) ?? [];
      const exact = fault.culprit.test(name) && causes.includes(fault.cause as never);
      const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
      console.log(
        `${exact ? 'named ' : 'MISSED'} ${report.verdict} ${report.seconds.toFixed(1)} s ${memory} MiB | ${fault.name} | ${report.culprits.length} | ${report.summary}`,
      );
      if (exact) named.push(fault.name);
      expect(['suspicious', 'different']).toContain(report.verdict);
      expect(report.seconds).toBeLessThan(60);
      expect(memory).toBeLessThan(4096);
    });
  }

  afterAll(() => {
    console.log(`${named.length} of ${FAULTS.length} culprits named exactly`);
    if (only === undefined) expect(named.length / FAULTS.length).toBeGreaterThanOrEqual(0.95);
  });
});
