// The words that a distribution transforms: blocks are made in pieces that stay in the processor's cache.
import type { Philox } from '../philox-generator.js';

/** Words in one piece; a multiple of 4. */
const PIECE = 4096;

let scratch: Int32Array | undefined;

/**
 * Calls `use(words, from, count)` for `words` 32-bit numbers of the generator, piece by piece: `from` is how many came
 * before, `count` a multiple of 4 but in the last piece. The last block is made whole.
 */
export function eachPiece(
  generator: Philox,
  words: number,
  use: (words: Int32Array, from: number, count: number) => void,
): void {
  scratch ??= new Int32Array(PIECE);
  for (let from = 0; from < words; from += PIECE) {
    const count = Math.min(PIECE, words - from);
    generator.fill(scratch, 0, (count + 3) >>> 2);
    use(scratch, from, count);
  }
}
