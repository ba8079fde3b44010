// Port of PoissonFunctor (tensorflow/core/kernels/random_poisson_op.cc, TensorFlow 2.21).
// Below a rate of 10 Knuth's product of uniforms (The Art of Computer Programming 2, 3.4.1); from 10 on Hörmann,
// "The transformed rejection method for generating Poisson random variables" (1993).
import { type DType, float16Bits, type NdArray, type NumericData, type Shape, sizeOf } from '@tfparity/array';
import { allocate } from '../allocate.js';
import { log, logFactorial } from '../libm-double.js';
import { realValues } from '../numeric-input.js';
import type { Philox } from '../philox-generator.js';
import { RandomError } from '../random-error.js';
import { DoublesOfOutput } from './output-doubles.js';

/** Greatest number of each dtype that the op gives. */
const HIGHEST: Partial<Record<DType, number>> = {
  float16: 65504,
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
  int32: 2 ** 31 - 1,
  int64: 2 ** 63,
};

/** The dtypes that RandomPoissonV2 gives and takes. */
export const POISSON_DTYPES = Object.keys(HIGHEST) as readonly DType[];

/**
 * Poisson numbers, `shape` of them per rate: `[...shape, ...rate.shape]`. An infinite rate gives infinity, of an
 * integer dtype 0.
 *
 * @throws {RandomError} `InvalidArgument` as `checkRates`
 */
export function drawPoisson(shape: Shape, rate: NdArray, dtype: DType, reserve: (outputs: number) => Philox): NdArray {
  const rates = realValues(rate);
  const samples = sizeOf(shape);
  const full = [...shape, ...rate.shape];
  const data = allocate('RandomPoissonV2', dtype, full);
  const result = { dtype, shape: full, data };
  if (data.length === 0) return result;
  checkRates(rates, dtype);
  const doubles = new DoublesOfOutput(reserve(data.length));
  const highest = HIGHEST[dtype]!;
  const put = putter(dtype, data);
  rates.forEach((value, r) => {
    const draw = drawerOf(value, highest, doubles);
    for (let sample = 0; sample < samples; sample++) {
      doubles.startOutput(r * samples + sample);
      put(sample * rates.length + r, draw());
    }
  });
  return result;
}

/**
 * Checks rates of which something is to be drawn.
 *
 * @throws {RandomError} `InvalidArgument` for NaN and for finite rates beyond the dtype's greatest number: TensorFlow
 * rejects one candidate after the other then, and does not come to an end
 */
export function checkRates(rates: Float32Array | Float64Array, dtype: DType): void {
  const highest = HIGHEST[dtype]!;
  rates.forEach((rate, r) => {
    if (Number.isNaN(rate)) {
      throw new RandomError('InvalidArgument', `RandomPoissonV2: rate ${r} is NaN, of which there is no draw`, { r });
    }
    // One more, because the float32 next to the greatest int32 is 2^31, of which about every other candidate is taken.
    if (Number.isFinite(rate) && rate > highest + 1) {
      throw new RandomError(
        'InvalidArgument',
        `RandomPoissonV2: rate ${r} is ${rate}, of which there is no draw that ${dtype} holds (greatest ${highest}); use a wider dtype`,
        { r, rate, dtype },
      );
    }
  });
}

function putter(dtype: DType, data: NumericData): (index: number, value: number) => void {
  if (dtype === 'int64') {
    const values = data as BigInt64Array;
    return (index, value) => {
      values[index] = Number.isFinite(value) ? BigInt(value) : 0n;
    };
  }
  const values = data as Float64Array;
  if (dtype !== 'float16') {
    return (index, value) => {
      values[index] = value;
    };
  }
  return (index, value) => {
    values[index] = float16Bits(value);
  };
}

function drawerOf(rate: number, highest: number, doubles: DoublesOfOutput): () => number {
  if (rate === Infinity) return () => Infinity;
  return rate < 10 ? productDrawer(rate, highest, doubles) : rejectionDrawer(rate, highest, doubles);
}

function productDrawer(rate: number, highest: number, doubles: DoublesOfOutput): () => number {
  const limit = Math.exp(-rate);
  return () => {
    let product = doubles.uniform();
    let x = 0;
    while (product > limit || x > highest) {
      product *= doubles.uniform();
      x += 1;
    }
    return x;
  };
}

function rejectionDrawer(rate: number, highest: number, doubles: DoublesOfOutput): () => number {
  const logRate = log(rate);
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  return () => {
    for (;;) {
      const u = doubles.uniform() - 0.5;
      const v = doubles.uniform();
      const shifted = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / shifted + b) * u + rate + 0.43);
      if (k > highest) continue;
      if (shifted >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2)) return k;
      if (k < 0 || (shifted < 0.013 && v > shifted)) continue;
      const s = Math.log((v * inverseAlpha) / (a / (shifted * shifted) + b));
      if (s <= -rate + k * logRate - logFactorial(k)) return k;
    }
  };
}
