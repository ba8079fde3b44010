// Ports tf.compat.v1.nn.fused_batch_norm and the gradient of FusedBatchNormV3 (python/ops/nn_impl.py, nn_grad.py,
// TF 2.21). Channels first is done by transposing, 5-D input by reshaping: the op sees 4-D, channels last.
import * as tf from '@tensorflow/tfjs-core';
import { channelMoments, normalize, normalizeGradients } from './batch-norm-math.js';
import { ensureKernel, type KernelBody, makeOutput, passThrough, readValues } from './kernel-registration.js';
import { valueError } from './layers-error.js';
import { runNativeOp } from './native-op.js';
import { checkFloatOperand } from './operand.js';

const KERNEL = 'FusedBatchNormV3';
const GRADIENT_KERNEL = 'FusedBatchNormGradV3';

type Attributes = { epsilon: number; exponentialAvgFactor: number; isTraining: boolean } & tf.NamedAttrMap;

/** Where the channels of a batch of images (or volumes) are. */
export type BatchNormDataFormat = 'NHWC' | 'NCHW' | 'NDHWC' | 'NCDHW';

/** What `fusedBatchNorm` takes beside its input. */
export interface FusedBatchNormOptions {
  /** Factor per channel (gamma), of shape [channels]. */
  scale: tf.Tensor;
  /** Summand per channel (beta), of shape [channels]. */
  offset: tf.Tensor;
  /** Mean per channel: needed unless `isTraining` with `exponentialAvgFactor` 1. */
  mean?: tf.Tensor;
  /** Variance per channel: needed as `mean` is. */
  variance?: tf.Tensor;
  /** Default 0.001. */
  epsilon?: number;
  /** Default 'NHWC'. */
  dataFormat?: BatchNormDataFormat;
  /** Whether mean and variance are the input's own. Default true. */
  isTraining?: boolean;
  /** Weight of the batch in the returned mean and variance; the rest is the given ones'. Default 1. */
  exponentialAvgFactor?: number;
}

/** What `fusedBatchNorm` gives. */
export interface FusedBatchNormResult {
  readonly y: tf.Tensor;
  /** The batch's mean (mixed with the given one by `exponentialAvgFactor`); the given one in inference. */
  readonly mean: tf.Tensor;
  /** As `mean`; in training the batch's variance has Bessel's correction, n / (n - 1). */
  readonly variance: tf.Tensor;
}

const attributesOf = (attrs: tf.NamedAttrMap) => ({
  T: { type: 'float32' as const },
  U: { type: 'float32' as const },
  epsilon: { float: (attrs as Attributes).epsilon },
  data_format: { string: 'NHWC' },
  is_training: { bool: (attrs as Attributes).isTraining },
});

const native: KernelBody = ({ x, scale, offset, mean, variance }, attrs, backend) => {
  const attributes = {
    ...attributesOf(attrs),
    exponential_avg_factor: { float: (attrs as Attributes).exponentialAvgFactor },
  };
  return runNativeOp(backend, KERNEL, attributes, [x!, scale!, offset!, mean!, variance!], 6);
};

const portable: KernelBody = (inputs, attrs, backend, backendName) => {
  const { epsilon, exponentialAvgFactor, isTraining } = attrs as Attributes;
  const { x, scale, offset, mean, variance } = inputs as Record<string, tf.TensorInfo>;
  const scalar = () => makeOutput(backend, [], new Float32Array(1));
  if (!isTraining) {
    // tfjs's own kernel does inference where the data is: on the GPU, or in wasm's heap.
    const own = tf.getKernel('FusedBatchNorm', backendName);
    const y = own.kernelFunc({
      inputs,
      attrs: { varianceEpsilon: epsilon },
      backend: backend as object,
    }) as tf.TensorInfo;
    const same = (info: tf.TensorInfo) => passThrough(backend, info);
    return [y, same(mean!), same(variance!), same(mean!), same(variance!), scalar()];
  }
  const values = readValues(backend, x!);
  const gamma = readValues(backend, scale!);
  const channels = gamma.length;
  const moments = channelMoments(values, channels);
  const y = normalize(values, moments.mean, moments.variance, gamma, readValues(backend, offset!), epsilon);
  const rows = values.length / channels;
  const correction = rows > 1 ? rows / (rows - 1) : 1;
  const newMean = Float32Array.from(moments.mean);
  const newVariance = Float32Array.from(moments.variance, (v) => v * correction);
  if (exponentialAvgFactor !== 1) {
    mix(newMean, readValues(backend, mean!), exponentialAvgFactor);
    mix(newVariance, readValues(backend, variance!), exponentialAvgFactor);
  }
  const channelOutput = (data: Float32Array) => makeOutput(backend, [channels], data);
  return [
    makeOutput(backend, x!.shape, y),
    channelOutput(newMean),
    channelOutput(newVariance),
    channelOutput(Float32Array.from(moments.mean)),
    channelOutput(Float32Array.from(moments.variance)),
    scalar(),
  ];
};

/** Replaces each value by `factor` of itself and the rest of the old one. */
function mix(values: Float32Array, old: Float32Array, factor: number): void {
  for (let c = 0; c < values.length; c++) values[c] = (1 - factor) * old[c]! + factor * values[c]!;
}

const nativeGradient: KernelBody = ({ dy, x, scale, mean, variance, reserve }, attrs, backend) =>
  runNativeOp(backend, GRADIENT_KERNEL, attributesOf(attrs), [dy!, x!, scale!, mean!, variance!, reserve!], 5).slice(
    0,
    3,
  );

const portableGradient: KernelBody = ({ dy, x, scale, mean, variance }, attrs, backend) => {
  const { epsilon, isTraining } = attrs as Attributes;
  const moments = { mean: readValues(backend, mean!), variance: readValues(backend, variance!) };
  const read = (info: tf.TensorInfo | undefined) => readValues(backend, info!);
  const gradients = normalizeGradients(read(dy), read(x), read(scale), moments, epsilon, isTraining);
  return [
    makeOutput(backend, x!.shape, gradients.x),
    makeOutput(backend, scale!.shape, gradients.scale),
    makeOutput(backend, scale!.shape, gradients.offset),
  ];
};

const gradient: tf.GradConfig = {
  kernelName: KERNEL,
  inputsToSave: ['x', 'scale', 'mean', 'variance'],
  outputsToSave: [false, false, false, true, true, true],
  gradFunc: (dys, saved, attrs) => {
    const [x, scale, popMean, popVariance, mean, variance, reserve] = saved as tf.Tensor[];
    const training = (attrs as Attributes).isTraining;
    const inputs = {
      dy: (dys as tf.Tensor[])[0]!,
      x: x!,
      scale: scale!,
      mean: training ? mean! : popMean!,
      variance: training ? variance! : popVariance!,
      reserve: reserve!,
    };
    ensureKernel(GRADIENT_KERNEL, nativeGradient, portableGradient);
    const { epsilon, isTraining } = attrs as Attributes;
    // All three come from one op; it runs here, because tfjs tidies up after each of the closures below.
    const [dx, dScale, dOffset] = tf.engine().runKernel<tf.Tensor[]>(GRADIENT_KERNEL, inputs, { epsilon, isTraining });
    return { x: () => dx!, scale: () => dScale!, offset: () => dOffset! };
  },
};

const TO_LAST: Readonly<Record<number, number[]>> = { 4: [0, 2, 3, 1], 5: [0, 2, 3, 4, 1] };
const TO_FIRST: Readonly<Record<number, number[]>> = { 4: [0, 3, 1, 2], 5: [0, 4, 1, 2, 3] };

/** Checks the inputs as TensorFlow's kernel does; tfjs's and ours would read past their ends. */
function checkOperands(x: tf.Tensor, { scale, offset, mean, variance, dataFormat }: FusedBatchNormOptions): void {
  checkFloatOperand(KERNEL, 'x', x);
  if (x.rank !== 4 && x.rank !== 5) {
    throw valueError(`fusedBatchNorm: the input has rank ${x.rank}; it takes 4 or 5 (reshape it first)`, {
      shape: x.shape,
    });
  }
  const channels = x.shape[dataFormat?.startsWith('NC') ? 1 : x.rank - 1]!;
  for (const [name, operand] of Object.entries({ scale, offset, mean, variance })) {
    if (operand === undefined && (name === 'mean' || name === 'variance')) continue;
    checkFloatOperand(KERNEL, name, operand as tf.Tensor);
    const { rank, shape, size } = operand as tf.Tensor;
    if (rank !== 1) throw valueError(`${name} must be 1-dimensional, got shape [${shape}]`, { operand: name, shape });
    if (size !== channels) {
      throw valueError(
        `${name} must have the same number of elements as the channels of x, got ${size} and ${channels}`,
        { operand: name, shape, input: x.shape },
      );
    }
  }
}

/**
 * Batch normalization as TensorFlow's one op `FusedBatchNormV3` does it; 4-D or 5-D float32 input.
 *
 * On `tensorflow` it is TensorFlow's own kernel, bit for bit. Elsewhere training keeps its sums in double precision and
 * rounds once, and inference is tfjs's own kernel. Its gradient is `FusedBatchNormGradV3`.
 * @throws {LayersError} `ValueError` where mean or variance is needed and absent, the rank is not 4 or 5, or scale, offset,
 * mean or variance do not have one number per channel; `TypeError` for what is not a float32 tensor.
 */
export function fusedBatchNorm(x: tf.Tensor, options: FusedBatchNormOptions): FusedBatchNormResult {
  const { scale, offset, mean, variance, epsilon = 0.001, dataFormat = 'NHWC' } = options;
  const { isTraining = true, exponentialAvgFactor = 1 } = options;
  if ((!isTraining || exponentialAvgFactor !== 1) && (mean === undefined || variance === undefined)) {
    throw valueError(
      'Both `mean` and `variance` must be a 1D tensor when `is_training` is False or `exponential_avg_factor` != 1.0. ' +
        `Received: \`mean\` ${mean} and \`variance\` ${variance}`,
    );
  }
  checkOperands(x, options);
  ensureKernel(KERNEL, native, portable, gradient);
  return tf.tidy(() => {
    const first = dataFormat === 'NCHW' || dataFormat === 'NCDHW';
    const last = first ? tf.transpose(x, TO_LAST[x.rank]) : x;
    const [n, d, h, w, c] = last.shape;
    const images = x.rank === 5 ? tf.reshape(last, [n!, d! * h!, w!, c!]) : last;
    const inputs = { x: images, scale, offset, mean: mean ?? tf.tensor1d([]), variance: variance ?? tf.tensor1d([]) };
    const attrs = { epsilon, exponentialAvgFactor, isTraining };
    const outputs = tf.engine().runKernel<tf.Tensor[]>(KERNEL, inputs, attrs);
    let y = outputs[0]!;
    if (x.rank === 5) y = tf.reshape(y, last.shape);
    if (first) y = tf.transpose(y, TO_FIRST[x.rank]);
    return { y, mean: outputs[1]!, variance: outputs[2]! };
  });
}
