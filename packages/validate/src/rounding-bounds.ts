// Error bounds of single ops after N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., chapters 3, 4.
import * as tf from '@tensorflow/tfjs-core';
import { gradientBound } from './rounding-bounds-gradients.js';
import { copyOf } from './trace-capture.js';
import { type KernelCall, namedInputs, type RunCall, replaceInputs } from './trace-kernels.js';
import { gamma, UNIT_ROUNDOFF } from './unit-roundoff.js';

export { gamma, UNIT_ROUNDOFF };

/** How far two correct implementations of one op may be apart, element by element. */
export interface RoundingBound {
  /** One bound per element of an output, or one for all of them; by output. */
  readonly outputs: readonly (Float64Array | number)[];
  readonly words: string;
  /** Whether the bound is a rule of thumb, for a kernel whose arithmetic is not known here. */
  readonly isGuess?: boolean;
}

/** Kernels that only move or choose values: every implementation gives the same bits. */
const EXACT = new Set(
  (
    'Relu Relu6 Reshape Concat ConcatV2 Pad PadV2 MirrorPad Transpose Slice StridedSlice SplitV Pack Unpack Tile Reverse ' +
    'GatherV2 GatherNd Select SelectV2 MaxPool MaxPool3D Max Min Maximum Minimum ClipByValue Greater GreaterEqual Less ' +
    'LessEqual Equal NotEqual LogicalAnd LogicalOr LogicalNot ExpandDims Squeeze Abs Neg Sign Floor Ceil Round Cast Fill ' +
    'ZerosLike OnesLike ArgMax ArgMin OneHot Identity AssignVariable SpaceToBatchND BatchToSpaceND DepthToSpace'
  ).split(' '),
);

/** Kernels with one rounding (IEEE 754), whose results are the same bits wherever they are not fused with others. */
const ONE_ROUNDING = new Set('Add AddV2 Sub Multiply RealDiv Div Sqrt Square SquaredDifference'.split(' '));

/** Kernels of the C library, which is right to a few units in the last place. */
const FEW_ULPS = new Set('Rsqrt Reciprocal Exp Log Sigmoid LeakyRelu Prelu Pow DivNoNan'.split(' '));

/**
 * Kernels that are right to a few units in the last place of 1, or of their greatest argument, and not of a small result:
 * tfjs computes log(1 + x) and exp(x) - 1 as they are written, erf by a polynomial, and sines after reducing the argument.
 */
const FEW_ULPS_OF_ONE = new Set('Expm1 Log1p Tanh Sin Cos Tan Erf Elu Selu Softplus'.split(' '));

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

/** Number of products in each sum of a kernel that is linear in each of its inputs; undefined for another kernel. */
export function termsOf(call: KernelCall, outputs: readonly { shape: readonly number[] }[]): number | undefined {
  const inputs = namedInputs(call.inputs).map(([, tensor]) => tensor);
  const [first, second] = inputs;
  const attrs = call.attrs as Record<string, number & number[]>;
  switch (call.kernel) {
    case 'Conv2D':
    case 'Conv3D':
    case 'FusedConv2D':
      return product(second!.shape.slice(0, -1)) + 2;
    case 'DepthwiseConv2dNative':
    case 'FusedDepthwiseConv2D':
      return product(second!.shape.slice(0, 2)) + 2;
    case 'BatchMatMul':
    case '_FusedMatMul':
      return (attrs['transposeA'] ? first!.shape.at(-2) : first!.shape.at(-1))! + 2;
    case 'Conv2DBackpropInput':
      return product(second!.shape.slice(0, 2)) * second!.shape.at(-1)!;
    case 'Conv2DBackpropFilter':
    case 'DepthwiseConv2dNativeBackpropFilter':
      return product(second!.shape.slice(0, -1));
    case 'AvgPool':
      return (
        product(
          [(call.attrs['filterSize'] as number | number[]) ?? 1].flat().length === 1
            ? [attrs['filterSize']!, attrs['filterSize']!]
            : (call.attrs['filterSize'] as number[]),
        ) + 1
      );
    case 'Mean':
    case 'Sum':
      return Math.ceil(first!.size / Math.max(1, product(outputs[0]!.shape))) + 1;
    case 'AddN':
      return inputs.length;
    case 'BiasAdd':
    case 'L2Loss':
      return first!.size;
    default:
      return undefined;
  }
}

const isFloat = (tensor: tf.Tensor) => tensor.dtype === 'float32';

/** gamma_K of what the kernel gives for absolute values: holds for every order of the sums, with or without fma. */
function ofSums(call: KernelCall, run: RunCall, terms: number): RoundingBound {
  const made: tf.Tensor[] = [];
  const inputs = replaceInputs(call.inputs, (tensor) => {
    if (!isFloat(tensor)) return tensor;
    const positive = tf.abs(tensor);
    made.push(positive);
    return positive;
  });
  const attrs = { ...call.attrs };
  // An activation would cut what it bounds.
  if ('activation' in attrs) attrs['activation'] = 'linear';
  const sums = run({ inputs, attrs });
  const factor = 2 * gamma(terms);
  const outputs = sums.map((tensor) => Float64Array.from(copyOf(tensor).data as Float32Array, (x) => x * factor));
  tf.dispose([...made, ...sums]);
  return { outputs, words: `2 gamma_${terms} of the sum of absolute products` };
}

function ofSize(outputs: readonly tf.Tensor[], roundings: number, words: string): RoundingBound {
  const bounds = outputs.map((tensor) =>
    isFloat(tensor)
      ? Float64Array.from(copyOf(tensor).data as Float32Array, (y) => 2 * roundings * UNIT_ROUNDOFF * Math.abs(y))
      : 0,
  );
  return { outputs: bounds, words };
}

function ofOne(call: KernelCall, outputs: readonly tf.Tensor[]): RoundingBound {
  const x = namedInputs(call.inputs)[0]?.[1];
  let greatest = 1;
  if (x !== undefined && isFloat(x) && PERIODIC.has(call.kernel))
    for (const value of copyOf(x).data as Float32Array)
      if (Number.isFinite(value)) greatest = Math.max(greatest, Math.abs(value));
  const bounds = outputs.map((tensor) =>
    isFloat(tensor)
      ? Float64Array.from(
          copyOf(tensor).data as Float32Array,
          (y) => 16 * UNIT_ROUNDOFF * Math.max(greatest, Math.abs(y)),
        )
      : 0,
  );
  return { outputs: bounds, words: '8 roundings of 1 or more' };
}

const PERIODIC = new Set(['Sin', 'Cos', 'Tan']);

/** Batch norm: (x - mean) * factor + offset, also where it is computed as x * factor + (offset - mean * factor). */
function ofBatchNorm(call: KernelCall, outputs: readonly tf.Tensor[]): RoundingBound {
  const inputs = Object.fromEntries(
    namedInputs(call.inputs).map(([name, t]) => [name, copyOf(t).data as Float32Array]),
  );
  const training = call.attrs['isTraining'] === true;
  const epsilon = (call.attrs['epsilon'] ?? call.attrs['varianceEpsilon'] ?? 0.001) as number;
  const x = inputs['x']!;
  const channels = outputs[0]!.shape.at(-1)!;
  const rows = x.length / channels;
  const moments = training ? momentsOf(x, channels) : null;
  const mean = moments?.mean ?? inputs['mean']!;
  const variance = moments?.variance ?? inputs['variance']!;
  const u = UNIT_ROUNDOFF;
  const factor = new Float64Array(channels);
  const fixed = new Float64Array(channels);
  const slope = new Float64Array(channels);
  const meanErrors = new Float64Array(channels);
  const varianceErrors = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const meanError = moments === null ? 0 : gamma(rows + 1) * moments.absolute[c]!;
    const spread = Math.sqrt(variance[c]!);
    const varianceError =
      moments === null ? 0 : gamma(rows + 3) * variance[c]! + 2 * meanError * spread + meanError ** 2;
    meanErrors[c] = 2 * meanError + 4 * u * Math.abs(mean[c]!);
    const correction = rows > 1 ? rows / (rows - 1) : 1;
    varianceErrors[c] = 2 * correction * varianceError + 8 * u * Math.abs(variance[c]! * correction);
    // The variance that was computed may be smaller than the true one by its error.
    const least = Math.max(variance[c]! - varianceError, 0) + epsilon;
    factor[c] = Math.abs(inputs['scale']?.[c] ?? 1) / Math.sqrt(least);
    slope[c] = 2 * (8 * u + varianceError / least);
    fixed[c] = 2 * factor[c]! * (meanError + 4 * u * Math.abs(mean[c]!)) + 4 * u * Math.abs(inputs['offset']?.[c] ?? 0);
  }
  const y = new Float64Array(x.length);
  for (let i = 0; i < y.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      const scaled = factor[c]! * Math.abs(x[i]! - mean[c]!);
      y[i] = fixed[c]! + slope[c]! * scaled + 8 * u * factor[c]! * Math.abs(x[i]!);
    }
  }
  const words = training
    ? `the errors of mean and variance over ${rows} values, carried through`
    : '8 roundings of each summand';
  return { outputs: [y, meanErrors, varianceErrors], words };
}

function momentsOf(x: Float32Array, channels: number) {
  const rows = x.length / channels;
  const mean = new Float64Array(channels);
  const absolute = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      mean[c]! += x[i]! / rows;
      absolute[c]! += Math.abs(x[i]!) / rows;
    }
  }
  for (let i = 0; i < x.length; )
    for (let c = 0; c < channels; c++, i++) variance[c]! += (x[i]! - mean[c]!) ** 2 / rows;
  return { mean, absolute, variance };
}

/** Softmax: exp(x - max) is off by the rounding of x - max, the sum by gamma_n, the quotient by one rounding. */
function ofSoftmax(call: KernelCall, outputs: readonly tf.Tensor[]): RoundingBound {
  const x = copyOf(namedInputs(call.inputs)[0]![1]).data as Float32Array;
  const classes = outputs[0]!.shape.at(-1) ?? 1;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of x) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return ofSize(outputs, classes + 8 + (high - low), `gamma_${classes} and the rounding of x - max`);
}

/**
 * How far a kernel's result may be from any other right implementation's, from the op's own arithmetic.
 *
 * @param call     on the inputs that it was computed from
 * @param outputs  what was computed
 * @param run      computes the same kernel on other inputs
 */
export function roundingBound(call: KernelCall, outputs: readonly tf.Tensor[], run: RunCall): RoundingBound {
  const { kernel } = call;
  if (EXACT.has(kernel)) return { outputs: outputs.map(() => 0), words: 'moves values only: none' };
  if (kernel.startsWith('FusedBatchNorm') && !kernel.includes('Grad')) return ofBatchNorm(call, outputs);
  if (kernel === 'Softmax') return ofSoftmax(call, outputs);
  if (ONE_ROUNDING.has(kernel)) return ofSize(outputs, 1, 'one rounding');
  if (FEW_ULPS_OF_ONE.has(kernel)) return ofOne(call, outputs);
  if (FEW_ULPS.has(kernel)) return ofSize(outputs, 8, '8 roundings');
  const gradient = gradientBound(call, run);
  if (gradient !== undefined) return gradient;
  const terms = termsOf(call, outputs);
  if (terms !== undefined) return ofSums(call, run, terms);
  return { ...guess(outputs), isGuess: true };
}

function guess(outputs: readonly tf.Tensor[]): RoundingBound {
  const bounds = outputs.map((tensor) => {
    if (!isFloat(tensor)) return 0;
    let max = 0;
    for (const y of copyOf(tensor).data as Float32Array) max = Math.max(max, Number.isFinite(y) ? Math.abs(y) : 0);
    return 64 * UNIT_ROUNDOFF * max;
  });
  return { outputs: bounds, words: '64 roundings of the greatest value (a guess: the kernel is not known)' };
}
