// Port of PhiloxRandom (xla/tsl/lib/random/philox_random.h, TensorFlow 2.21); `fill` makes many blocks at a time.
// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
import { RandomError } from './random-error.js';

/** A whole number of up to 64 bits; negative ones are taken as two's complement. */
export type Seed = number | bigint;

/** 32-bit words, least significant first. */
export type Words = readonly number[] | Uint32Array;

const MASK_32 = 0xffffffffn;

/**
 * The two 32-bit words of a signed 64-bit seed (low, high), each as a signed 32-bit number.
 *
 * @throws {RandomError} `InvalidSeed` where the seed is not a whole number, or not within [-2^63, 2^63)
 */
export function seedWords(seed: Seed, name = 'seed'): [low: number, high: number] {
  if (typeof seed === 'number') {
    if (!Number.isSafeInteger(seed)) {
      throw new RandomError(
        'InvalidSeed',
        `${name} is ${seed}; a seed is a whole number, and beyond 2^53 a bigint (such as ${'2n ** 60n'})`,
        { name, seed },
      );
    }
    return [seed | 0, Math.floor(seed / 0x1_0000_0000) | 0];
  }
  if (typeof seed !== 'bigint') {
    throw new RandomError('InvalidSeed', `${name} is ${String(seed)}; a seed is a number or a bigint`, { name });
  }
  if (BigInt.asIntN(64, seed) !== seed) {
    throw new RandomError('InvalidSeed', `${name} is ${seed}; int too big to convert to a signed 64-bit seed`, {
      name,
      seed: String(seed),
    });
  }
  return [Number(seed & MASK_32) | 0, Number((seed >> 32n) & MASK_32) | 0];
}

/** `count` words of an unsigned number, or the words themselves, checked. */
function wordsOf(value: bigint | number | Words, count: number, name: string): number[] {
  if (typeof value === 'object') {
    const words = Array.from(value);
    if (words.length !== count || !words.every((w) => Number.isInteger(w) && w >= -(2 ** 31) && w < 2 ** 32)) {
      throw new RandomError('InvalidArgument', `${name} needs ${count} words of 32 bits, not [${words}]`, { name });
    }
    return words.map((w) => w | 0);
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new RandomError('InvalidArgument', `${name} is ${value}, not a whole number; beyond 2^53 give a bigint`, {
      name,
    });
  }
  const bits = BigInt(value);
  const width = 32 * count;
  if (BigInt.asUintN(width, bits) !== bits && BigInt.asIntN(width, bits) !== bits) {
    throw new RandomError('InvalidArgument', `${name} is ${bits}, which has more than ${width} bits`, { name });
  }
  return Array.from({ length: count }, (_, i) => Number((bits >> BigInt(32 * i)) & MASK_32) | 0);
}

/** The upper 32 bits of the product of two unsigned 32-bit numbers, the second in its 16-bit halves. */
function mulHigh(x: number, low: number, high: number): number {
  const xLow = x & 0xffff;
  const xHigh = x >>> 16;
  const p = (Math.imul(xHigh, low) + (Math.imul(xLow, low) >>> 16)) | 0;
  const q = (Math.imul(xLow, high) + (p & 0xffff)) | 0;
  return (Math.imul(xHigh, high) + (p >>> 16) + (q >>> 16)) | 0;
}

/**
 * The Philox4x32-10 generator: every (key, counter) gives one block of four 32-bit numbers, and the counter then goes
 * up by one. Numbers and bigints for `key` (64 bits) and `counter` (128 bits) are two's complement; arrays are 32-bit
 * words, the least significant first.
 *
 * TensorFlow's kernels use key = seed and counter = seed2 * 2^64.
 *
 * @throws {RandomError} `InvalidArgument` for a key or counter that is not whole or too wide
 */
export class Philox {
  #k0: number;
  #k1: number;
  #c0: number;
  #c1: number;
  #c2: number;
  #c3: number;

  constructor(key: bigint | number | Words, counter: bigint | number | Words = 0) {
    [this.#k0, this.#k1] = wordsOf(key, 2, 'key') as [number, number];
    [this.#c0, this.#c1, this.#c2, this.#c3] = wordsOf(counter, 4, 'counter') as [number, number, number, number];
  }

  /** The 64-bit key, as an unsigned number. */
  get key(): bigint {
    return join([this.#k0, this.#k1]);
  }

  /** The 128-bit counter of the next block, as an unsigned number. */
  get counter(): bigint {
    return join([this.#c0, this.#c1, this.#c2, this.#c3]);
  }

  /** A generator at the same place, that moves on its own. */
  clone(): Philox {
    return new Philox([this.#k0, this.#k1], [this.#c0, this.#c1, this.#c2, this.#c3]);
  }

  /** Puts this generator where `other` is, without allocating. */
  copyFrom(other: Philox): this {
    this.#k0 = other.#k0;
    this.#k1 = other.#k1;
    this.#c0 = other.#c0;
    this.#c1 = other.#c1;
    this.#c2 = other.#c2;
    this.#c3 = other.#c3;
    return this;
  }

  /** The next block: four unsigned 32-bit numbers. */
  next(): Uint32Array {
    const block = new Uint32Array(4);
    this.fill(block);
    return block;
  }

  /** Goes `blocks` blocks ahead (a whole number from 0, below 2^53) without making them. */
  skip(blocks: number): this {
    const low = blocks >>> 0;
    let high = Math.floor(blocks / 0x1_0000_0000);
    const c0 = (this.#c0 >>> 0) + low;
    this.#c0 = c0 | 0;
    if (c0 > 0xffffffff) high += 1;
    const c1 = (this.#c1 >>> 0) + high;
    this.#c1 = c1 | 0;
    if (c1 > 0xffffffff) {
      this.#c2 = (this.#c2 + 1) | 0;
      if (this.#c2 === 0) this.#c3 = (this.#c3 + 1) | 0;
    }
    return this;
  }

  /**
   * Writes the next `blocks` blocks of four words to `words` from `offset` on: the allocation-free way to draw.
   * A signed array receives the same bits.
   */
  fill(words: Int32Array | Uint32Array, offset = 0, blocks = (words.length - offset) >>> 2): this {
    for (let done = 0; done < blocks; ) {
      // Up to where the lowest word of the counter overflows.
      const run = Math.min(blocks - done, 0x1_0000_0000 - (this.#c0 >>> 0));
      this.#fillRun(words, offset + 4 * done, run);
      done += run;
      this.#c0 = (this.#c0 + run) | 0;
      if (this.#c0 === 0) this.#carry();
    }
    return this;
  }

  #fillRun(words: Int32Array | Uint32Array, offset: number, blocks: number): void {
    // The multipliers, and their 16-bit halves: JavaScript has no 32x32->64 product, and four 16-bit ones through
    // `Math.imul` beat a double with its error corrected (1.1 s to 1.8 s for 56 million numbers). They stand here
    // because bundlers make `var`s of a module's constants, which are then read anew each time (0.9 s to 1.9 s).
    const M0 = 0xd2511f53 | 0;
    const M1 = 0xcd9e8d57 | 0;
    const M0_LOW = 0x1f53;
    const M0_HIGH = 0xd251;
    const M1_LOW = 0x8d57;
    const M1_HIGH = 0xcd9e;
    const W0 = 0x9e3779b9 | 0;
    const W1 = 0xbb67ae85 | 0;
    let c0 = this.#c0;
    // In rounds 1 and 2, one of the two products is of numbers that the lowest counter word does not reach.
    const low1 = Math.imul(this.#c2, M1);
    const fixed = mulHigh(this.#c2, M1_LOW, M1_HIGH) ^ this.#c1 ^ this.#k0;
    const mask1 = this.#c3 ^ this.#k1;
    const k0 = (this.#k0 + W0) | 0;
    const k1 = (this.#k1 + W1) | 0;
    const low2 = Math.imul(fixed, M0);
    const mask2 = mulHigh(fixed, M0_LOW, M0_HIGH) ^ k1;
    const mask3 = low1 ^ k0;
    for (let at = offset, end = offset + 4 * blocks; at < end; at += 4) {
      const y2 = mulHigh(c0, M0_LOW, M0_HIGH) ^ mask1;
      let x0 = mulHigh(y2, M1_LOW, M1_HIGH) ^ mask3;
      let x1 = Math.imul(y2, M1);
      let x2 = Math.imul(c0, M0) ^ mask2;
      let x3 = low2;
      let a = k0;
      let b = k1;
      for (let round = 2; round < 10; round++) {
        a = (a + W0) | 0;
        b = (b + W1) | 0;
        const high0 = mulHigh(x0, M0_LOW, M0_HIGH);
        const high1 = mulHigh(x2, M1_LOW, M1_HIGH);
        const next3 = Math.imul(x0, M0);
        const next1 = Math.imul(x2, M1);
        x0 = high1 ^ x1 ^ a;
        x2 = high0 ^ x3 ^ b;
        x1 = next1;
        x3 = next3;
      }
      words[at] = x0;
      words[at + 1] = x1;
      words[at + 2] = x2;
      words[at + 3] = x3;
      c0 = (c0 + 1) | 0;
    }
  }

  #carry(): void {
    this.#c1 = (this.#c1 + 1) | 0;
    if (this.#c1 !== 0) return;
    this.#c2 = (this.#c2 + 1) | 0;
    if (this.#c2 === 0) this.#c3 = (this.#c3 + 1) | 0;
  }
}

function join(words: number[]): bigint {
  return words.reduceRight((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
}
