// Port of BoxMullerDouble (xla/tsl/lib/random/random_distributions.h, TensorFlow 2.21).
import { uint64ToDouble } from './uniform.js';

/** Two normal doubles of four words, to `out[0]` and `out[1]`. */
export function boxMullerDouble(x0: number, x1: number, x2: number, x3: number, out: Float64Array): void {
  const u = uint64ToDouble(x0, x1);
  const v = 2 * Math.PI * uint64ToDouble(x2, x3);
  const radius = Math.sqrt(-2 * Math.log(Math.max(u, 1e-7)));
  out[0] = Math.sin(v) * radius;
  out[1] = Math.cos(v) * radius;
}
