import { type Float32Kernel, KERNEL_BLOCK } from './float32-kernel.js';
import type { ScalarTally } from './scalar-tally.js';
import type { Tally } from './tally.js';
import type { AppliedTolerance } from './tolerance.js';

/** Beyond this distance the kernel's 32-bit sums and its conversion to float would not be exact. */
const FAR = 2 ** 20;
/** Values whose squares are neither lost nor infinite in float32. */
const [SMALL, LARGE] = [1e-15, 1e18];

/**
 * Tallies two float32 pieces by the kernel. Blocks out of its range (a value that is not finite, very great, or very far off) and the
 * last elements that do not fill a vector go to the scalar tally, which computes the same.
 */
export function tallyFloat32(
  kernel: Float32Kernel,
  tally: Tally,
  scalar: ScalarTally,
  a: Float32Array,
  b: Float32Array,
  start: number,
  tolerance: AppliedTolerance,
): void {
  const whole = a.length - (a.length % 4);
  for (let from = 0; from < whole; from += KERNEL_BLOCK) {
    const count = Math.min(KERNEL_BLOCK, whole - from);
    kernel.load(a, b, from, count);
    if (!addBlock(kernel, tally, scalar, from, count, start + from, tolerance)) scalar.add(from, count);
  }
  kernel.drain(tally);
  if (whole < a.length) scalar.add(whole, a.length - whole);
}

/** A power of two whose product with `value` is from 1 to 2, as far as float32 has one. */
function scaleOf(value: number): number {
  return value === 0 ? 1 : 2 ** Math.max(-126, Math.min(126, -Math.floor(Math.log2(value))));
}

function addBlock(
  kernel: Float32Kernel,
  tally: Tally,
  scalar: ScalarTally,
  from: number,
  count: number,
  at: number,
  tolerance: AppliedTolerance,
): boolean {
  const { rtol, atol, equalNan, maxUlps } = tolerance;
  const survey = kernel.survey(rtol, atol, equalNan, maxUlps);
  const { minActual, maxActual, minExpected, maxExpected } = survey;
  const greatest = Math.max(-minActual, maxActual, -minExpected, maxExpected);
  if (!Number.isFinite(survey.maxAbsolute) || greatest > LARGE || (greatest > 0 && greatest < SMALL)) return false;
  const found = kernel.figures(survey.signsDiffer, scaleOf(survey.maxAbsolute));
  if (found.maxUlps >= FAR || !Number.isFinite(found.sumRelative)) return false;
  kernel.histograms(survey.signsDiffer, found.maxUlps);
  tally.total += count;
  tally.lanes += count;
  tally.finite += count;
  tally.mismatched += survey.mismatched;
  tally.bitsDiffer ||= survey.bitsDiffer;
  tally.sumAbsolute += found.sumAbsolute;
  tally.sumSquared += found.sumSquared;
  tally.squaredExpected += found.squaredExpected;
  tally.squaredDifference += found.squaredDifference;
  tally.sumRelative += found.sumRelative;
  tally.sumUlps += found.sumUlps;
  if (survey.maxAbsolute > tally.maxAbsolute) tally.maxAbsolute = survey.maxAbsolute;
  if (found.maxRelative > tally.maxRelative) tally.maxRelative = found.maxRelative;
  if (found.maxUlps > tally.maxUlps) tally.maxUlps = found.maxUlps;
  if (minActual < tally.minActual) tally.minActual = minActual;
  if (maxActual > tally.maxActual) tally.maxActual = maxActual;
  if (minExpected < tally.minExpected) tally.minExpected = minExpected;
  if (maxExpected > tally.maxExpected) tally.maxExpected = maxExpected;
  if (survey.mismatched > 0) scalar.keepFirst(from, count);
  if (survey.maxAbsolute > 0 && tally.worst.admits(survey.maxAbsolute, at)) scalar.keepWorst(from, count);
  if (tally.topActual.admits(maxActual, at) || tally.topExpected.admits(maxExpected, at)) scalar.keepTop(from, count);
  return true;
}
