import { bfloat16Value, float16Value, type NdArray } from '@tfparity/array';

/** What is in a tensor, in a few figures; absent ones do not apply to its dtype. */
export interface ValueStatistics {
  readonly count: number;
  readonly nan: number;
  readonly infinite: number;
  readonly zero: number;
  /** Of the finite values; null where there is none. */
  readonly min: number | bigint | null;
  readonly max: number | bigint | null;
  readonly mean: number | null;
  readonly deviation: number | null;
  /** How many finite values are in each of equally wide bins from min to max. */
  readonly histogram: readonly number[];
}

const BINS = 16;

/** Values that each element of the data stands for; nothing for strings. */
function toNumber(dtype: NdArray['dtype']): ((value: number | bigint) => number) | undefined {
  if (dtype === 'string') return undefined;
  if (dtype === 'float16') return (bits) => float16Value(bits as number);
  if (dtype === 'bfloat16') return (bits) => bfloat16Value(bits as number);
  return Number;
}

/** Counts, and the least and greatest of the finite values, as they are stored. */
class Extremes {
  nan = 0;
  infinite = 0;
  zero = 0;
  finite = 0;
  min: number | bigint = Number.POSITIVE_INFINITY;
  max: number | bigint = Number.NEGATIVE_INFINITY;

  constructor(values: ArrayLike<number | bigint>, convert: (value: number | bigint) => number) {
    for (let i = 0; i < values.length; i++) {
      const stored = values[i]!;
      const value = typeof stored === 'bigint' ? stored : convert(stored);
      if (typeof value === 'number' && !Number.isFinite(value)) {
        if (Number.isNaN(value)) this.nan++;
        else this.infinite++;
        continue;
      }
      this.finite++;
      // A bigint and a number of one value are equal only so.
      if (!value) this.zero++;
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
    }
  }
}

/** The figures of a tensor's values; complex numbers by their lanes; nothing for strings. */
export function valueStatistics({ dtype, data }: NdArray): ValueStatistics | undefined {
  const convert = toNumber(dtype);
  if (convert === undefined || Array.isArray(data)) return undefined;
  const values = data as ArrayLike<number | bigint>;
  const { nan, infinite, zero, finite, min, max } = new Extremes(values, convert);
  const counted = { count: values.length, nan, infinite, zero };
  if (finite === 0) return { ...counted, min: null, max: null, mean: null, deviation: null, histogram: [] };
  // Of values near the end of their range, the spread is beyond it: all is taken by a power of two of their size.
  const [low, high] = [Number(min), Number(max)];
  const size = Math.max(Math.abs(low), Math.abs(high));
  const scale = size > 2 ** 500 ? 2 ** -520 : 1;
  const histogram = new Array<number>(BINS).fill(0);
  const width = (high * scale - low * scale) / BINS || 1;
  let [seen, mean, squares] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = convert(values[i]!);
    if (!Number.isFinite(value)) continue;
    // Welford: a sum of squares would lose the spread of values far from zero.
    const step = value * scale - mean;
    mean += step / ++seen;
    squares += step * (value * scale - mean);
    histogram[Math.min(BINS - 1, Math.floor((value * scale - low * scale) / width))]!++;
  }
  return {
    ...counted,
    min: exact(min),
    max: exact(max),
    mean: mean / scale,
    deviation: Math.sqrt(squares / finite) / scale,
    histogram,
  };
}

/** A number where a number holds the value. */
const exact = (value: number | bigint): number | bigint =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value;

const BLOCKS = '▁▂▃▄▅▆▇█';

/** The figures in one line: `-0.21 … 0.34, mean 0.0012 ± 0.05 ▁▂█▂▁`. */
export function statisticsText(statistics: ValueStatistics | undefined): string {
  if (statistics === undefined) return 'text';
  const { min, max, mean, deviation, histogram, nan, infinite, count } = statistics;
  if (count === 0) return 'empty';
  const figure = (value: number | bigint | null): string => String(Number(Number(value ?? 0).toPrecision(4)));
  const most = Math.max(...histogram);
  const bars = histogram.map((n) => (n === 0 ? ' ' : BLOCKS[Math.min(7, Math.floor((n / most) * 7.999))])).join('');
  const odd = [nan > 0 ? `${nan} NaN` : '', infinite > 0 ? `${infinite} infinite` : ''].filter(Boolean).join(', ');
  const spread =
    min === null
      ? ''
      : min === max
        ? `all ${figure(min)}`
        : `${figure(min)} … ${figure(max)}, mean ${figure(mean)} ± ${figure(deviation)} |${bars}|`;
  return [spread, odd].filter(Boolean).join(', ');
}
