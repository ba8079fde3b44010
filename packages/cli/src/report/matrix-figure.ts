import * as Plot from '@observablehq/plot';
import { drawBoth, INK } from './drawing.js';
import type { Distance } from './growth-figure.js';
import { distanceText, plural } from './number-text.js';
import type { Figure } from './report-document.js';

/** One column: a run, and how far apart both sides are at each row's place. */
export interface MatrixColumn {
  readonly name: string;
  readonly distances: ReadonlyMap<string, Distance>;
}

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** A power of ten, short enough for a cell: `10⁻⁷`. */
function magnitude(distance: number | null): string {
  if (distance === null || !Number.isFinite(distance)) return '∞';
  const power = Math.floor(Math.log10(distance));
  return `10${power < 0 ? '⁻' : ''}${[...String(Math.abs(power))].map((digit) => SUPERSCRIPT[Number(digit)]).join('')}`;
}

interface Cell {
  readonly row: string;
  readonly column: string;
  readonly text: string;
  /** 0 where nothing differs, else from 0.1 at 1e-9 to 0.65 at 1 and beyond. */
  readonly level: number;
  readonly failed: boolean;
}

const SAME = '=';
const UNSEEN = '≈';

function cellOf(row: string, column: string, distance: Distance): Cell {
  const d = distance.maxAbsoluteDifference;
  // No difference that was seen, though the bits of all are not the same: between samples, or of a zero's sign.
  const unseen = !distance.bitIdentical && d === 0;
  const power = d === null ? 0 : Math.log10(d);
  const seen = 0.1 + 0.55 * Math.min(1, Math.max(0, (power + 9) / 9));
  const level = distance.bitIdentical ? 0 : unseen ? 0.05 : seen;
  const text = distance.bitIdentical ? SAME : unseen ? UNSEEN : magnitude(d);
  return { row, column, text, level, failed: distance.passed === false };
}

/** Every place in every run: `=` where both sides are identical, `≈` where only what was sampled of them is, else the power of ten of the difference. */
export function matrixFigure(title: string, rows: readonly string[], columns: readonly MatrixColumn[]): Figure {
  const cells = columns.flatMap(({ name, distances }) =>
    rows.flatMap((row) => {
      const distance = distances.get(row);
      return distance ? [cellOf(row, name, distance)] : [];
    }),
  );
  const same = cells.filter(({ text }) => text === SAME).length;
  const unseen = cells.filter(({ text }) => text === UNSEEN).length;
  const failed = cells.filter((cell) => cell.failed);
  const counted = `${same} of ${plural(cells.length, 'end point')} in ${plural(columns.length, 'run')} identical to the last bit (=)${unseen > 0 ? `, ${unseen} without a difference among the values that were kept (≈)` : ''}.`;
  const scale = ' Elsewhere the power of ten of the greatest difference, darker the greater';
  const frame = failed.length > 0 ? '; a thick frame marks what is farther than allowed' : '';
  const description = same === cells.length ? counted : `${counted}${scale}${frame}.`;
  const pictures = drawBoth(`${title}, every end point in every run. ${description}`, ({ narrow }) => {
    const marginLeft = narrow ? 108 : 150;
    const cell = narrow ? Math.min(44, (340 - marginLeft) / columns.length) : 84;
    const longest = Math.max(...columns.map(({ name }) => name.length));
    return {
      width: marginLeft + cell * columns.length + (narrow ? 0 : 60),
      height: rows.length * 22 + (narrow ? longest * 6.6 + 12 : 30 + longest * 3.4),
      marginLeft,
      marginRight: narrow ? 0 : 60,
      marginTop: narrow ? longest * 6.6 + 8 : 26 + longest * 3.4,
      marginBottom: 2,
      x: { type: 'band', domain: columns.map(({ name }) => name), padding: 0.04, axis: null },
      y: { type: 'band', domain: [...rows], padding: 0.08, axis: null },
      opacity: { domain: [0, 1], range: [0, 1] },
      marks: [
        Plot.axisX({ anchor: 'top', tickSize: 0, label: null, tickRotate: narrow ? -90 : -30, textAnchor: 'start' }),
        Plot.axisY({ tickSize: 0, label: null, tickFormat: (name: string) => (narrow ? name.slice(0, 16) : name) }),
        Plot.cell(cells, { x: 'column', y: 'row', fill: INK.paper, stroke: INK.line }),
        Plot.cell(cells, { x: 'column', y: 'row', fill: INK.second, fillOpacity: 'level' }),
        Plot.cell(failed, { x: 'column', y: 'row', fill: 'none', stroke: INK.bad, strokeWidth: 2.5, inset: 1 }),
        Plot.text(cells, { x: 'column', y: 'row', text: 'text', fill: 'currentColor' }),
      ],
    };
  });
  const table = {
    caption: `${title}: greatest absolute difference at every end point`,
    columns: [{ title: 'End point' }, ...columns.map(({ name }) => ({ title: name, figures: true }))],
    rows: rows.map((row) => [
      row,
      ...columns.map(({ distances }) => {
        const d = distances.get(row);
        return d === undefined ? '–' : d.bitIdentical ? 'identical' : distanceText(d.maxAbsoluteDifference);
      }),
    ]),
  };
  return { title, description, ...pictures, table };
}
