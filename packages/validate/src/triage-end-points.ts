import { formatShape, sameShape } from '@tfparity/array';
import type { ArrayDigest, Trace, TraceEndPoint } from './trace.js';
import { digestOf } from './trace-digest.js';
import { figuresOf, sampledDifference } from './triage-difference.js';
import type { DifferenceFigures } from './triage-report.js';

const lastPart = (name: string) => name.split('/').at(-1);

/** The end point of that path, or else the only one whose last part is the same. */
export function counterpart(name: string, points: readonly TraceEndPoint[]): TraceEndPoint | undefined {
  const exact = points.find((point) => point.name === name);
  if (exact !== undefined) return exact;
  const similar = points.filter((point) => lastPart(point.name) === lastPart(name));
  return similar.length === 1 ? similar[0] : undefined;
}

/** How two arrays are not even of one kind, in words; null where shape and dtype are the same. */
export function kindDifference(reference: ArrayDigest, migrated: ArrayDigest): string | null {
  if (!sameShape(reference.shape, migrated.shape))
    return `shape ${formatShape(migrated.shape)}, in the reference ${formatShape(reference.shape)}`;
  return reference.dtype === migrated.dtype ? null : `${migrated.dtype}, in the reference ${reference.dtype}`;
}

/** End points that no comparison of numbers can make the same: only one side has them, or they are of another kind. */
export function unmatchedEndPoints(reference: Trace, migrated: Trace): string[] {
  const without = (a: Trace, b: Trace, where: string) =>
    a.endPoints
      .filter(({ name }) => counterpart(name, b.endPoints) === undefined)
      .map(({ name }) => `${name} is not among what the ${where} returned`);
  // A recorded run holds what somebody chose to record; a program returns all that it has.
  const extra = reference.detail === 'ops' ? without(migrated, reference, 'reference') : [];
  const others = reference.endPoints.flatMap(({ name, digest }) => {
    const other = counterpart(name, migrated.endPoints);
    const words = other === undefined ? null : kindDifference(digest, other.digest);
    return words === null ? [] : [`${name} is ${words}`];
  });
  return [...without(reference, migrated, 'migrated side'), ...extra, ...others];
}

/** What a reader has to know of how end points were compared. */
export function endPointWarnings(reference: Trace, migrated: Trace): string[] {
  return reference.endPoints.flatMap((point) => {
    const other = counterpart(point.name, migrated.endPoints);
    if (other === undefined) return [];
    const renamed =
      other.name === point.name ? [] : [`${other.name} is taken for ${point.name}: no other name ends so`];
    const { stride } = point.digest;
    const partly = isSampled(point) && point.digest.sha256 !== other.digest.sha256;
    return partly
      ? [
          ...renamed,
          `${point.name}: of the reference every ${stride}th value is known, and extremes, mean and norm of all`,
        ]
      : renamed;
  });
}

/** Whether a recorded end point holds a sample, with the statistics and the sha256 of all. */
const isSampled = ({ value, digest }: TraceEndPoint) =>
  value === undefined && digest.hash === null && digest.stride > 1;

function strided(values: ArrayLike<number>, stride: number): Float64Array {
  const picked = new Float64Array(Math.ceil(values.length / stride));
  for (let i = 0; i < picked.length; i++) picked[i] = values[i * stride]!;
  return picked;
}

/** Every value at the recorded stride, or the digest's own samples. */
export function samplesAt(values: ArrayLike<number>, { stride }: ArrayDigest): ArrayLike<number> {
  return stride === 1 ? values : strided(values, stride);
}

/** Stands for what cannot be subtracted. */
const APART: DifferenceFigures = { maxAbsolute: 0, relativeL2: null, nonFinite: 0, sampled: true };

/** The figures of a difference between digests; where their kinds differ, none that says anything. */
export const digestFigures = (reference: ArrayDigest, migrated: ArrayDigest): DifferenceFigures =>
  sampledDifference(migrated, reference) ?? APART;

/** The figures of a difference between two end points, from all that is known of them. */
export function pointFigures(reference: TraceEndPoint, migrated: TraceEndPoint): DifferenceFigures {
  const [a, b] = [reference.value?.data, migrated.value?.data];
  if (kindDifference(reference.digest, migrated.digest) !== null) return APART;
  if (a !== undefined && b !== undefined) return figuresOf(b as Float32Array, a as Float32Array);
  if (b !== undefined && reference.digest.stride > 0) {
    const { samples, stride } = reference.digest;
    const sampled = figuresOf(samplesAt(b as Float32Array, reference.digest), samples, stride > 1);
    return isSampled(reference) ? withStatistics(sampled, reference.digest, migrated) : sampled;
  }
  return digestFigures(reference.digest, migrated.digest);
}

/**
 * A sampled difference raised to what the statistics over all elements say of it at least: means and norms are no further
 * apart than the root mean square of the difference, extremes no further than its greatest.
 */
function withStatistics(
  sampled: DifferenceFigures,
  recorded: ArrayDigest,
  { value }: TraceEndPoint,
): DifferenceFigures {
  const all = value === undefined ? null : digestOf(value, Number.POSITIVE_INFINITY);
  const known = [recorded.min, recorded.max, recorded.mean, recorded.rms].every(Number.isFinite);
  if (all === null || !known) return sampled;
  const size = all.finite + all.nan + all.infinite;
  const nonFinite = recorded.finite === size ? Math.max(sampled.nonFinite, all.nan + all.infinite) : sampled.nonFinite;
  const extreme = Math.max(Math.abs(all.min - recorded.min), Math.abs(all.max - recorded.max));
  const rms = Math.max(
    Math.abs(all.mean - recorded.mean),
    Math.abs(all.rms - recorded.rms),
    extreme / Math.sqrt(Math.max(1, size)),
  );
  const least = recorded.rms > 0 ? rms / recorded.rms : rms > 0 ? null : 0;
  const { relativeL2 } = sampled;
  return {
    ...sampled,
    nonFinite,
    maxAbsolute: Math.max(sampled.maxAbsolute, extreme),
    relativeL2: relativeL2 === null || least === null ? null : Math.max(relativeL2, least),
  };
}
