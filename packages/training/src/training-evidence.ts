import type { NdArray } from '@tfparity/array';

/** float32's rounding: half the distance from 1 to the next number above it. */
const UNIT_ROUNDOFF = 2 ** -24;

/**
 * How many roundings a gradient that should be zero may be made of: a sum over some 10^5 elements, whose errors partly
 * cancel, through some hundred layers.
 */
const ROUNDINGS = 1000;

function norm({ data }: NdArray): number {
  let squares = 0;
  for (const value of data as Float32Array) squares += value * value;
  return Math.sqrt(squares);
}

/**
 * The gradients that are nothing but rounding: their norm, on both sides, is what rounding leaves of a typical gradient.
 *
 * A bias that feeds a batch norm has the gradient zero, because the norm subtracts the mean; computed, it is a sum that
 * cancels up to its last bits. Two right programs give two different such sums, which do not agree in any digit.
 */
export function noiseGradients(
  legacy: Readonly<Record<string, NdArray>>,
  migrated: Readonly<Record<string, NdArray>> = legacy,
): string[] {
  const norms = Object.entries(legacy).map(([name, gradient]) => {
    const other = migrated[name];
    return { name, norm: Math.max(norm(gradient), other === undefined ? 0 : norm(other)) };
  });
  const present = norms.map((item) => item.norm).filter((value) => value > 0);
  const typical = present.sort((a, b) => a - b)[present.length >> 1] ?? 0;
  return norms
    .filter((item) => item.norm > 0 && item.norm < ROUNDINGS * UNIT_ROUNDOFF * typical)
    .map(({ name }) => name);
}

const MOVING = /(^|\/)(moving_mean|moving_variance|renorm_mean|renorm_stddev)(_\d+)?(:\d+)?$/;

/**
 * The moving averages whose bits are the same before and after: update ops that did not run.
 *
 * TF1's commonest training bug: `UPDATE_OPS` are run by no one unless the train op depends on them.
 */
export function frozenAverages(
  before: Readonly<Record<string, NdArray>>,
  after: Readonly<Record<string, NdArray>>,
): string[] {
  return Object.entries(before)
    .filter(([name]) => MOVING.test(name))
    .filter(([name, { data }]) => {
      const later = after[name]?.data;
      return later !== undefined && (data as Float32Array).every((value, i) => Object.is(value, later[i]));
    })
    .map(([name]) => name);
}
