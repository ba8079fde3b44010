import { bfloat16Value, float16Value, type NdArray } from '@tfparity/array';

/** What is in a tensor, in a few figures; absent ones do not apply to its dtype. */
export interface ValueStatistics {
  readonly count: number;
  readonly nan: number;
  readonly infinite: number;
  readonly zero: number;
  /** Of the finite values; null where there is none. */
  readonly min: number | null;
  readonly max: number | null;
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

/** The figures of a tensor's values; complex numbers by their lanes; nothing for strings. */
export function valueStatistics({ dtype, data }: NdArray): ValueStatistics | undefined {
  const convert = toNumber(dtype);
  if (convert === undefined || Array.isArray(data)) return undefined;
  let [nan, infinite, zero, finite, mean, squares] = [0, 0, 0, 0, 0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const values = data as ArrayLike<number | bigint>;
  for (let i = 0; i < values.length; i++) {
    const value = convert(values[i]!);
    if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) infinite++;
    else {
      finite++;
      if (value === 0) zero++;
      if (value < min) min = value;
      if (value > max) max = value;
      // Welford: a sum of squares would lose the spread of values far from zero.
      const step = value - mean;
      mean += step / finite;
      squares += step * (value - mean);
    }
  }
  const histogram = new Array<number>(finite > 0 ? BINS : 0).fill(0);
  if (finite > 0) {
    const width = (max - min) / BINS || 1;
    for (let i = 0; i < values.length; i++) {
      const value = convert(values[i]!);
      if (Number.isFinite(value)) histogram[Math.min(BINS - 1, Math.floor((value - min) / width))]!++;
    }
  }
  const known = finite > 0;
  return {
    count: values.length,
    nan,
    infinite,
    zero,
    min: known ? min : null,
    max: known ? max : null,
    mean: known ? mean : null,
    deviation: known ? Math.sqrt(squares / finite) : null,
    histogram,
  };
}

const BLOCKS = '▁▂▃▄▅▆▇█';

/** The figures in one line: `-0.21 … 0.34, mean 0.0012 ± 0.05 ▁▂█▂▁`. */
export function statisticsText(statistics: ValueStatistics | undefined): string {
  if (statistics === undefined) return 'text';
  const { min, max, mean, deviation, histogram, nan, infinite, count } = statistics;
  if (count === 0) return 'empty';
  const figure = (value: number | null): string => String(Number((value ?? 0).toPrecision(4)));
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
