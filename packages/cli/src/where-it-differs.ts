import { bfloat16Value, float16Value, type NdArray } from '@tfparity/array';
import type { WhereItDiffers } from './report/heat-figure.js';

/** Most rows and columns of a map, and most bars over channels. */
const CELLS = 32;
const BARS = 128;

type At = (array: NdArray, offset: number) => number;

function reader({ dtype, data }: NdArray): At | undefined {
  if (dtype === 'float16') return (array, i) => float16Value((array.data as Uint16Array)[i]!);
  if (dtype === 'bfloat16') return (array, i) => bfloat16Value((array.data as Uint16Array)[i]!);
  if (dtype.startsWith('complex') || Array.isArray(data)) return undefined;
  return (array, i) => Number((array.data as Float32Array)[i]);
}

/** The bucket of each place along an axis that is shown in `buckets` cells. */
const buckets = (size: number, most: number): Int32Array =>
  Int32Array.from({ length: size }, (_, i) => Math.floor((i * Math.min(size, most)) / size));

/** The array as [outer, rows, columns, channels]; an array of one axis has channels only. */
function axesOf(shape: readonly number[]): { sizes: [number, number, number, number]; names: [string, string] } {
  const rank = shape.length;
  // A batch of one row of logits is a list of classes.
  if (rank === 1 || (rank === 2 && shape[0] === 1)) return { sizes: [1, 1, 1, shape.at(-1)!], names: ['', ''] };
  if (rank === 2) return { sizes: [1, shape[0]!, shape[1]!, 1], names: ['row', 'column'] };
  const outer = shape.slice(0, -3).reduce((product, size) => product * size, 1);
  const names: [string, string] = rank === 4 ? ['height', 'width'] : [`axis ${rank - 3}`, `axis ${rank - 2}`];
  return { sizes: [outer, shape[rank - 3]!, shape[rank - 2]!, shape[rank - 1]!], names };
}

/** Where two arrays of one shape differ, over rows and columns (height and width) and over channels; nothing where that has no meaning. */
export function whereItDiffers(actual: NdArray, expected: NdArray): WhereItDiffers | undefined {
  const a = reader(actual);
  const e = reader(expected);
  const { shape } = expected;
  if (!a || !e || shape.length === 0 || shape.join() !== actual.shape.join() || shape.includes(0)) return undefined;
  const { sizes, names } = axesOf(shape);
  const [outer, rows, columns, channels] = sizes;
  const [row, column, bar] = [buckets(rows, CELLS), buckets(columns, CELLS), buckets(channels, BARS)];
  const across = Math.min(columns, CELLS);
  const cells = new Float64Array(Math.min(rows, CELLS) * across);
  const bars = new Float64Array(Math.min(channels, BARS));
  let offset = 0;
  for (let o = 0; o < outer; o++) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const cell = row[r]! * across + column[c]!;
        for (let k = 0; k < channels; k++, offset++) {
          const [x, y] = [a(actual, offset), e(expected, offset)];
          if (Object.is(x, y) || x === y) continue;
          const distance = Math.abs(x - y);
          const size = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
          if (size > cells[cell]!) cells[cell] = size;
          if (size > bars[bar[k]!]!) bars[bar[k]!] = size;
        }
      }
    }
  }
  const plain = (values: Float64Array): (number | null)[] => Array.from(values, (v) => (Number.isFinite(v) ? v : null));
  const grid = {
    axes: names,
    sizes: [rows, columns],
    rows: Math.min(rows, CELLS),
    columns: across,
    cells: plain(cells),
  } as const;
  return {
    ...(rows * columns > 1 ? { grid } : {}),
    ...(channels > 1 ? { channels: { size: channels, bars: plain(bars) } } : {}),
  };
}
