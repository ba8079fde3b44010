import { sameShape } from '@tfparity/array';
import { UNIT_ROUNDOFF } from './rounding-bounds.js';
import type { ShadowArray } from './shadow-array.js';
import type { ArrayDigest, Trace, TraceEndPoint } from './trace.js';
import type { TraceAlignment } from './trace-alignment.js';
import { figuresOf, sameBits } from './triage-difference.js';
import { counterpart, digestFigures, kindDifference, pointFigures, samplesAt } from './triage-end-points.js';
import type { Amplification, DifferenceFigures, GrowthPoint, TriageVerdict } from './triage-report.js';

/** Relative error, in unit roundoffs, from which rounding is called amplified. */
export const AMPLIFIED = 1024;

/** How far above the noise floor a difference may be and be noise; and how far, to be only suspicious. */
const NOISE_MARGIN = 16;
const SUSPICIOUS_MARGIN = 128;

/** Stands for the norm of what is all zero, so that ratios stay numbers. */
const TINY = 1e-300;

function rmsOf(values: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) squares += values[i]! * values[i]!;
  return Math.sqrt(squares / Math.max(1, values.length));
}

/** What a change of this root mean square is relative to an end point. */
export function relativeTo({ value, digest }: TraceEndPoint, rms: number): number {
  // A sample of zeros says little of the rest: without the values only a recorded run's norm over all elements will do.
  const norm = value === undefined ? digest.rms : rmsOf(value.data as Float32Array);
  return rms / Math.max(norm, TINY);
}

/** A growth point before its noise, shadow and verdict are known. */
interface Step {
  readonly name: string;
  readonly index: number;
  readonly figures: DifferenceFigures;
  readonly magnitude: number;
  readonly identical: boolean;
  /** Whether both sides' values were computed by ops that are partners. */
  readonly aligned: boolean;
  /** Whether they are of one shape and dtype, so that figures mean anything. */
  readonly comparable: boolean;
}

const magnitudeOf = ({ min, max }: ArrayDigest) => Math.max(Math.abs(min), Math.abs(max));

function arePartners(a: TraceEndPoint, b: TraceEndPoint, { ops }: Trace, alignment: TraceAlignment | null): boolean {
  const op = ops[a.op];
  // Which of several outputs is returned is not known.
  return op !== undefined && op.outputs.length === 1 && alignment?.toMigrated[a.op] === b.op;
}

function endPointSteps(reference: Trace, migrated: Trace, alignment: TraceAlignment | null): Step[] {
  return reference.endPoints.flatMap((point) => {
    const other = counterpart(point.name, migrated.endPoints);
    if (other === undefined) return [];
    return [
      {
        name: point.name,
        index: Math.max(point.op, other.op),
        figures: pointFigures(point, other),
        magnitude: magnitudeOf(point.digest),
        identical: sameBits(point.digest, other.digest) ?? false,
        aligned: arePartners(point, other, reference, alignment),
        comparable: kindDifference(point.digest, other.digest) === null,
      },
    ];
  });
}

/** The last op of each scope down to `depth`, where a net names no end points. */
function scopeSteps(reference: Trace, migrated: Trace, { toMigrated }: TraceAlignment): Step[] {
  const last = new Map<string, number>();
  for (const { scope, index, kernel } of reference.ops) {
    if (scope !== '' && kernel !== 'AssignVariable' && toMigrated[index]! >= 0)
      last.set(scope.split('/').slice(0, 3).join('/'), index);
  }
  return [...last].flatMap(([name, index]) => {
    const [a, b] = [reference.ops[index]!.outputs[0], migrated.ops[toMigrated[index]!]!.outputs[0]];
    if (a === undefined || b === undefined) return [];
    const figures = digestFigures(a, b);
    const comparable = kindDifference(a, b) === null;
    const identical = sameBits(a, b) ?? false;
    return [{ name, index, figures, magnitude: magnitudeOf(a), identical, aligned: true, comparable }];
  });
}

/**
 * Judges an accumulated difference by its size, the noise floor, and what the last op's own rounding can make of it;
 * null: without a noise floor it cannot be told.
 */
export function judgeAccumulated(
  figures: DifferenceFigures,
  identical: boolean,
  noise: number | null,
  bound: number | null = null,
): TriageVerdict | null {
  if (identical) return 'identical';
  if (figures.nonFinite > 0) return 'different';
  const error = figures.relativeL2 ?? figures.maxAbsolute / TINY;
  const small = error <= AMPLIFIED * UNIT_ROUNDOFF;
  // A bound is a limit already: no margin.
  if (bound !== null && error <= bound) return small ? 'rounding' : 'amplified-rounding';
  if (noise === null) return small ? 'rounding' : null;
  // A few roundings per op are there even where inputs that are one ulp off cancel out.
  const floor = Math.max(noise, 8 * UNIT_ROUNDOFF);
  if (error <= NOISE_MARGIN * floor) return small ? 'rounding' : 'amplified-rounding';
  return error <= SUSPICIOUS_MARGIN * floor ? 'suspicious' : 'different';
}

/** Relative error of an end point against the same in double precision; null where nothing can be said. */
export function shadowFigures(point: TraceEndPoint | undefined, exact: ShadowArray): number | null {
  if (point === undefined || !sameShape(point.digest.shape, exact.shape)) return null;
  const { value, digest } = point;
  if (value !== undefined) return figuresOf(value.data as Float32Array, exact.data).relativeL2;
  return figuresOf(digest.samples, samplesAt(exact.data, digest)).relativeL2;
}

/** What is known of the noise at an end point. */
export interface NoiseAt {
  noise(name: string): number | null;
  bound(name: string): number | null;
  shadow(name: string): GrowthPoint['shadow'];
}

/**
 * How the difference grows from end point to end point, in program order; where there are fewer than three of them,
 * from scope to scope.
 *
 * @param otherwise  the verdict on a large difference whose noise floor is not known
 * @param worst      the worst that a finite difference of partners can be, by what is known of all ops
 */
export function growthOf(
  reference: Trace,
  migrated: Trace,
  alignment: TraceAlignment | null,
  noise: NoiseAt,
  { otherwise, worst }: { readonly otherwise: TriageVerdict; readonly worst: 'amplified-rounding' | 'different' },
): GrowthPoint[] {
  const named = endPointSteps(reference, migrated, alignment);
  const steps =
    named.length >= 3 || alignment === null ? named : [...scopeSteps(reference, migrated, alignment), ...named];
  // A recorded run's end points are in the order in which they were made, whatever the order of the ops.
  const ordered = reference.detail === 'ops' ? steps.sort((a, b) => a.index - b.index) : steps;
  let before: number | null = null;
  return ordered.map(({ name, index, figures, magnitude, identical, aligned, comparable }) => {
    const error = figures.relativeL2;
    const factor = error !== null && before !== null && before > 0 ? error / before : null;
    before = error;
    const [floor, bound] = [noise.noise(name), noise.bound(name)];
    const judged = comparable ? (judgeAccumulated(figures, identical, floor, bound) ?? otherwise) : 'different';
    const isCapped =
      aligned && comparable && figures.nonFinite === 0 && (judged === 'suspicious' || judged === 'different');
    const verdict = isCapped && worst === 'amplified-rounding' ? worst : judged;
    return { ...figures, name, index, magnitude, factor, noise: floor, bound, shadow: noise.shadow(name), verdict };
  });
}

/** Relative error from which nothing is left of the value, and only the absolute error says whether it still grows. */
const SATURATED = 0.1;

/** Where the error grew most; null where it never grew past rounding. */
export function amplificationOf(growth: readonly GrowthPoint[]): Amplification | null {
  const errors = growth.map(({ relativeL2 }) => relativeL2 ?? 0);
  const greatest = Math.max(0, ...errors);
  if (greatest <= AMPLIFIED * UNIT_ROUNDOFF) return null;
  const at = growth
    .map(({ name, maxAbsolute }, i) => {
      const last = growth[i - 1];
      const relative = errors[i]! / Math.max(errors[i - 1] ?? 0, UNIT_ROUNDOFF);
      const absolute = last === undefined || last.maxAbsolute === 0 ? relative : maxAbsolute / last.maxAbsolute;
      const saturated = last !== undefined && errors[i]! >= SATURATED && errors[i - 1]! >= SATURATED;
      return { from: last?.name ?? null, to: name, factor: saturated ? absolute : relative };
    })
    .filter(({ factor }) => factor > 2)
    .sort((a, b) => b.factor - a.factor)
    .slice(0, 8);
  return { factor: greatest / UNIT_ROUNDOFF, at };
}
