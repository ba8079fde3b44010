import { bfloat16Value, float16Value, type NdArray, sameShape } from '@tfparity/array';
import { type ArrayComparison, type CompareOptions, compareArrays } from '@tfparity/numerics';
import type { LedgerDifference } from '@tfparity/random';

/** What of a step is compared, in the order in which a step makes it. */
export type TrainedKind = 'draws' | 'loss' | 'learning-rate' | 'gradient' | 'variable' | 'slot';

/** One thing of one step that is not the same on both sides. */
export interface TrainedDifference {
  readonly kind: TrainedKind;
  readonly name: string;
  readonly status: 'different' | 'missing' | 'unexpected';
  /** Whether it fails its tolerance; bits may differ within it. */
  readonly failed: boolean;
  /** The largest difference relative to the array's root mean square; Infinity where shapes or NaN differ. */
  readonly relative: number;
  readonly comparison?: ArrayComparison;
  /** Of draws: where they part. */
  readonly ledger?: LedgerDifference;
}

/** Arrays by TensorFlow's names. */
export type NamedArrays = Readonly<Record<string, NdArray>>;

/** The values of an array as numbers: those of integers of 64 bits rounded, those of half precision decoded. */
export function numbersOf({ dtype, data }: NdArray): ArrayLike<number> {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  if (Array.isArray(data)) return new Float64Array(data.length).fill(Number.NaN);
  if (dtype === 'float16') return Float64Array.from(data, float16Value);
  if (dtype === 'bfloat16') return Float64Array.from(data, bfloat16Value);
  return data;
}

/** Whether two arrays are the same bits; a net that is trained has 10^8 numbers, of which most are, and soonest seen so. */
function sameBits(a: NdArray, b: NdArray): boolean {
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  if (!(a.data instanceof Float32Array) || !(b.data instanceof Float32Array)) return false;
  const { length } = a.data;
  const x = new Int32Array(a.data.buffer, a.data.byteOffset, length);
  const y = new Int32Array(b.data.buffer, b.data.byteOffset, b.data.length);
  for (let i = 0; i < length; i++) if (x[i] !== y[i]) return false;
  return length === y.length;
}

/** The largest difference of two elements by the root mean square of the expected array; Infinity where none can be said. */
export function relativeDifference(expected: NdArray, actual: NdArray): number {
  if (!sameShape(expected.shape, actual.shape)) return Number.POSITIVE_INFINITY;
  if (sameBits(expected, actual)) return 0;
  const [a, b] = [numbersOf(expected), numbersOf(actual)];
  let squares = 0;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i])) {
      if (Number.isFinite(a[i])) squares += a[i]! * a[i]!;
      continue;
    }
    const difference = Math.abs(a[i]! - b[i]!);
    if (!Number.isFinite(difference)) return Number.POSITIVE_INFINITY;
    squares += a[i]! * a[i]!;
    if (difference > worst) worst = difference;
  }
  return worst === 0 ? 0 : worst / Math.sqrt(squares / a.length);
}

/** The largest relative difference of any array, and whose it is; of one that is missing on a side, Infinity. */
export function driftOf(a: NamedArrays, b: NamedArrays): { readonly drift: number; readonly name: string | null } {
  let worst: { drift: number; name: string | null } = { drift: 0, name: null };
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [expected, actual] = [a[name], b[name]];
    const drift =
      expected === undefined || actual === undefined ? Number.POSITIVE_INFINITY : relativeDifference(expected, actual);
    if (drift > worst.drift) worst = { drift, name };
  }
  return worst;
}

/** The arrays of one kind that are not the same bits. */
export function compareByName(
  kind: TrainedKind,
  legacy: NamedArrays,
  migrated: NamedArrays,
  options: CompareOptions,
): TrainedDifference[] {
  const differences: TrainedDifference[] = [];
  const alone = { kind, failed: true, relative: Number.POSITIVE_INFINITY };
  for (const [name, expected] of Object.entries(legacy)) {
    const actual = migrated[name];
    if (actual === undefined) {
      differences.push({ ...alone, name, status: 'missing' });
      continue;
    }
    if (sameBits(actual, expected)) continue;
    const comparison = compareArrays(actual, expected, options);
    if (comparison.bitIdentical) continue;
    const relative = relativeDifference(expected, actual);
    differences.push({ kind, name, status: 'different', failed: !comparison.passed, relative, comparison });
  }
  for (const name of Object.keys(migrated)) {
    if (legacy[name] === undefined) differences.push({ ...alone, name, status: 'unexpected' });
  }
  return differences;
}

/** A number of both sides: a loss, a rate. A side without it differs; so does a loss that is not finite on both. */
export function compareNumber(
  kind: 'loss' | 'learning-rate',
  legacy: number | undefined,
  migrated: number | undefined,
  options: CompareOptions,
): TrainedDifference[] {
  const alone = { kind, name: kind, failed: true, relative: Number.POSITIVE_INFINITY };
  if (legacy === undefined && migrated === undefined) return [];
  if (migrated === undefined) return [{ ...alone, status: 'missing' }];
  if (legacy === undefined) return [{ ...alone, status: 'unexpected' }];
  const comparison = compareArrays([migrated], [legacy], options);
  const finite = Number.isFinite(legacy) && Number.isFinite(migrated);
  if (Object.is(legacy, migrated) && finite) return [];
  const relative = finite ? Math.abs(legacy - migrated) / Math.abs(legacy) : Number.POSITIVE_INFINITY;
  return [{ kind, name: kind, status: 'different', failed: !finite || !comparison.passed, relative, comparison }];
}
