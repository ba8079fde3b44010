import * as tf from '@tensorflow/tfjs-core';
import { l2Loss } from '@tfparity/layers';
import type { GoldenArray } from './golden-optimizer.js';

/** One op of golden/gradients.json. */
export interface GradientCase {
  readonly name: string;
  readonly op: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: readonly GoldenArray[];
  readonly dys: readonly GoldenArray[];
  /** What TensorFlow gives; null where it gives None. */
  readonly gradients: readonly (GoldenArray | null)[];
}

type Op = (inputs: tf.Tensor[], attrs: Readonly<Record<string, never>>) => tf.Tensor | tf.Tensor[];

const UNARY = [
  ...['abs', 'acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'ceil', 'cos', 'cosh', 'elu', 'erf', 'exp', 'expm1'],
  ...['floor', 'log', 'log1p', 'neg', 'onesLike', 'reciprocal', 'relu', 'relu6', 'round', 'rsqrt', 'selu', 'sigmoid'],
  ...['sign', 'sin', 'sinh', 'softplus', 'sqrt', 'square', 'tan', 'tanh', 'zerosLike', 'softmax', 'logSoftmax'],
] as const;
const BINARY = [
  ...['add', 'sub', 'mul', 'div', 'floorDiv', 'mod', 'maximum', 'minimum', 'squaredDifference', 'pow', 'atan2'],
] as const;
const REDUCTIONS = ['max', 'min', 'sum', 'mean', 'prod'] as const;

type Unary = (x: tf.Tensor) => tf.Tensor;
type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
type Reduction = (x: tf.Tensor, axis: number | number[] | undefined, keepDims: boolean) => tf.Tensor;
const functionOf = <F>(name: string): F => (tf as unknown as Record<string, F>)[name]!;
const ids = (values: never) => tf.tensor(values, undefined, 'int32');

/** The ops as TensorFlow.js has them. */
export const OPS: Readonly<Record<string, Op>> = {
  ...Object.fromEntries(UNARY.map((name): [string, Op] => [name, ([x]) => functionOf<Unary>(name)(x!)])),
  ...Object.fromEntries(BINARY.map((name): [string, Op] => [name, ([a, b]) => functionOf<Binary>(name)(a!, b!)])),
  ...Object.fromEntries(
    REDUCTIONS.map((name): [string, Op] => [
      name,
      ([x], { axis, keepDims }) => functionOf<Reduction>(name)(x!, axis ?? undefined, keepDims!),
    ]),
  ),
  leakyRelu: ([x], { alpha }) => tf.leakyRelu(x!, alpha),
  prelu: ([x, alpha]) => tf.prelu(x!, alpha!),
  clipByValue: ([x], { min, max }) => tf.clipByValue(x!, min!, max!),
  cumsum: ([x], { axis, exclusive, reverse }) => tf.cumsum(x!, axis, exclusive, reverse),
  cumprod: ([x], { axis, exclusive, reverse }) => tf.cumprod(x!, axis, exclusive, reverse),
  topk: ([x], { k }) => tf.topk(x!, k).values,
  mirrorPad: ([x], { paddings, mode }) => tf.mirrorPad(x!, paddings!, mode!),
  pad: ([x], { paddings }) => tf.pad(x!, paddings!),
  where: ([a, b], { condition }) => tf.where(tf.tensor(condition!, undefined, 'bool'), a!, b!),
  tile: ([x], { reps }) => tf.tile(x!, reps!),
  broadcastTo: ([x], { shape }) => tf.broadcastTo(x!, shape!),
  gather: ([x], { indices, axis }) => tf.gather(x!, ids(indices!) as tf.Tensor1D, axis),
  gatherND: ([x], { indices }) => tf.gatherND(x!, ids(indices!)),
  scatterND: ([updates], { indices, shape }) => tf.scatterND(ids(indices!), updates!, shape!),
  concat: (inputs, { axis }) => tf.concat(inputs, axis),
  stack: (inputs, { axis }) => tf.stack(inputs, axis),
  unstack: ([x], { axis }) => tf.unstack(x!, axis),
  split: ([x], { parts, axis }) => tf.split(x!, parts!, axis),
  slice: ([x], { begin, size }) => tf.slice(x!, begin!, size),
  stridedSlice: ([x], { begin, end, strides }) => tf.stridedSlice(x!, begin!, end!, strides),
  reverse: ([x], { axis }) => tf.reverse(x!, axis),
  transpose: ([x], { perm }) => tf.transpose(x!, perm),
  matMul: ([a, b], { transposeA, transposeB }) => tf.matMul(a!, b!, transposeA, transposeB),
  depthToSpace: ([x], { blockSize }) => tf.depthToSpace(x as tf.Tensor4D, blockSize!),
  spaceToBatchND: ([x], { blockShape, paddings }) => tf.spaceToBatchND(x!, blockShape!, paddings!),
  batchToSpaceND: ([x], { blockShape, crops }) => tf.batchToSpaceND(x!, blockShape!, crops!),
  maxPool: ([x], { size, strides, pad }) => tf.maxPool(x as tf.Tensor4D, size!, strides!, pad!),
  maxPool3d: ([x], { size, strides, pad }) => tf.maxPool3d(x as tf.Tensor5D, size!, strides!, pad!),
  avgPool3d: ([x], { size, strides, pad }) => tf.avgPool3d(x as tf.Tensor5D, size!, strides!, pad!),
  avgPool: ([x], { size, strides, pad }) => tf.avgPool(x as tf.Tensor4D, size!, strides!, pad!),
  conv2d: ([x, w], { strides, pad }) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides!, pad!),
  depthwiseConv2d: ([x, w], { strides, pad }) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides!, pad!),
  resizeBilinear: ([x], { size, alignCorners, halfPixelCenters }) =>
    tf.image.resizeBilinear(x as tf.Tensor4D, size!, alignCorners, halfPixelCenters),
  resizeNearestNeighbor: ([x], { size, alignCorners, halfPixelCenters }) =>
    tf.image.resizeNearestNeighbor(x as tf.Tensor4D, size!, alignCorners, halfPixelCenters),
  localResponseNormalization: ([x], { depthRadius, bias, alpha, beta }) =>
    tf.localResponseNormalization(x as tf.Tensor4D, depthRadius, bias, alpha, beta),
  unsortedSegmentSum: ([x], { segmentIds, segments }) =>
    tf.unsortedSegmentSum(x!, ids(segmentIds!) as tf.Tensor1D, segments!),
  addN: (inputs) => tf.addN(inputs),
  l2Loss: ([x]) => l2Loss(x!),
};

/** What elements are measured against: themselves at edges, whose sizes differ by far, else the largest of their array. */
function scaleOf({ name, op }: GradientCase, expected: Float32Array): number {
  // selu's own formula takes the difference of values that are nearly equal.
  if (name.endsWith('at edges') && op !== 'selu') return 0;
  return expected.reduce((max, value) => (Number.isFinite(value) ? Math.max(max, Math.abs(value)) : max), 0);
}

/** The largest difference, relative to an element or to its array; infinite where infinities or NaN differ. */
export function differenceOf(c: GradientCase, found: ArrayLike<number>, expected: Float32Array): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  const scale = scaleOf(c, expected);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [found[i]!, expected[i]!];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, Math.abs(a - b) / Math.max(Math.abs(b), scale));
  }
  return worst;
}
