// Port of BoxMullerDouble (xla/tsl/lib/random/random_distributions.h, TensorFlow 2.21).
import { log, sincos } from '../libm-double.js';
import { uint64ToDouble } from './uniform.js';

const TWO_PI = 2 * Math.PI;

/** Two normal doubles of four words, to `out[0]` and `out[1]`. */
export function boxMullerDouble(x0: number, x1: number, x2: number, x3: number, out: Float64Array): void {
  const radius = Math.sqrt(-2 * log(Math.max(uint64ToDouble(x0, x1), 1e-7)));
  sincos(TWO_PI * uint64ToDouble(x2, x3), out);
  out[0]! *= radius;
  out[1]! *= radius;
}
