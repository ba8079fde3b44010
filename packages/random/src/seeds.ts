// Ported from get_seed of tensorflow/python/framework/random_seed.py (2.21); what "the next op seed" is, the caller says.
import type { Seed } from './philox-generator.js';

/** The graph-level seed of an op that was given a seed where no global one was set. */
export const DEFAULT_GRAPH_SEED = 87654321;

const MAX_INT32 = 2 ** 31 - 1;

/** `seed` modulo 2^31 - 1, from 0 on, as TensorFlow cuts every seed that `get_seed` hands out. */
export function truncateSeed(seed: Seed): number {
  const rest = BigInt(seed) % BigInt(MAX_INT32);
  return Number(rest < 0n ? rest + BigInt(MAX_INT32) : rest);
}

/**
 * The pair (seed, seed2) of an op, or null where TensorFlow would draw from entropy: neither seed is set.
 *
 * @param globalSeed what `tf.random.set_seed` was given, in this graph or in eager code
 * @param opSeed what the op was given
 * @param nextOpSeed asked for the op's seed only where it was given none but a global one is set: a graph counts its
 * ops (2.21: its unseeded ones, from 0), eager code draws `new PythonRandom(globalSeed).randint(0, 2 ** 31 - 1)`
 */
export function getSeedPair(
  globalSeed: Seed | null | undefined,
  opSeed: Seed | null | undefined,
  nextOpSeed: () => Seed,
): readonly [seed: number, seed2: number] | null {
  const noGlobal = globalSeed === null || globalSeed === undefined;
  const noOp = opSeed === null || opSeed === undefined;
  if (noGlobal && noOp) return null;
  const seed = noGlobal ? DEFAULT_GRAPH_SEED : truncateSeed(globalSeed);
  const seed2 = truncateSeed(noOp ? nextOpSeed() : opSeed);
  // The kernels take (0, 0) for "draw from entropy".
  return seed === 0 && seed2 === 0 ? [0, MAX_INT32] : [seed, seed2];
}
