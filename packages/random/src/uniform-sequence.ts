import type { Seed } from './philox-generator.js';
import { RandomOp } from './random-op.js';

/** The values of `RandomUniform` with these seeds one by one, whatever number will be asked for: as one draw of that shape has them. */
export function uniformSequence(seed: Seed, seed2: Seed): () => number {
  let values: Float32Array = new Float32Array(0);
  let next = 0;
  return () => {
    if (next === values.length) {
      // A longer draw begins with the same numbers.
      const shape = [Math.max(64, 2 * values.length)];
      values = new RandomOp('RandomUniform', { seed, seed2, dtype: 'float32' }).draw({ shape }).data as Float32Array;
    }
    return values[next++] as number;
  };
}
