import { type DType, type NdArray, sizeOf } from '@tfparity/array';
import { entropy } from './entropy.js';
import type { RandomOpInputs, RandomOpName } from './random-op.js';
import { randomState } from './random-states.js';
import { currentSeedContext, type Seed, takeSeed } from './seed-context.js';

/**
 * Draws an array of any dtype that TensorFlow's op has (float64, int64, float16, …), which no TensorFlow.js tensor can
 * hold, with the seeds that the op would take here: counted by the test tool, numbered by `setSeed`'s rules.
 *
 * @example randomArray('RandomUniform', {shape: [3]}, {dtype: 'float64'})
 */
export function randomArray(
  op: RandomOpName,
  inputs: RandomOpInputs,
  { dtype, seed }: { readonly dtype?: DType; readonly seed?: Seed | null } = {},
): NdArray {
  if (op.startsWith('Stateless')) return randomState('', op, { dtype, seed: 0, seed2: 1 }).draw(inputs);
  const shape = inputs.shape ?? null;
  if (shape !== null) sizeOf(shape);
  const taken = takeSeed({ op, shape, dtype: dtype ?? null, opSeed: seed ?? null });
  const [first, second] = taken[0] === null ? entropy() : taken;
  return randomState(currentSeedContext().stream, op, { dtype, seed: first, seed2: second }).draw(inputs);
}
