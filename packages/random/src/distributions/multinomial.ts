// Port of MultinomialOp and MultinomialFunctor for CPUs (tensorflow/core/kernels/multinomial_op.cc, TensorFlow 2.21),
// and of how its thread pool splits the rows (Eigen's ThreadPoolDevice::parallelFor and TensorCostModel).
import type { DType, NdArray, Shape } from '@tfparity/array';
import { realValues } from '../numeric-input.js';
import type { Philox } from '../philox-generator.js';
import { RandomError } from '../random-error.js';
import { uint64ToDouble } from './uniform.js';

const RESERVED_PER_OUTPUT = 256;

/**
 * Class numbers drawn with probability exp(logits) per row: `[batch, numSamples]` of int32 or int64.
 *
 * Each run of rows that goes to one thread starts at a counter of its own, which the run before may reach into: what
 * TensorFlow draws for a large batch depends on its number of threads, here `threads`.
 *
 * @throws {RandomError} `InvalidArgument`, `InvalidShape` in the kernel's words
 */
export function drawMultinomial(
  logits: NdArray,
  numSamples: number,
  dtype: DType,
  threads: number,
  reserve: (blocks: number) => Philox,
): NdArray {
  checkInputs(logits.shape, numSamples);
  const [batch, classes] = logits.shape as [number, number];
  const values = realValues(logits);
  // Rounded up to whole blocks, of which a double takes half.
  const generator = reserve(batch * Math.ceil(numSamples / 4) * 4 * 2 * RESERVED_PER_OUTPUT);
  const drawn = new Int32Array(batch * numSamples);
  const block = rowsPerTask(batch, Math.floor(50 * (numSamples * Math.log2(classes) + classes)), threads);
  for (let row = 0; row < batch; row += block) {
    const end = Math.min(row + block, batch);
    const start = generator.clone().skip(Math.floor((row * (numSamples + 3)) / 4));
    const rows = drawn.subarray(row * numSamples, end * numSamples);
    drawRows(start, values.subarray(row * classes, end * classes), classes, numSamples, rows);
  }
  const data = dtype === 'int64' ? BigInt64Array.from(drawn, BigInt) : drawn;
  return { dtype, shape: [batch, numSamples], data };
}

function drawRows(
  generator: Philox,
  logits: Float64Array | Float32Array,
  classes: number,
  numSamples: number,
  drawn: Int32Array,
): void {
  const words = new Int32Array(4);
  const cumulated = new Float64Array(classes);
  for (let at = 0; at < drawn.length; at++) {
    const row = Math.floor(at / numSamples);
    if (at % numSamples === 0) cumulate(logits.subarray(row * classes, (row + 1) * classes), cumulated);
    if ((at & 1) === 0) generator.fill(words, 0, 1);
    const first = (at & 1) * 2;
    const target = uint64ToDouble(words[first]!, words[first + 1]!) * cumulated[classes - 1]!;
    drawn[at] = upperBound(cumulated, target);
  }
}

/** How many rows, each of `cost` cycles, the thread pool hands out at a time; all of them where it does not split. */
function rowsPerTask(rows: number, cost: number, threads: number): number {
  const useful = Math.floor((rows * cost - 100_000) / 100_000 + 0.9);
  if (rows <= 1 || threads <= 1 || useful <= 1) return Math.max(rows, 1);
  const efficiencyOf = (tasks: number) => tasks / (Math.ceil(tasks / threads) * threads);
  let size = Math.min(rows, Math.max(Math.ceil(rows / (4 * threads)), Math.floor(40_000 / cost)));
  const largest = Math.min(rows, 2 * size);
  let tasks = Math.ceil(rows / size);
  let best = efficiencyOf(tasks);
  // Larger tasks are taken where they keep the threads about as busy.
  for (let previous = tasks; best < 1 && previous > 1; ) {
    const coarser = Math.ceil(rows / (previous - 1));
    if (coarser > largest) break;
    tasks = Math.ceil(rows / coarser);
    previous = tasks;
    const efficiency = efficiencyOf(tasks);
    if (efficiency + 0.01 < best) continue;
    size = coarser;
    best = Math.max(best, efficiency);
  }
  return size;
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
