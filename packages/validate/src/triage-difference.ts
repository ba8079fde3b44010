import { bytesOf, type NdArray, sameShape } from '@tfparity/array';
import type { RoundingBound } from './rounding-bounds.js';
import type { ArrayDigest } from './trace.js';
import type { DifferenceFigures, IsolatedDifference, TriageVerdict } from './triage-report.js';

/** How many times a bound a difference may be and still only be called suspicious. */
const SUSPICIOUS = 8;

type Numbers = ArrayLike<number>;

/** Lanes that are no finite numbers on a side, and are not the same there. */
const parted = (a: number, b: number) => !Object.is(a, b) && !(Number.isFinite(a) && Number.isFinite(b));

/** The figures of a difference between two lists of the same length. */
export function figuresOf(other: Numbers, reference: Numbers, sampled = false): DifferenceFigures {
  let max = 0;
  let squares = 0;
  let norm = 0;
  let nonFinite = 0;
  for (let i = 0; i < reference.length; i++) {
    const a = other[i]!;
    const b = reference[i]!;
    if (parted(a, b)) {
      nonFinite++;
      continue;
    }
    if (!Number.isFinite(b)) continue;
    const d = Math.abs(a - b);
    if (d > max) max = d;
    squares += d * d;
    norm += b * b;
  }
  const relativeL2 = norm > 0 ? Math.sqrt(squares / norm) : squares > 0 ? null : 0;
  return { maxAbsolute: max, relativeL2, nonFinite, sampled };
}

/** Figures from what two digests sampled; null where shapes or strides differ. */
export function sampledDifference(other: ArrayDigest, reference: ArrayDigest): DifferenceFigures | null {
  if (!sameShape(other.shape, reference.shape) || other.stride !== reference.stride) return null;
  return figuresOf(other.samples, reference.samples, reference.stride > 1);
}

/** Whether two digests are of the same bits; undefined where neither hash is known of both. */
export function sameBits(a: ArrayDigest, b: ArrayDigest): boolean | undefined {
  if (!sameShape(a.shape, b.shape) || a.dtype !== b.dtype) return false;
  if (a.hash !== null && b.hash !== null) return a.hash === b.hash;
  if (a.sha256 !== undefined && b.sha256 !== undefined) return a.sha256 === b.sha256;
  return undefined;
}

const isNumbers = (
  data: NdArray['data'],
): data is Exclude<NdArray['data'], Uint8Array[] | BigInt64Array | BigUint64Array> =>
  !Array.isArray(data) && !(data instanceof BigInt64Array) && !(data instanceof BigUint64Array);

function sameBytes(a: NdArray, b: NdArray): boolean {
  if (Array.isArray(a.data) || Array.isArray(b.data)) return false;
  const [left, right] = [bytesOf(a), bytesOf(b)];
  if (left.length !== right.length || (left.byteOffset | right.byteOffset | left.length) % 4 !== 0) return false;
  const words = new Uint32Array(left.buffer, left.byteOffset, left.length / 4);
  const others = new Uint32Array(right.buffer, right.byteOffset, right.length / 4);
  for (let i = 0; i < words.length; i++) if (words[i] !== others[i]) return false;
  return true;
}

const NO_DIFFERENCE = { maxAbsolute: 0, relativeL2: 0, nonFinite: 0, sampled: false };

/** The greatest share of its bound that an element's difference takes, over all outputs. */
function shareOfBound(others: readonly NdArray[], references: readonly NdArray[], { outputs }: RoundingBound): number {
  let share = 0;
  for (const [k, { data: reference }] of references.entries()) {
    const other = others[k]!.data;
    const bound = outputs[k] ?? 0;
    if (!isNumbers(reference) || !isNumbers(other)) continue;
    for (let i = 0; i < reference.length; i++) {
      if (Object.is(other[i], reference[i])) continue;
      if (parted(other[i]!, reference[i]!)) return Number.POSITIVE_INFINITY;
      const d = Math.abs(other[i]! - reference[i]!);
      const allowed = typeof bound === 'number' ? bound : bound[i]!;
      // Below the least normal number there are no relative bounds; +0 against -0 is no distance.
      if (d > 1e-37) share = Math.max(share, d / allowed);
    }
  }
  return share;
}

/** What is said of two results that cannot be subtracted. */
export const KINDS_DIFFER = 'the shapes or dtypes differ';

/** Judges what one op computed against the reference's, both on the same inputs. */
export function judgeIsolated(
  others: readonly NdArray[],
  references: readonly NdArray[],
  bound: () => RoundingBound,
): IsolatedDifference {
  if (
    others.length === references.length &&
    references.every((reference, k) => sameShape(reference.shape, others[k]!.shape) && sameBytes(reference, others[k]!))
  ) {
    return { ...NO_DIFFERENCE, verdict: 'identical', shareOfBound: 0, bound: '' };
  }
  const figures = references.map((reference, k) => {
    const other = others[k];
    if (other === undefined || !sameShape(other.shape, reference.shape) || other.dtype !== reference.dtype) return null;
    return isNumbers(reference.data) && isNumbers(other.data) ? figuresOf(other.data, reference.data) : null;
  });
  if (figures.includes(null)) {
    const none = { maxAbsolute: 0, relativeL2: null, nonFinite: 0, sampled: false };
    return { ...none, verdict: 'different', shareOfBound: null, bound: KINDS_DIFFER, reason: KINDS_DIFFER };
  }
  const worst = (figures as DifferenceFigures[]).reduce((a, b) =>
    (b.relativeL2 ?? Number.POSITIVE_INFINITY) > (a.relativeL2 ?? Number.POSITIVE_INFINITY) ? b : a,
  );
  const same = (figures as DifferenceFigures[]).every((f) => f.maxAbsolute === 0 && f.nonFinite === 0);
  if (same) return { ...worst, verdict: 'identical', shareOfBound: 0, bound: '' };
  const limit = bound();
  const share = shareOfBound(others, references, limit);
  const verdict: TriageVerdict = share <= 1 ? 'rounding' : share <= SUSPICIOUS ? 'suspicious' : 'different';
  return { ...worst, verdict, shareOfBound: Number.isFinite(share) ? share : null, bound: limit.words };
}
