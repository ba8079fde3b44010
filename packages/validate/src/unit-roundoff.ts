/** Unit roundoff of float32. */
export const UNIT_ROUNDOFF = 2 ** -24;

/** How many standard deviations the probabilistic bound allows. */
const LAMBDA = 16;

/**
 * Higham's gamma_n = n u / (1 - n u): what n roundings in a row can do, whatever their order. Sums so long that it would
 * allow anything (n u > 0.1) get the probabilistic bound of Higham and Mary (2019), "A New Approach to Probabilistic
 * Rounding Error Analysis": exp(16 sqrt(n) u + n u^2 / (1 - u)) - 1.
 */
export function gamma(n: number): number {
  const nu = n * UNIT_ROUNDOFF;
  if (nu <= 0.1) return nu / (1 - nu);
  return Math.expm1(LAMBDA * Math.sqrt(n) * UNIT_ROUNDOFF + (nu * UNIT_ROUNDOFF) / (1 - UNIT_ROUNDOFF));
}
