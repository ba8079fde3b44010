/** Batch normalization of a [rows, channels] float32 array, with sums in double precision and one rounding at the end. */

/** Mean and variance of each channel. */
export interface ChannelMoments {
  readonly mean: Float64Array;
  /** The mean square distance from the mean: not yet corrected for the sample size. */
  readonly variance: Float64Array;
}

/** Mean and variance of each channel over all rows, in double precision (two passes: no cancellation). */
export function channelMoments(x: Float32Array, channels: number): ChannelMoments {
  const rows = x.length / channels;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let i = 0; i < x.length; ) for (let c = 0; c < channels; c++, i++) mean[c]! += x[i]!;
  for (let c = 0; c < channels; c++) mean[c]! /= rows;
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      const distance = x[i]! - mean[c]!;
      variance[c]! += distance * distance;
    }
  }
  for (let c = 0; c < channels; c++) variance[c]! /= rows;
  return { mean, variance };
}

/** `(x - mean) * scale / sqrt(variance + epsilon) + offset`, rounded once. */
export function normalize(
  x: Float32Array,
  mean: Float64Array | Float32Array,
  variance: Float64Array | Float32Array,
  scale: Float32Array,
  offset: Float32Array,
  epsilon: number,
): Float32Array {
  const channels = scale.length;
  const factor = new Float64Array(channels);
  for (let c = 0; c < channels; c++) factor[c] = scale[c]! / Math.sqrt(variance[c]! + epsilon);
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) y[i] = (x[i]! - mean[c]!) * factor[c]! + offset[c]!;
  }
  return y;
}

/** Gradients of `normalize` with respect to its input, scale and offset. */
export interface BatchNormGradients {
  readonly x: Float32Array;
  readonly scale: Float32Array;
  readonly offset: Float32Array;
}

/**
 * The gradients of batch normalization (TF's FusedBatchNormGrad, in double precision).
 *
 * @param training  whether mean and variance were computed from `x`, so that `x` reaches the output through them too
 */
export function normalizeGradients(
  dy: Float32Array,
  x: Float32Array,
  scale: Float32Array,
  { mean, variance }: { mean: Float64Array | Float32Array; variance: Float64Array | Float32Array },
  epsilon: number,
  training: boolean,
): BatchNormGradients {
  const channels = scale.length;
  const rows = x.length / channels;
  const sumDy = new Float64Array(channels);
  const sumDyCentred = new Float64Array(channels);
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      sumDy[c]! += dy[i]!;
      sumDyCentred[c]! += dy[i]! * (x[i]! - mean[c]!);
    }
  }
  const factor = new Float64Array(channels);
  const slope = new Float64Array(channels);
  const shift = new Float64Array(channels);
  const dScale = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const inverse = 1 / Math.sqrt(variance[c]! + epsilon);
    factor[c] = scale[c]! * inverse;
    dScale[c] = sumDyCentred[c]! * inverse;
    if (!training) continue;
    slope[c] = (sumDyCentred[c]! * inverse * inverse) / rows;
    shift[c] = sumDy[c]! / rows;
  }
  const dx = new Float32Array(x.length);
  for (let i = 0; i < x.length; ) {
    for (let c = 0; c < channels; c++, i++) {
      dx[i] = factor[c]! * (dy[i]! - shift[c]! - (x[i]! - mean[c]!) * slope[c]!);
    }
  }
  return { x: dx, scale: dScale, offset: Float32Array.from(sumDy) };
}
