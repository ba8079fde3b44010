// Port of what TensorFlow uses of CPython 3.11's random.Random (Modules/_randommodule.c, Lib/random.py):
// the MT19937 generator seeded with an int, getrandbits, randrange, randint, random.
// Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8 (1998), and their init_by_array of 2002.
import type { Seed } from './philox-generator.js';
import { RandomError } from './random-error.js';

const N = 624;
const M = 397;

/**
 * Python's `random.Random(seed)` for a whole-number seed: the same numbers in the same order. As in Python, the sign
 * of the seed does not matter, and it may have any number of digits.
 *
 * @throws {RandomError} `InvalidSeed` for a seed that is not a whole number
 */
export class PythonRandom {
  readonly #state = new Int32Array(N);
  #at = N;

  constructor(seed: Seed) {
    if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed)) {
      throw new RandomError('InvalidSeed', `random.Random: the seed is ${String(seed)}; it needs a whole number`, {});
    }
    const magnitude = seed < 0 ? -BigInt(seed) : BigInt(seed);
    const key: number[] = [];
    for (let rest = magnitude; rest > 0n; rest >>= 32n) key.push(Number(rest & 0xffffffffn) | 0);
    this.#initByArray(key.length > 0 ? key : [0]);
  }

  /**
   * A whole number of [low, high], both included, as Python's `randint`; of the bounds' type.
   *
   * @throws {RandomError} `InvalidArgument` unless low <= high, both whole
   */
  randint(low: number, high: number): number {
    if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || low > high) {
      throw new RandomError('InvalidArgument', `empty range for randrange() (${low}, ${high + 1})`, { low, high });
    }
    const width = BigInt(high) - BigInt(low) + 1n;
    const bits = width.toString(2).length;
    let drawn = this.getrandbits(bits);
    while (drawn >= width) drawn = this.getrandbits(bits);
    return Number(BigInt(low) + drawn);
  }

  /** A number of `count` random bits (1 or more), as Python's `getrandbits`. */
  getrandbits(count: number): bigint {
    let bits = 0n;
    for (let have = 0; have < count; have += 32) {
      const missing = count - have;
      const word = missing < 32 ? this.#next() >>> (32 - missing) : this.#next();
      bits |= BigInt(word) << BigInt(have);
    }
    return bits;
  }

  /** A double of [0, 1) with 53 random bits, as Python's `random()`. */
  random(): number {
    const high = this.#next() >>> 5;
    const low = this.#next() >>> 6;
    return (high * 0x4000000 + low) / 2 ** 53;
  }

  /** The next 32 bits, unsigned. */
  #next(): number {
    if (this.#at === N) this.#twist();
    let y = this.#state[this.#at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < N; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % N]! & 0x7fffffff);
      state[i] = state[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#at = 0;
  }

  #initByArray(key: readonly number[]): void {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < N; i++) state[i] = Math.imul(1812433253, mixed(state[i - 1]!)) + i;
    let i = 1;
    for (let k = 0; k < Math.max(N, key.length); k++) {
      const j = k % key.length;
      state[i] = (state[i]! ^ Math.imul(mixed(state[i - 1]!), 1664525)) + key[j]! + j;
      if (++i === N) {
        state[0] = state[N - 1]!;
        i = 1;
      }
    }
    for (let k = 1; k < N; k++) {
      state[i] = (state[i]! ^ Math.imul(mixed(state[i - 1]!), 1566083941)) - i;
      if (++i === N) {
        state[0] = state[N - 1]!;
        i = 1;
      }
    }
    state[0] = 0x80000000;
  }
}

function mixed(word: number): number {
  return word ^ (word >>> 30);
}
