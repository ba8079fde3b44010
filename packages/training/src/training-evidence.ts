import type { NdArray } from '@tfparity/array';
import { type NamedArrays, numbersOf } from './trained-arrays.js';

/** float32's rounding: half the distance from 1 to the next number above it. */
const UNIT_ROUNDOFF = 2 ** -24;

/**
 * How many roundings a gradient that should be zero may be made of: a sum over some 10^5 elements, whose errors partly
 * cancel, through some hundred layers.
 */
const ROUNDINGS = 1000;

function norm(array: NdArray): number {
  const values = numbersOf(array);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i]! * values[i]!;
  return Math.sqrt(squares);
}

/**
 * The gradients that look like nothing but rounding: their norm, on both sides, is what rounding leaves of a typical
 * gradient. Where any norm is not finite, none is called so.
 *
 * A bias that feeds a batch norm has the gradient zero, because the norm subtracts the mean; computed, it is a sum that
 * cancels up to its last bits. Two right programs give two different such sums, which do not agree in any digit.
 */
export function noiseGradients(legacy: NamedArrays, migrated: NamedArrays = legacy): string[] {
  const norms = Object.entries(legacy).map(([name, gradient]) => {
    const other = migrated[name];
    return { name, norm: Math.max(norm(gradient), other === undefined ? 0 : norm(other)) };
  });
  if (!norms.every((item) => Number.isFinite(item.norm))) return [];
  const present = norms.map((item) => item.norm).filter((value) => value > 0);
  const typical = present.sort((a, b) => a - b)[present.length >> 1] ?? 0;
  return norms
    .filter((item) => item.norm > 0 && item.norm < ROUNDINGS * UNIT_ROUNDOFF * typical)
    .map(({ name }) => name);
}

/** From as many elements on, two vectors that are nothing to each other are not nearly proportional by chance. */
const ENOUGH = 16;
/** A cosine above which one vector is the other times a number: another sign, another scale, but no rounding. */
const PROPORTIONAL = 0.995;
/** The bar of a drift curve, and of a gradient that is noise: how many times the noise floor a difference may be. */
export const NOISE_MARGIN = 3;

/**
 * Whether the difference of two small gradients is rounding: it is no larger than what another order of sums makes of the
 * legacy side's (`again`), or the two have no direction in common. A gradient that is merely small has its direction.
 */
export function differsAsNoise(legacy: NdArray, migrated: NdArray, again?: NdArray): boolean {
  const [a, b] = [numbersOf(legacy), numbersOf(migrated)];
  if (a.length !== b.length) return false;
  let [dot, left, right, apart] = [0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    left += a[i]! * a[i]!;
    right += b[i]! * b[i]!;
    apart += (a[i]! - b[i]!) ** 2;
  }
  if (!Number.isFinite(apart)) return false;
  if (again !== undefined && again.data.length === a.length) {
    const c = numbersOf(again);
    let floor = 0;
    for (let i = 0; i < a.length; i++) floor += (a[i]! - c[i]!) ** 2;
    if (apart <= NOISE_MARGIN ** 2 * floor) return true;
  }
  return a.length >= ENOUGH && left > 0 && right > 0 && Math.abs(dot) < PROPORTIONAL * Math.sqrt(left * right);
}

const MOVING = /(^|\/)(moving_mean|moving_variance|renorm_mean|renorm_stddev|ExponentialMovingAverage)(_\d+)?(:\d+)?$/;

/** Moving averages among variables. */
export function movingAverages(variables: NamedArrays): [string, NdArray][] {
  return Object.entries(variables).filter(([name]) => MOVING.test(name));
}

/**
 * The moving averages whose bits are the same before and after: update ops that did not run.
 *
 * TF1's commonest training bug: `UPDATE_OPS` are run by no one unless the train op depends on them.
 */
export function frozenAverages(before: NamedArrays, after: NamedArrays): string[] {
  return movingAverages(before)
    .filter(([name, { data }]) => {
      const later = after[name]?.data;
      return later !== undefined && (data as Float32Array).every((value, i) => Object.is(value, later[i]));
    })
    .map(([name]) => name);
}

/** A hash of an array's values, which tells whether they moved (FNV-1a over 32 bits). */
export function fingerprint({ data }: NdArray): number {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}
