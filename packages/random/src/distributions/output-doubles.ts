import type { Philox } from '../philox-generator.js';
import { boxMullerDouble } from './box-muller-double.js';
import { uint64ToDouble } from './uniform.js';

/** Blocks that RandomGamma and RandomPoissonV2 set aside per output: each output starts at its own counter. */
export const BLOCKS_PER_OUTPUT = 256;

/**
 * The doubles that a rejection method takes for one output: two at a time from one block, the second first, as the
 * kernels' UNIFORM macro hands them out; normal ones likewise, from blocks of their own.
 */
export class DoublesOfOutput {
  readonly #base: Philox;
  readonly #generator: Philox;
  readonly #words = new Int32Array(4);
  readonly #uniforms = new Float64Array(2);
  readonly #normals = new Float64Array(2);
  #uniformsLeft = 0;
  #normalsLeft = 0;

  constructor(base: Philox) {
    this.#base = base;
    this.#generator = base.clone();
  }

  /** Goes to the counter of this output. */
  startOutput(index: number): void {
    this.#generator.copyFrom(this.#base).skip(index * BLOCKS_PER_OUTPUT);
    this.#uniformsLeft = 0;
    this.#normalsLeft = 0;
  }

  /** The next uniform double of [0, 1). */
  uniform(): number {
    if (this.#uniformsLeft === 0) {
      const words = this.#words;
      this.#generator.fill(words, 0, 1);
      this.#uniforms[0] = uint64ToDouble(words[0]!, words[1]!);
      this.#uniforms[1] = uint64ToDouble(words[2]!, words[3]!);
      this.#uniformsLeft = 2;
    }
    this.#uniformsLeft -= 1;
    return this.#uniforms[this.#uniformsLeft]!;
  }

  /** The next standard normal double. */
  normal(): number {
    if (this.#normalsLeft === 0) {
      const words = this.#words;
      this.#generator.fill(words, 0, 1);
      boxMullerDouble(words[0]!, words[1]!, words[2]!, words[3]!, this.#normals);
      this.#normalsLeft = 2;
    }
    this.#normalsLeft -= 1;
    return this.#normals[this.#normalsLeft]!;
  }
}
