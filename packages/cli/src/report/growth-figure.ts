import * as Plot from '@observablehq/plot';
import { drawBoth, INK } from './drawing.js';
import { distanceText, plural, shapeText } from './number-text.js';
import type { Figure } from './report-document.js';

/** A difference of two arrays, as results hold it; null is what JSON makes of an infinite one. */
export interface Distance {
  readonly maxAbsoluteDifference: number | null;
  readonly bitIdentical: boolean;
  readonly passed?: boolean;
}

/** One comparison that was made at every point of the net. */
export interface Series {
  readonly name: string;
  /** By the name of the point; a point may lack it. */
  readonly distances: ReadonlyMap<string, Distance>;
}

/** A place in the net, in the order in which the net computes. */
export interface NetPoint {
  readonly name: string;
  readonly shape?: readonly number[];
}

interface Mark {
  readonly point: string;
  readonly series: string;
  readonly x: number;
  readonly failed: boolean;
}

/** The logarithmic axis: powers of ten that hold every distance, a place for "identical" before them and one for infinity. */
interface Axis {
  readonly low: number;
  readonly high: number;
  readonly identical: number;
  readonly infinite: number;
  readonly ticks: readonly number[];
}

function axisOf(distances: readonly number[], narrow: boolean): Axis {
  const finite = distances.filter((d) => d > 0 && Number.isFinite(d)).map(Math.log10);
  const low = Math.min(-8, ...finite.map(Math.floor));
  const high = Math.max(0, ...finite.map(Math.ceil));
  const every = Math.ceil((high - low) / (narrow ? 4 : 10));
  const ticks: number[] = [];
  for (let power = high; power >= low; power -= every) ticks.unshift(10 ** power);
  const gap = (high - low) * (narrow ? 0.24 : 0.14);
  return {
    low: 10 ** low,
    high: 10 ** high,
    identical: 10 ** (low - gap),
    infinite: 10 ** (high + gap),
    ticks,
  };
}

function placeOf({ maxAbsoluteDifference: d, bitIdentical }: Distance, axis: Axis): number {
  if (d === null || !Number.isFinite(d)) return axis.infinite;
  // Equal values whose bits are not (+0 and -0) stand with the identical ones; the table tells them apart.
  return bitIdentical || d === 0 ? axis.identical : d;
}

const SYMBOLS = ['circle', 'diamond2'] as const;
const STROKES = [INK.first, INK.second] as const;
const power = (value: number): string => `1e${Math.round(Math.log10(value))}`.replace('-', '−').replace(/^1e0$/, '1');

/** What one comparison shows over the net, in a sentence. */
export function growthSentence({ name, distances }: Series, points: readonly NetPoint[], noun: string): string {
  const known = points.flatMap((point) => {
    const distance = distances.get(point.name);
    return distance ? [{ name: point.name, ...distance }] : [];
  });
  const differing = known.filter((d) => !d.bitIdentical);
  if (differing.length === 0) return `${name}: ${plural(known.length, noun)}, all identical to the last bit.`;
  const size = (d: Distance): number => d.maxAbsoluteDifference ?? Number.POSITIVE_INFINITY;
  const worst = differing.reduce((most, d) => (size(d) > size(most) ? d : most));
  return `${name}: ${known.length - differing.length} of ${plural(known.length, noun)} identical to the last bit; the first to differ is ${differing[0]!.name} (${distanceText(differing[0]!.maxAbsoluteDifference)}), the farthest ${worst.name} (${distanceText(worst.maxAbsoluteDifference)}).`;
}

/** The difference at every end point, in the net's order from top to bottom: how the error grows. */
export function growthFigure(points: readonly NetPoint[], series: readonly Series[], noun = 'end point'): Figure {
  const all = series.flatMap((s) => [...s.distances.values()].map((d) => d.maxAbsoluteDifference ?? Infinity));
  const description = series
    .map((s) => growthSentence(s, points, noun))
    .map((sentence) => `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`)
    .join(' ');
  const infinite = all.some((d) => !Number.isFinite(d));
  const pictures = drawBoth(`Difference at every ${noun}. ${description}`, ({ narrow }) => {
    const axis = axisOf(all, narrow);
    const marks = series.flatMap((s) =>
      points.flatMap(({ name }): Mark[] => {
        const distance = s.distances.get(name);
        if (distance === undefined) return [];
        return [{ point: name, series: s.name, x: placeOf(distance, axis), failed: distance.passed === false }];
      }),
    );
    return {
      height: points.length * 22 + 66,
      marginLeft: narrow ? 112 : 150,
      marginRight: infinite ? 26 : 16,
      marginTop: 34,
      marginBottom: 8,
      x: { type: 'log', domain: [axis.identical / 2, infinite ? axis.infinite * 2 : axis.high], axis: null },
      y: { type: 'band', domain: points.map(({ name }) => name), label: null, padding: 0 },
      marks: [
        Plot.gridY({ stroke: INK.line, strokeOpacity: 1 }),
        Plot.ruleX(axis.ticks, { stroke: INK.line }),
        Plot.ruleX([axis.identical], { stroke: INK.soft, strokeDasharray: '2,3' }),
        Plot.text([narrow ? 'same' : 'identical'], {
          x: () => axis.identical,
          frameAnchor: 'top',
          dy: -14,
          fontWeight: 600,
          fill: 'currentColor',
        }),
        Plot.axisX([...axis.ticks], { anchor: 'top', tickFormat: power, tickSize: 0, label: null }),
        infinite
          ? Plot.text(['∞'], {
              x: () => axis.infinite,
              frameAnchor: 'top',
              dy: -14,
              fontSize: 15,
              fill: 'currentColor',
            })
          : null,
        Plot.axisY({ tickSize: 0, label: null, tickFormat: (name: string) => shorten(name, narrow ? 16 : 22) }),
        ...series.flatMap((s, i) =>
          seriesMarks(
            marks.filter((mark) => mark.series === s.name),
            i,
          ),
        ),
      ],
    };
  });
  const failed = series.some((s) => [...s.distances.values()].some(({ passed }) => passed === false));
  const key = series.map(({ name }, i) => ({ name, symbol: keySymbol(i) }));
  if (failed) key.push({ name: 'farther than allowed', symbol: FAILED_SYMBOL });
  const title = `Difference at every ${noun}`;
  return { title, description, ...pictures, key, table: growthTable(points, series, noun) };
}

/** The first series is a solid line with filled circles, the second a dashed one with open diamonds: no colour needed. */
function seriesMarks(marks: readonly Mark[], index: number): Plot.Markish[] {
  const stroke = STROKES[index % 2]!;
  const base = { x: 'x', y: 'point' } as const;
  const failed = marks.filter((mark) => mark.failed);
  return [
    Plot.line(marks, {
      ...base,
      stroke,
      strokeWidth: 1.5,
      strokeOpacity: 0.75,
      ...(index % 2 ? { strokeDasharray: '5,4' } : {}),
    }),
    Plot.dot(marks, {
      ...base,
      symbol: SYMBOLS[index % 2]!,
      r: index % 2 ? 6.5 : 4,
      stroke,
      strokeWidth: 1.75,
      fill: index % 2 ? 'none' : stroke,
    }),
    Plot.dot(failed, { ...base, symbol: 'times', r: 7, stroke: INK.bad, strokeWidth: 2.5 }),
  ];
}

function keySymbol(index: number): string {
  const stroke = STROKES[index % 2]!;
  const line = `<path d="M0 8H36" stroke="${stroke}" stroke-width="1.5"${index % 2 ? ' stroke-dasharray="5,4"' : ''}/>`;
  const mark =
    index % 2
      ? `<path d="M18 1l7 7l-7 7l-7-7z" fill="none" stroke="${stroke}" stroke-width="1.75"/>`
      : `<circle cx="18" cy="8" r="4.5" fill="${stroke}"/>`;
  return `<svg viewBox="0 0 36 16">${line}${mark}</svg>`;
}

const FAILED_SYMBOL = `<svg viewBox="0 0 36 16"><path d="M12 2l12 12M24 2l-12 12" stroke="${INK.bad}" stroke-width="2.5"/></svg>`;

function shorten(name: string, length: number): string {
  return name.length <= length ? name : `…${name.slice(1 - length)}`;
}

function growthTable(points: readonly NetPoint[], series: readonly Series[], noun: string): Figure['table'] {
  const cell = (distance: Distance | undefined): string => {
    if (distance === undefined) return '–';
    const text = distance.bitIdentical ? 'identical' : distanceText(distance.maxAbsoluteDifference);
    return distance.passed === false ? `${text} (too far)` : text;
  };
  return {
    caption: `Greatest difference at every ${noun}`,
    columns: [
      { title: `${noun.charAt(0).toUpperCase()}${noun.slice(1)}` },
      { title: 'Shape' },
      ...series.map(({ name }) => ({ title: name, figures: true })),
    ],
    rows: points.map(({ name, shape }) => [
      name,
      shapeText(shape),
      ...series.map(({ distances }) => cell(distances.get(name))),
    ]),
  };
}
