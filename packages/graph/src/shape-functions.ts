// Shapes of the kernels that nets are made of, by the rules of tfjs's own ops; every other kernel is run on zeros.
import * as tf from '@tensorflow/tfjs-core';
import type { OutputInfo } from './operation.js';

type Named = Readonly<Record<string, OutputInfo>>;
type Rule = (inputs: Named, attrs: Record<string, unknown>, all: readonly OutputInfo[]) => OutputInfo[] | undefined;

type Pad = Parameters<typeof tf.backend_util.computeConv2DInfo>[4];
type Pair = [number, number];
type Shape4D = [number, number, number, number];

const float = (shape: readonly number[]): OutputInfo[] => [{ dtype: 'float32', shape }];

/** Elementwise on one float32 input. */
const unary: Rule = (_inputs, _attrs, all) =>
  all.length === 1 && all[0]!.dtype === 'float32' ? float(all[0]!.shape) : undefined;

function binary(dtype: 'float32' | 'bool'): Rule {
  return ({ a, b }) => {
    if (a?.dtype !== 'float32' || b?.dtype !== 'float32') return undefined;
    return [{ dtype, shape: tf.backend_util.assertAndGetBroadcastShape([...a.shape], [...b.shape]) }];
  };
}

function reduction(axisName: 'axis' | 'reductionIndices'): Rule {
  return ({ x: input }, attrs) => {
    if (input?.dtype !== 'float32') return undefined;
    const axes = tf.util.parseAxisParam(attrs[axisName] as number | number[], [...input.shape]);
    const [out] = tf.backend_util.computeOutAndReduceShapes([...input.shape], axes);
    return float(attrs['keepDims'] === true ? tf.backend_util.expandShapeToKeepDim(out, axes) : out);
  };
}

function convolution(depthwise: boolean): Rule {
  return ({ x, filter }, attrs) => {
    if (x?.dtype !== 'float32' || filter === undefined || x.shape.length !== 4) return undefined;
    const format = attrs['dataFormat'] as 'NHWC' | 'NCHW' | undefined;
    const info = tf.backend_util.computeConv2DInfo(
      [...x.shape] as Shape4D,
      [...filter.shape] as Shape4D,
      attrs['strides'] as Pair,
      (attrs['dilations'] as Pair | undefined) ?? 1,
      attrs['pad'] as Pad,
      attrs['dimRoundingMode'] as 'floor' | undefined,
      depthwise,
      tf.backend_util.convertConv2DDataFormat(format ?? 'NHWC'),
    );
    return float(info.outShape);
  };
}

const pooling: Rule = ({ x }, attrs) => {
  if (x?.dtype !== 'float32' || x.shape.length !== 4) return undefined;
  const info = tf.backend_util.computePool2DInfo(
    [...x.shape] as Shape4D,
    attrs['filterSize'] as Pair,
    attrs['strides'] as Pair,
    1,
    attrs['pad'] as Pad,
    attrs['dimRoundingMode'] as 'floor' | undefined,
  );
  return float(info.outShape);
};

const concat: Rule = (_, attrs, all) => {
  const axis = attrs['axis'] as number;
  if (axis < 0 || all.some((input) => input.dtype !== all[0]!.dtype)) return undefined;
  const shape = tf.backend_util.computeOutShape(
    all.map((input) => [...input.shape]),
    axis,
  );
  return [{ dtype: all[0]!.dtype, shape }];
};

const batchMatMul: Rule = ({ a, b }, attrs) => {
  if (a?.dtype !== 'float32' || b?.dtype !== 'float32' || a.shape.length < 2 || b.shape.length < 2) return undefined;
  const rows = a.shape.at(attrs['transposeA'] === true ? -1 : -2)!;
  const columns = b.shape.at(attrs['transposeB'] === true ? -2 : -1)!;
  const inner = [
    a.shape.at(attrs['transposeA'] === true ? -2 : -1),
    b.shape.at(attrs['transposeB'] === true ? -1 : -2),
  ];
  // The kernel says what is wrong.
  if (inner[0] !== inner[1]) return undefined;
  const batch = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return float([...batch, rows, columns]);
};

const drawn: Rule = (_, attrs) => [{ dtype: attrs['dtype'] as tf.DataType, shape: attrs['shape'] as number[] }];

const reshape: Rule = ({ x }, attrs) => {
  const shape = attrs['shape'] as number[];
  if (x === undefined || shape.some((axis) => axis < 0)) return undefined;
  return tf.util.sizeFromShape([...x.shape]) === tf.util.sizeFromShape(shape) ? [{ dtype: x.dtype, shape }] : undefined;
};

/** Also where a trial of an unknown size is smaller than what is cut out: then only the sizes of the cut count. */
const slice: Rule = ({ x }, attrs) => {
  const [begin, size] = [attrs['begin'] as number[], attrs['size'] as number[]];
  if (x === undefined || begin.length !== x.shape.length || size.length !== begin.length) return undefined;
  const shape = size.map((length, axis) => (length === -1 ? x.shape[axis]! - begin[axis]! : length));
  const inside = shape.every((length, axis) => begin[axis]! + length <= x.shape[axis]!);
  if (shape.some((length) => length < 0) || !(inside || x.tried !== undefined)) return undefined;
  return [{ dtype: x.dtype, shape }];
};

const stridedSlice: Rule = ({ x }, attrs) => {
  if (x === undefined) return undefined;
  const [begin, end, strides] = ['begin', 'end', 'strides'].map((name) => [...(attrs[name] as number[])]);
  const masks = ['beginMask', 'endMask', 'ellipsisMask', 'newAxisMask', 'shrinkAxisMask'].map(
    (name) => (attrs[name] as number | undefined) ?? 0,
  ) as [number, number, number, number, number];
  const { finalShape } = tf.slice_util.sliceInfo([...x.shape], begin!, end!, strides!, ...masks);
  return [{ dtype: x.dtype, shape: finalShape }];
};

/** Also with a padding that is negative at a trial, as the gradient of a cut has it. */
const pad: Rule = ({ x }, attrs) => {
  const paddings = attrs['paddings'] as [number, number][];
  const negative = paddings.some((pair) => Math.min(...pair) < 0);
  if (x === undefined || !(negative || x.tried !== undefined)) return undefined;
  return [{ dtype: x.dtype, shape: x.shape.map((size, axis) => paddings[axis]![0] + size + paddings[axis]![1]) }];
};

/** Without a look at the indices, which may be beyond a trial of an unknown size. */
const gather: Rule = ({ x, indices }, attrs) => {
  const batch = (attrs['batchDims'] as number | undefined) ?? 0;
  if (x?.tried === undefined || indices === undefined || batch !== 0) return undefined;
  const axis = tf.util.parseAxisParam(attrs['axis'] as number, [...x.shape])[0]!;
  return [{ dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] }];
};

const filled: Rule = (_, attrs) => {
  const { shape, dtype, value } = attrs as { shape: number[]; dtype?: tf.DataType; value: number | string };
  return [{ dtype: dtype ?? tf.util.inferDtype(value), shape }];
};

const sameAsX: Rule = ({ x }) => (x?.dtype === 'float32' ? float(x.shape) : undefined);

const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    ['Relu', 'Relu6', 'Elu', 'Sigmoid', 'Tanh', 'Exp', 'Log', 'Sqrt', 'Rsqrt', 'Square', 'Neg', 'Abs', 'Floor'].map(
      (name) => [name, unary],
    ),
  ),
  ...Object.fromEntries(
    ['Add', 'Sub', 'Multiply', 'RealDiv', 'Maximum', 'Minimum', 'SquaredDifference'].map((name) => [
      name,
      binary('float32'),
    ]),
  ),
  ...Object.fromEntries(['Greater', 'GreaterEqual', 'Less', 'LessEqual'].map((name) => [name, binary('bool')])),
  ...Object.fromEntries(['Sum', 'Mean', 'Min'].map((name) => [name, reduction('axis')])),
  Max: reduction('reductionIndices'),
  Conv2D: convolution(false),
  DepthwiseConv2dNative: convolution(true),
  MaxPool: pooling,
  AvgPool: pooling,
  Concat: concat,
  BatchMatMul: batchMatMul,
  Reshape: reshape,
  Slice: slice,
  StridedSlice: stridedSlice,
  GatherV2: gather,
  PadV2: pad,
  Fill: filled,
  FusedBatchNorm: sameAsX,
  ...Object.fromEntries(
    [
      'RandomUniform',
      'RandomUniformInt',
      'RandomStandardNormal',
      'TruncatedNormal',
      'StatelessRandomUniform',
      'StatelessRandomUniformInt',
      'StatelessRandomNormal',
      'StatelessTruncatedNormal',
    ].map((name) => [name, drawn]),
  ),
};

/** The outputs of a kernel that has a rule here; undefined where the kernel has to be run to know. */
export function knownOutputs(
  kernelName: string,
  names: readonly string[],
  infos: readonly OutputInfo[],
  attrs: tf.NamedAttrMap,
): OutputInfo[] | undefined {
  const rule = rules[kernelName];
  if (rule === undefined) return undefined;
  return rule(Object.fromEntries(names.map((name, i) => [name, infos[i]!])), attrs as Record<string, unknown>, infos);
}

/** The kernels that have a rule. */
export const kernelsWithRules: readonly string[] = Object.keys(rules);
