// Port of RandomGammaOp (tensorflow/core/kernels/random_op.cc, TensorFlow 2.21).
// Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000).
import { float16Bits, type NdArray, type NumericData, type Shape, sizeOf } from '@tfparity/array';
import { allocate } from '../allocate.js';
import { log } from '../libm-double.js';
import { log1p } from '../libm-log1p.js';
import { pow } from '../libm-pow.js';
import { realValues } from '../numeric-input.js';
import type { Philox } from '../philox-generator.js';
import { DoublesOfOutput } from './output-doubles.js';

/** Gamma numbers of scale 1, `shape` of them per alpha: `[...shape, ...alpha.shape]` of alpha's dtype. */
export function drawGamma(shape: Shape, alpha: NdArray, reserve: (outputs: number) => Philox): NdArray {
  const alphas = realValues(alpha);
  const samples = sizeOf(shape);
  const full = [...shape, ...alpha.shape];
  const data = allocate('RandomGamma', alpha.dtype, full);
  const result = { dtype: alpha.dtype, shape: full, data };
  if (data.length === 0) return result;
  const doubles = new DoublesOfOutput(reserve(data.length));
  const put = putter(alpha.dtype, data);
  alphas.forEach((value, a) => {
    for (let sample = 0; sample < samples; sample++) {
      doubles.startOutput(a * samples + sample);
      put(sample * alphas.length + a, value === 1 ? -log1p(-doubles.uniform()) : drawOne(value, doubles));
    }
  });
  return result;
}

/** Below this TensorFlow's threads make 0 of a number: they flush denormals. */
const LEAST_NORMAL = { float32: 2 ** -126, float64: 2 ** -1022 };

function putter(dtype: NdArray['dtype'], data: NumericData): (index: number, value: number) => void {
  const values = data as Float64Array;
  if (dtype !== 'float16') {
    const least = dtype === 'float32' ? LEAST_NORMAL.float32 : LEAST_NORMAL.float64;
    return (index, value) => {
      values[index] = Math.abs(value) < least ? 0 : value;
    };
  }
  return (index, value) => {
    // By way of float32, as Eigen converts a double.
    values[index] = float16Bits(Math.fround(value));
  };
}

function drawOne(alpha: number, doubles: DoublesOfOutput): number {
  const small = alpha < 1;
  // For alpha < 1: a number of alpha + 1, times a uniform one to the power of 1 / alpha.
  const d = alpha + (small ? 2 / 3 : -1 / 3);
  const c = 1 / 3 / Math.sqrt(d);
  for (;;) {
    const x = doubles.normal();
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    const u = doubles.uniform();
    if (u < 1 - 0.0331 * (x * x) * (x * x) || log(u) < 0.5 * x * x + d * (1 - v + log(v))) {
      return small ? d * v * pow(doubles.uniform(), 1 / alpha) : d * v;
    }
  }
}
