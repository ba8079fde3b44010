import type { ComparisonWarning, Evidence } from './array-comparison.js';
import type { AppliedTolerance } from './tolerance.js';

/** Where a comparison proves little: what was compared would also agree if the program were wrong. */
export function findWarnings(evidence: Evidence, total: number, tolerance: AppliedTolerance): ComparisonWarning[] {
  const warnings: ComparisonWarning[] = [];
  const warn = (kind: ComparisonWarning['kind'], message: string): void => {
    warnings.push({ kind, message });
  };
  const { nonFinite, range, finite } = evidence;
  if (total === 0) {
    warn('empty', 'there are no elements: nothing was compared');
    return warnings;
  }
  const { nan, positiveInfinity, negativeInfinity } = nonFinite.both;
  const infinite = positiveInfinity + negativeInfinity;
  if (nan > 0 && nan >= total) warn('all-nan', 'every value is NaN on both sides: their agreement proves nothing');
  else if (nan > 0) warn('nan-on-both-sides', `${nan} values are NaN on both sides; what made them was not compared`);
  if (infinite > 0 && infinite >= total)
    warn('all-infinite', 'every value is infinite on both sides: any overflow gives the same');
  else if (infinite > 0)
    warn(
      'infinity-on-both-sides',
      `${infinite} values are infinite on both sides; sizes beyond the greatest number look alike`,
    );
  if (finite === 0 || range.expected === null) return warnings;
  const [low, high] = range.expected;
  if (low === 0 && high === 0)
    warn('all-zero', 'every expected value is 0: a part that is switched off gives the same');
  else if (finite > 1 && low === high)
    warn('all-equal-values', `all ${finite} expected values are ${low}: an error of order or place can't be seen`);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (largest > 0 && tolerance.atol >= largest) {
    warn('within-tolerance-of-zero', `no expected value is greater than atol ${tolerance.atol}: zeros would pass too`);
  }
  return warnings;
}
