// tfjs kernels of slim nets in double precision (TensorFlow.js 4.22 names and attributes; channels last).
import { stridesOf } from '@tfparity/array';
import { combine, gather, map, reduce, type ShadowArray } from './shadow-array.js';
import { conv2d, depthwiseConv2d, matMul, pool2d } from './shadow-convolution.js';

type Attrs = Readonly<Record<string, unknown>>;
type Inputs = Readonly<Record<string, ShadowArray>>;

/** Computes a kernel's outputs in double precision; `shape` is that of its first output. */
export type ShadowKernel = (inputs: Inputs, attrs: Attrs, shape: readonly number[]) => readonly ShadowArray[];

const unary =
  (f: (x: number) => number): ShadowKernel =>
  (inputs) => [map(Object.values(inputs)[0]!, f)];

const binary =
  (f: (x: number, y: number) => number): ShadowKernel =>
  ({ a, b }) => [combine(a!, b!, f)];

const axesOf = ({ axis, reductionIndices }: Attrs): number[] =>
  [(axis ?? reductionIndices ?? []) as number | number[]].flat();

const reduction =
  (start: number, f: (total: number, value: number) => number, mean = false): ShadowKernel =>
  ({ x }, attrs) => {
    const sum = reduce(x!, axesOf(attrs), attrs['keepDims'] === true, start, f);
    const count = x!.data.length / Math.max(1, sum.data.length);
    return [mean ? map(sum, (total) => total / count) : sum];
  };

function batchNorm(x: ShadowArray, inputs: Inputs, epsilon: number, training: boolean): ShadowArray[] {
  const channels = x.shape.at(-1)!;
  const rows = x.data.length / channels;
  let { mean, variance } = inputs;
  if (training) {
    const axes = x.shape.slice(0, -1).map((_, axis) => axis);
    const sums = reduce(x, axes, false, 0, (total, value) => total + value);
    mean = map(sums, (total) => total / rows);
    const distance = combine(x, mean, (value, centre) => (value - centre) ** 2);
    variance = map(
      reduce(distance, axes, false, 0, (total, value) => total + value),
      (total) => total / rows,
    );
  }
  const data = new Float64Array(x.data.length);
  for (let i = 0, c = 0; i < data.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    const factor = (inputs['scale']?.data[c] ?? 1) / Math.sqrt(variance!.data[c]! + epsilon);
    data[i] = (x.data[i]! - mean!.data[c]!) * factor + (inputs['offset']?.data[c] ?? 0);
  }
  const correction = training && rows > 1 ? rows / (rows - 1) : 1;
  return [{ shape: x.shape, data }, mean!, map(variance!, (value) => value * correction)];
}

function softmax(x: ShadowArray): ShadowArray {
  const classes = x.shape.at(-1) ?? 1;
  const data = new Float64Array(x.data.length);
  for (let row = 0; row < data.length; row += classes) {
    let max = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let i = 0; i < classes; i++) max = Math.max(max, x.data[row + i]!);
    for (let i = 0; i < classes; i++) {
      data[row + i] = Math.exp(x.data[row + i]! - max);
      sum += data[row + i]!;
    }
    for (let i = 0; i < classes; i++) data[row + i]! /= sum;
  }
  return { shape: x.shape, data };
}

function concat(parts: readonly ShadowArray[], axis: number, shape: readonly number[]): ShadowArray {
  const at = axis < 0 ? axis + shape.length : axis;
  const inner = shape.slice(at).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, at).reduce((a, b) => a * b, 1);
  const data = new Float64Array(outer * inner);
  let offset = 0;
  for (const part of parts) {
    const length = part.data.length / outer;
    for (let i = 0; i < outer; i++) data.set(part.data.subarray(i * length, (i + 1) * length), i * inner + offset);
    offset += length;
  }
  return { shape, data };
}

function pad(
  x: ShadowArray,
  paddings: readonly (readonly [number, number])[],
  value: number,
  shape: readonly number[],
): ShadowArray {
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(value);
  const strides = stridesOf(shape);
  const origin = paddings.reduce((sum, [before], axis) => sum + before * strides[axis]!, 0);
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < x.data.length; i++) {
    data[index.reduce((sum, at, axis) => sum + at * strides[axis]!, origin)] = x.data[i]!;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === x.shape[axis]; axis--) index[axis] = 0;
  }
  return { shape, data };
}

const handOn: ShadowKernel = (inputs, _, shape) => [{ shape, data: Object.values(inputs)[0]!.data }];

const first = (inputs: Inputs) => Object.values(inputs)[0]!;

const KERNELS: Readonly<Record<string, ShadowKernel>> = {
  Conv2D: ({ x, filter }, attrs) => [conv2d(x!, filter!, attrs)],
  DepthwiseConv2dNative: ({ x, filter }, attrs) => [depthwiseConv2d(x!, filter!, attrs)],
  BatchMatMul: ({ a, b }, attrs) => [matMul(a!, b!, attrs)],
  MaxPool: ({ x }, attrs) => [pool2d(x!, attrs, 'max')],
  AvgPool: ({ x }, attrs) => [pool2d(x!, attrs, 'avg')],
  FusedBatchNorm: (inputs, attrs) =>
    batchNorm(inputs['x']!, inputs, (attrs['varianceEpsilon'] ?? 0.001) as number, false).slice(0, 1),
  FusedBatchNormV3: (inputs, attrs) =>
    batchNorm(inputs['x']!, inputs, attrs['epsilon'] as number, attrs['isTraining'] === true),
  Softmax: ({ logits }) => [softmax(logits!)],
  Add: binary((x, y) => x + y),
  Sub: binary((x, y) => x - y),
  Multiply: binary((x, y) => x * y),
  RealDiv: binary((x, y) => x / y),
  Maximum: binary(Math.max),
  Minimum: binary(Math.min),
  Pow: binary((x, y) => x ** y),
  SquaredDifference: binary((x, y) => (x - y) ** 2),
  Greater: binary((x, y) => Number(x > y)),
  GreaterEqual: binary((x, y) => Number(x >= y)),
  Less: binary((x, y) => Number(x < y)),
  LessEqual: binary((x, y) => Number(x <= y)),
  Equal: binary((x, y) => Number(x === y)),
  AddN: (inputs) => [Object.values(inputs).reduce((a, b) => combine(a, b, (x, y) => x + y))],
  Relu: unary((x) => Math.max(x, 0)),
  Relu6: unary((x) => Math.min(Math.max(x, 0), 6)),
  LeakyRelu: ({ x }, { alpha }) => [map(x!, (v) => (v < 0 ? v * ((alpha as number) ?? 0.2) : v))],
  Elu: unary((x) => (x < 0 ? Math.expm1(x) : x)),
  Sqrt: unary(Math.sqrt),
  Rsqrt: unary((x) => 1 / Math.sqrt(x)),
  Square: unary((x) => x * x),
  Abs: unary(Math.abs),
  Neg: unary((x) => -x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Tanh: unary(Math.tanh),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Reciprocal: unary((x) => 1 / x),
  ClipByValue: ({ x }, { clipValueMin, clipValueMax }) => [
    map(x!, (v) => Math.min(Math.max(v, clipValueMin as number), clipValueMax as number)),
  ],
  Mean: reduction(0, (a, b) => a + b, true),
  Sum: reduction(0, (a, b) => a + b),
  Max: reduction(Number.NEGATIVE_INFINITY, Math.max),
  Min: reduction(Number.POSITIVE_INFINITY, Math.min),
  Reshape: handOn,
  ExpandDims: handOn,
  Identity: handOn,
  Concat: (inputs, { axis }, shape) => [concat(Object.values(inputs), axis as number, shape)],
  PadV2: ({ x }, { paddings, constantValue }, shape) => [
    pad(x!, paddings as [number, number][], (constantValue as number) ?? 0, shape),
  ],
  Transpose: ({ x }, { perm }, shape) => {
    const strides = stridesOf(x!.shape);
    return [
      gather(
        x!,
        shape,
        (perm as number[]).map((axis) => strides[axis]!),
      ),
    ];
  },
  Slice: ({ x }, { begin }, shape) => {
    const strides = stridesOf(x!.shape);
    return [
      gather(
        x!,
        shape,
        strides,
        [begin as number | number[]].flat().reduce((sum, at, axis) => sum + at * strides[axis]!, 0),
      ),
    ];
  },
  Reverse: ({ x }, { dims }, shape) => {
    const strides = stridesOf(x!.shape);
    const reversed = [dims as number | number[]].flat().map((axis) => (axis < 0 ? axis + shape.length : axis));
    const origin = reversed.reduce((sum, axis) => sum + (shape[axis]! - 1) * strides[axis]!, 0);
    return [
      gather(
        x!,
        shape,
        strides.map((stride, axis) => (reversed.includes(axis) ? -stride : stride)),
        origin,
      ),
    ];
  },
  Select: ({ condition, t, e }) => {
    const data = new Float64Array(t!.data.length);
    for (let i = 0; i < data.length; i++) data[i] = condition!.data[i] ? t!.data[i]! : e!.data[i]!;
    return [{ shape: t!.shape, data }];
  },
  Cast: (inputs, { dtype }, shape) => [
    dtype === 'int32' ? map(first(inputs), Math.trunc) : { shape, data: first(inputs).data },
  ],
};

/** The double-precision version of a tfjs kernel, channels last; undefined where there is none. */
export function shadowKernel(name: string, attrs: Attrs): ShadowKernel | undefined {
  if (attrs['dataFormat'] !== undefined && attrs['dataFormat'] !== 'NHWC') return undefined;
  return Object.hasOwn(KERNELS, name) ? KERNELS[name] : undefined;
}

/** The kernels that have a double-precision version. */
export const SHADOW_KERNELS: readonly string[] = Object.keys(KERNELS);
