// Port of MultinomialOp and MultinomialFunctor for CPUs (tensorflow/core/kernels/multinomial_op.cc, TensorFlow 2.21),
// as one thread runs it: TensorFlow splits large batches (from about 200,000 cycles on) between its threads, and where
// it splits, rows share random numbers, so that its results there depend on the number of threads.
import type { DType, NdArray, Shape } from '@tfparity/array';
import { realValues } from '../numeric-input.js';
import type { Philox } from '../philox-generator.js';
import { RandomError } from '../random-error.js';
import { uint64ToDouble } from './uniform.js';

const RESERVED_PER_OUTPUT = 256;

/**
 * Class numbers drawn with probability exp(logits) per row: `[batch, numSamples]` of int32 or int64.
 *
 * @throws {RandomError} `InvalidArgument`, `InvalidShape` in the kernel's words
 */
export function drawMultinomial(
  logits: NdArray,
  numSamples: number,
  dtype: DType,
  reserve: (blocks: number) => Philox,
): NdArray {
  checkInputs(logits.shape, numSamples);
  const [batch, classes] = logits.shape as [number, number];
  const values = realValues(logits);
  // Rounded up to whole blocks, of which a double takes half.
  const generator = reserve(batch * Math.ceil(numSamples / 4) * 4 * 2 * RESERVED_PER_OUTPUT);
  const words = new Int32Array(4);
  const cumulated = new Float64Array(classes);
  const drawn = new Int32Array(batch * numSamples);
  for (let at = 0; at < drawn.length; at++) {
    const row = Math.floor(at / numSamples);
    if (at % numSamples === 0) cumulate(values.subarray(row * classes, (row + 1) * classes), cumulated);
    if ((at & 1) === 0) generator.fill(words, 0, 1);
    const first = (at & 1) * 2;
    const target = uint64ToDouble(words[first]!, words[first + 1]!) * cumulated[classes - 1]!;
    drawn[at] = upperBound(cumulated, target);
  }
  const data = dtype === 'int64' ? BigInt64Array.from(drawn, BigInt) : drawn;
  return { dtype, shape: [batch, numSamples], data };
}

function checkInputs(shape: Shape, numSamples: number): void {
  if (shape.length !== 2) {
    throw new RandomError('InvalidShape', `logits should be a matrix, got shape [${shape}]`, { shape });
  }
  if (!Number.isSafeInteger(numSamples) || numSamples < 0) {
    throw new RandomError('InvalidArgument', `num_samples should be non-negative, got ${numSamples}`, { numSamples });
  }
  if (shape[1] === 0) {
    throw new RandomError('InvalidArgument', `num_classes should be positive, got 0`, { shape });
  }
}

/** Sums of exp(logit - greatest), of the finite logits only. */
function cumulate(logits: Float64Array | Float32Array, into: Float64Array): void {
  let greatest = -Infinity;
  for (const logit of logits) if (Number.isFinite(logit) && logit > greatest) greatest = logit;
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    if (Number.isFinite(logits[i]!)) total += Math.exp(logits[i]! - greatest);
    into[i] = total;
  }
}

/** How many of the sorted values are at most `target`. */
function upperBound(sorted: Float64Array, target: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= target) low = middle + 1;
    else high = middle;
  }
  return low;
}
