import * as tf from '@tensorflow/tfjs-core';
import { registerRandomKernels } from '@tfparity/random';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { kernelsWithRules, knownOutputs } from '../src/shape-functions.js';

type Call = [kernel: string, inputs: Record<string, number[]> | number[][], attrs?: Record<string, unknown>];

const image = [2, 9, 11, 3];
const conv = { dataFormat: 'NHWC', dilations: [1, 1], dimRoundingMode: undefined };
const pool = { filterSize: [3, 2], dimRoundingMode: undefined };

const noMasks = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };

/** Calls as tfjs's ops make them: for each kernel with a rule, the kinds of attributes that change its rule's result. */
const calls: Call[] = [
  ...['Relu', 'Relu6', 'Elu', 'Sigmoid', 'Tanh', 'Exp', 'Log', 'Sqrt', 'Rsqrt', 'Square', 'Neg', 'Abs', 'Floor'].map(
    (kernel): Call => [kernel, { x: [2, 0, 3] }],
  ),
  ...['Add', 'Sub', 'Multiply', 'RealDiv', 'Maximum', 'Minimum', 'SquaredDifference'].flatMap((kernel): Call[] => [
    [kernel, { a: [2, 1, 4], b: [3, 1] }],
    [kernel, { a: [], b: [5] }],
  ]),
  ...['Greater', 'GreaterEqual', 'Less', 'LessEqual'].map((kernel): Call => [kernel, { a: [4, 1], b: [3] }]),
  ...['Sum', 'Mean', 'Max', 'Min'].flatMap((kernel): Call[] => {
    const axes = kernel === 'Max' ? 'reductionIndices' : 'axis';
    return [[2], [1, 2], [0, 1, 2], 2].flatMap((axis): Call[] => [
      [kernel, { x: [2, 3, 4] }, { [axes]: axis, keepDims: false }],
      [kernel, { x: [2, 3, 4] }, { [axes]: axis, keepDims: true }],
    ]);
  }),
  ['Conv2D', { x: image, filter: [3, 3, 3, 5] }, { ...conv, strides: [2, 2], pad: 'same' }],
  ['Conv2D', { x: image, filter: [3, 3, 3, 5] }, { ...conv, strides: [1, 2], pad: 'valid' }],
  ['Conv2D', { x: image, filter: [1, 3, 3, 5] }, { ...conv, strides: [1, 1], pad: 'valid', dilations: [2, 2] }],
  ['DepthwiseConv2dNative', { x: image, filter: [3, 3, 3, 2] }, { ...conv, strides: [2, 2], pad: 'same' }],
  ['MaxPool', { x: image }, { ...pool, strides: [2, 2], pad: 'same' }],
  ['AvgPool', { x: image }, { ...pool, strides: [2, 3], pad: 'valid' }],
  [
    'Concat',
    [
      [2, 3, 1],
      [2, 3, 4],
    ],
    { axis: 2 },
  ],
  ['BatchMatMul', { a: [2, 3, 4], b: [1, 4, 5] }, { transposeA: false, transposeB: false }],
  ['BatchMatMul', { a: [4, 3], b: [5, 4] }, { transposeA: true, transposeB: true }],
  ['Reshape', { x: [2, 6] }, { shape: [3, 4] }],
  ['FusedBatchNorm', { x: image, scale: [3], offset: [3], mean: [3], variance: [3] }, { varianceEpsilon: 0.001 }],
  ...['RandomUniform', 'RandomStandardNormal', 'TruncatedNormal'].map(
    (kernel): Call => [kernel, {}, { shape: [2, 3], dtype: 'float32', seed: 1, seed2: 2, stream: 'test/' }],
  ),
  ['RandomUniformInt', {}, { shape: [4], dtype: 'int32', seed: 1, seed2: 2, stream: 'test/', minval: 0, maxval: 9 }],
  ...['StatelessRandomUniform', 'StatelessRandomNormal', 'StatelessTruncatedNormal'].map(
    (kernel): Call => [kernel, {}, { shape: [], dtype: 'float32', seed: [1, 2] }],
  ),
  ['Slice', { x: [5, 4] }, { begin: [1, 0], size: [3, -1] }],
  ['StridedSlice', { x: [5, 4] }, { begin: [1, 3], end: [9, 0], strides: [2, -1], ...noMasks, endMask: 2 }],
  ['StridedSlice', { x: [5, 4] }, { begin: [1, 3], end: [4, 4], strides: [1, 1], ...noMasks, shrinkAxisMask: 2 }],
  ...[0, 1].map((axis): Call => ['GatherV2', { x: [3, 4], indices: [2, 2] }, { axis, batchDims: 0 }]),
  [
    'PadV2',
    { x: [3, 4] },
    {
      paddings: [
        [0, 1],
        [2, 0],
      ],
      constantValue: 0,
    },
  ],
  ['Fill', {}, { shape: [2, 3], value: 1, dtype: 'int32' }],
  ['Fill', {}, { shape: [], value: 1.5 }],
  ['StatelessRandomUniformInt', {}, { shape: [4], dtype: 'int32', seed: [1, 2], minval: 0, maxval: 9 }],
];

it('tests every rule', () => {
  expect(new Set(calls.map(([kernel]) => kernel))).toEqual(new Set(kernelsWithRules));
});

describe.each(backends)('rules for shapes against the kernels of %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerRandomKernels();
  });

  it.each(calls.map((call) => [call[0], JSON.stringify(call.slice(1)), call] as const))(
    '%s %s',
    (kernel, _, [, inputs, attrs]) => {
      const names = Object.keys(inputs);
      const shapes = Object.values(inputs) as number[][];
      const dtypes = names.map((name): 'int32' | 'float32' => (name === 'indices' ? 'int32' : 'float32'));
      // These rules are for unknown sizes only.
      const tried = ['GatherV2', 'PadV2'].includes(kernel) ? { tried: [shapes[0]!, shapes[0]!] as const } : {};
      const infos = shapes.map((shape, i) => ({ dtype: dtypes[i]!, shape, ...(i === 0 ? tried : {}) }));
      const known = knownOutputs(kernel, names, infos, (attrs ?? {}) as tf.NamedAttrMap);
      const real = tf.tidy(() => {
        const tensors = shapes.map((shape, i) => tf.zeros(shape, dtypes[i]!));
        const given = Array.isArray(inputs) ? tensors : Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));
        return tf.engine().runKernel(kernel, given as tf.NamedTensorMap, (attrs ?? {}) as tf.NamedAttrMap) as tf.Tensor;
      });
      expect(known).toEqual([{ dtype: real.dtype, shape: real.shape }]);
    },
  );
});
