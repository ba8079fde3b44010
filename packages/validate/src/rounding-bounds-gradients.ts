// Error bounds of the kernels of backward passes, after N. J. Higham as in rounding-bounds.ts.
import * as tf from '@tensorflow/tfjs-core';
import type { RoundingBound } from './rounding-bounds.js';
import { copyOf } from './trace-capture.js';
import { type KernelCall, namedInputs, type RunCall, replaceInputs } from './trace-kernels.js';
import { gamma, UNIT_ROUNDOFF } from './unit-roundoff.js';

const inputOf = ({ inputs }: KernelCall, name: string): tf.Tensor => (inputs as tf.NamedTensorMap)[name]!;

const valuesOf = (call: KernelCall, name: string) => copyOf(inputOf(call, name)).data as Float32Array;

/** A kernel that sums up to `terms` of the gradients that it is given: gamma of what it gives for their absolute values. */
function ofGradientSums(call: KernelCall, run: RunCall, terms: number): RoundingBound {
  const positive = tf.abs(inputOf(call, 'dy'));
  const inputs = replaceInputs(call.inputs, (tensor, name) => (name === 'dy' ? positive : tensor));
  const sums = run({ inputs });
  const factor = 2 * gamma(terms);
  const outputs = sums.map((tensor) => Float64Array.from(copyOf(tensor).data as Float32Array, (x) => x * factor));
  tf.dispose([positive, ...sums]);
  return { outputs, words: `2 gamma_${terms} of the sum of the gradients' absolute values` };
}

/** What each channel of a batch norm's gradient sums, in absolute values. */
function channelSums(dy: Float32Array, x: Float32Array, mean: Float32Array) {
  const channels = mean.length;
  const gradients = new Float64Array(channels);
  const products = new Float64Array(channels);
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      const size = Math.abs(dy[i]!);
      gradients[c]! += size;
      products[c]! += size * Math.abs(x[i]! - mean[c]!);
    }
  }
  return { gradients, products };
}

/**
 * The gradient of a batch norm, with x' = x - mean and r = 1 / sqrt(variance + epsilon):
 * dx = scale r (dy - mean(dy) - x' r^2 mean(dy x')), d scale = r sum(dy x'), d offset = sum(dy).
 */
function ofBatchNormGradient(call: KernelCall): RoundingBound {
  const [dy, x, scale] = [valuesOf(call, 'dy'), valuesOf(call, 'x'), valuesOf(call, 'scale')];
  const [mean, variance] = [valuesOf(call, 'mean'), valuesOf(call, 'variance')];
  const { epsilon = 0.001, isTraining } = call.attrs as { epsilon?: number; isTraining?: boolean };
  const channels = scale.length;
  const rows = x.length / channels;
  const { gradients, products } = channelSums(dy, x, mean);
  const inverse = Float64Array.from(variance, (v) => 1 / Math.sqrt(v + epsilon));
  const u = UNIT_ROUNDOFF;
  const dx = new Float64Array(x.length);
  for (let i = 0; i < dx.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      const factor = Math.abs(scale[c]!) * inverse[c]!;
      const ofMeans = (2 * gamma(rows + 4) * gradients[c]!) / rows;
      const slope = (inverse[c]! ** 2 * products[c]!) / rows;
      const ofSlopes = 2 * gamma(rows + 12) * slope * Math.abs(x[i]! - mean[c]!);
      dx[i] = factor * (16 * u * Math.abs(dy[i]!) + (isTraining === false ? 0 : ofMeans + ofSlopes));
    }
  }
  const dScale = inverse.map((r, c) => 2 * gamma(rows + 8) * r * products[c]!);
  const dOffset = gradients.map((sum) => 2 * gamma(rows) * sum);
  return { outputs: [dx, dScale, dOffset], words: `2 gamma_${rows + 12} of the sums over ${rows} values` };
}

/** How far a gradient kernel's result may be from any other right one's; undefined for a kernel of another kind. */
export function gradientBound(call: KernelCall, run: RunCall): RoundingBound | undefined {
  // @tfparity/training has kernels of its own for pools, of TensorFlow's arithmetic.
  switch (call.kernel.replace(/^Window/, '')) {
    case 'FusedBatchNormGradV3':
      return ofBatchNormGradient(call);
    case 'BiasAddGrad': {
      const { shape, size } = namedInputs(call.inputs)[0]![1];
      return ofGradientSums(call, run, size / shape.at(-1)!);
    }
    case 'AvgPoolGrad':
    case 'MaxPoolGrad': {
      const [height, width = height] = [call.attrs['filterSize'] as number | number[]].flat();
      return ofGradientSums(call, run, height! * width! + 2);
    }
    // A product with 0 or 1.
    case 'ReluGrad':
    case 'Step':
      return { outputs: [0], words: 'moves values only: none' };
    default:
      return undefined;
  }
}
