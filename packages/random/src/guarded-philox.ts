// Port of GuardedPhiloxRandom (tensorflow/core/util/guarded_philox_random.h) and of GenerateKey
// (tensorflow/core/kernels/stateless_random_ops.h, TensorFlow 2.21); without the lock, and (0, 0) is refused.
import { Philox, type Seed, seedWords } from './philox-generator.js';
import { RandomError } from './random-error.js';

/** The random numbers of one kernel: each draw reserves its share, so that draws never overlap. */
export class GuardedPhilox {
  readonly #next: Philox;

  /**
   * The stream of an op with these seeds.
   *
   * @throws {RandomError} `InvalidSeed` for seeds that are not signed 64-bit integers, and for (0, 0), for which
   * TensorFlow would take seeds from the machine's entropy
   */
  constructor(seed: Seed, seed2: Seed) {
    const [k0, k1] = seedWords(seed, 'seed');
    const [c2, c3] = seedWords(seed2, 'seed2');
    if ((k0 | k1 | c2 | c3) === 0) {
      throw new RandomError(
        'InvalidSeed',
        'seed and seed2 are both 0: for this pair TensorFlow takes seeds from entropy, so nothing could be reproduced; give another seed',
        { seed: 0, seed2: 0 },
      );
    }
    this.#next = new Philox([k0, k1], [0, 0, c2, c3]);
  }

  /** The generator of the next `blocks` blocks, which are set aside for the caller. */
  reserveBlocks(blocks: number): Philox {
    const reserved = this.#next.clone();
    this.#next.skip(blocks);
    return reserved;
  }

  /** The generator of the next `words` 32-bit numbers. */
  reserveWords(words: number): Philox {
    return this.reserveBlocks(Math.floor((words + 3) / 4));
  }
}

/** The generator of a stateless op: its seed is scrambled into a key and half a counter. */
export function statelessPhilox(seed: readonly [Seed, Seed]): Philox {
  const scramble = new Philox(
    [0x3ec8f720, 0x02461e29],
    [...seedWords(seed[0], 'seed[0]'), ...seedWords(seed[1], 'seed[1]')],
  );
  const [k0, k1, c2, c3] = scramble.next() as unknown as [number, number, number, number];
  return new Philox([k0, k1], [0, 0, c2, c3]);
}
