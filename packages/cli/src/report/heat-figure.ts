import * as Plot from '@observablehq/plot';
import { drawBoth, INK } from './drawing.js';
import { distanceText } from './number-text.js';
import type { Figure } from './report-document.js';

/** Where in an array the sides differ: plain data, small whatever the array's size. */
export interface WhereItDiffers {
  /** Greatest absolute difference in each cell of a grid over two axes (height and width, rows and columns). */
  readonly grid?: {
    readonly axes: readonly [string, string];
    /** How many elements of each axis there are; a cell of the grid holds several where that is more than its rows or columns. */
    readonly sizes: readonly [number, number];
    readonly rows: number;
    readonly columns: number;
    /** Row-major; null where a side is not finite and the other differs. */
    readonly cells: readonly (number | null)[];
  };
  /** Greatest absolute difference by place along the last axis (channels), in runs of equal length. */
  readonly channels?: { readonly size: number; readonly bars: readonly (number | null)[] };
}

const sizeOf = (value: number | null): number => value ?? Number.POSITIVE_INFINITY;

/** Strength of shade by order of magnitude: 0 for no difference, 1 for the greatest. */
function levels(values: readonly (number | null)[]): number[] {
  const finite = values.filter((v): v is number => v !== null && v > 0);
  const high = Math.log10(Math.max(...finite, Number.MIN_VALUE));
  const low = Math.min(Math.log10(Math.min(...finite, Number.MAX_VALUE)), high - 1);
  return values.map((v) => (v === null ? 1 : v === 0 ? 0 : 0.2 + (0.8 * (Math.log10(v) - low)) / (high - low)));
}

/** The pictures of where an array differs: a map over two axes, and bars over channels. */
export function heatFigures(where: WhereItDiffers): readonly Figure[] {
  return [
    ...(where.grid ? [gridFigure(where.grid)] : []),
    ...(where.channels && where.channels.bars.length > 1 ? [channelFigure(where.channels)] : []),
  ];
}

function range(place: number, places: number, size: number): string {
  const from = Math.floor((place * size) / places);
  const to = Math.ceil(((place + 1) * size) / places) - 1;
  return from === to ? String(from) : `${from}–${to}`;
}

function gridFigure(grid: NonNullable<WhereItDiffers['grid']>): Figure {
  const { axes, sizes, rows, columns, cells } = grid;
  const level = levels(cells);
  const marks = cells.map((value, i) => ({
    row: Math.floor(i / columns),
    column: i % columns,
    value,
    level: level[i]!,
  }));
  const differing = marks.filter(({ value }) => value !== 0);
  const worst = marks.reduce((most, mark) => (sizeOf(mark.value) > sizeOf(most.value) ? mark : most));
  const place = (mark: { row: number; column: number }): string =>
    `${axes[0]} ${range(mark.row, rows, sizes[0])}, ${axes[1]} ${range(mark.column, columns, sizes[1])}`;
  const description = `${differing.length} of ${cells.length} cells differ; the greatest difference, ${distanceText(worst.value)}, is at ${place(worst)}. The stronger a cell’s shade, the greater the difference; the framed cell is the greatest.`;
  const pictures = drawBoth(`Map of where it differs. ${description}`, ({ width, narrow }) => {
    const across = Math.min(narrow ? width - 60 : 520, columns * 36);
    const cell = across / columns;
    return {
      width: across + 60,
      height: rows * cell + 50,
      marginLeft: 50,
      marginRight: 10,
      marginTop: 40,
      marginBottom: 10,
      x: { type: 'band', domain: marks.slice(0, columns).map((m) => m.column), padding: 0, axis: null },
      y: { type: 'band', domain: Array.from({ length: rows }, (_, i) => i), padding: 0, axis: null },
      marks: [
        Plot.frame({ stroke: INK.line }),
        Plot.cell(marks, {
          x: 'column',
          y: 'row',
          fill: 'currentColor',
          fillOpacity: 'level',
          inset: cell > 10 ? 0.5 : 0,
        }),
        Plot.cell([worst], { x: 'column', y: 'row', fill: 'none', stroke: INK.second, strokeWidth: 2.5 }),
        Plot.text([`${axes[1]} →`], { frameAnchor: 'top-left', dy: -16, textAnchor: 'start', fill: INK.soft }),
        Plot.text([`${axes[0]} ↓`], { frameAnchor: 'top-left', dx: -6, dy: 12, textAnchor: 'end', fill: INK.soft }),
      ],
      opacity: { domain: [0, 1], range: [0, 0.95] },
    };
  });
  const listed = [...differing].sort((a, b) => sizeOf(b.value) - sizeOf(a.value)).slice(0, 50);
  const table = {
    caption: `Cells that differ, the greatest first`,
    columns: [{ title: axes[0] }, { title: axes[1] }, { title: 'Greatest difference', figures: true }],
    rows: listed.map((m) => [range(m.row, rows, sizes[0]), range(m.column, columns, sizes[1]), distanceText(m.value)]),
    omitted: differing.length - listed.length,
  };
  return { title: `Where it differs: ${axes[0]} and ${axes[1]}`, description, ...pictures, table };
}

function channelFigure({ size, bars }: NonNullable<WhereItDiffers['channels']>): Figure {
  const marks = bars.map((value, i) => ({ place: i, value }));
  const finite = marks.filter((m): m is { place: number; value: number } => m.value !== null);
  const differing = marks.filter(({ value }) => value !== 0);
  const worst = marks.reduce((most, mark) => (sizeOf(mark.value) > sizeOf(most.value) ? mark : most));
  const name = bars.length === size ? 'channels' : 'runs of channels';
  const description = `${differing.length} of ${bars.length} ${name} differ; the greatest difference, ${distanceText(worst.value)}, is in channel ${range(worst.place, bars.length, size)}.`;
  const pictures = drawBoth(`Bars over channels. ${description}`, ({ narrow }) => ({
    height: 150,
    marginLeft: narrow ? 48 : 56,
    marginBottom: 24,
    marginTop: 18,
    x: { type: 'linear', domain: [0, bars.length], axis: null },
    y: { label: null, ticks: 4, tickFormat: (d: number) => distanceText(d), grid: false },
    marks: [
      Plot.gridY({ ticks: 4, stroke: INK.line, strokeOpacity: 1 }),
      Plot.rectY(finite, {
        x1: 'place',
        x2: (m: { place: number }) => m.place + 1,
        y: 'value',
        fill: INK.first,
        insetRight: bars.length < 100 ? 1 : 0,
      }),
      Plot.ruleY([0], { stroke: INK.soft }),
      Plot.text([`channel 0`], { frameAnchor: 'bottom-left', dy: 16, textAnchor: 'start', fill: INK.soft }),
      Plot.text([`channel ${size - 1}`], { frameAnchor: 'bottom-right', dy: 16, textAnchor: 'end', fill: INK.soft }),
    ],
  }));
  const listed = [...differing].sort((a, b) => sizeOf(b.value) - sizeOf(a.value)).slice(0, 50);
  const table = {
    caption: 'Channels that differ, the greatest first',
    columns: [{ title: 'Channel' }, { title: 'Greatest difference', figures: true }],
    rows: listed.map((m) => [range(m.place, bars.length, size), distanceText(m.value)]),
    omitted: differing.length - listed.length,
  };
  return { title: 'Where it differs: channels', description, ...pictures, table };
}
