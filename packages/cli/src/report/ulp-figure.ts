import * as Plot from '@observablehq/plot';
import type { Evidence } from '@tfparity/numerics';
import { drawBoth, INK } from './drawing.js';
import { countText, plural } from './number-text.js';
import type { Figure } from './report-document.js';

type Ulps = NonNullable<Evidence['ulps']>;

const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
const bound = (value: number): string => (value < 1e6 ? countText(value) : compact.format(value));

function bucketName(from: number, to: number | null): string {
  // JSON has no Infinity and writes null for it.
  if (to === null || !Number.isFinite(to)) return `≥ ${bound(from)}`;
  return from === to ? bound(from) : `${bound(from)} – ${bound(to)}`;
}

/** How many elements are how many representable values apart. */
export function ulpFigure(what: string, ulps: Ulps): Figure {
  const buckets = ulps.histogram.map(({ from, to, count }) => ({ name: bucketName(from, to), count, same: to === 0 }));
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  const same = buckets.find((bucket) => bucket.same)?.count ?? 0;
  const description =
    same === total
      ? `${what}: ${plural(total, 'value')}, none of which is a single representable value (ulp) away.`
      : `${what}: ${countText(same)} of ${plural(total, 'value')} identical; the others at most ${plural(ulps.max, 'representable value')} (ulps) apart, ${bound(Number(ulps.mean.toPrecision(2)))} on average.`;
  const scale = buckets.length > 1 ? ' Bars are as long as the square root of their count.' : '';
  const pictures = drawBoth(`Histogram. ${description}`, ({ narrow }) => ({
    height: buckets.length * 26 + 24,
    marginLeft: narrow ? 112 : 150,
    marginRight: 74,
    marginTop: 20,
    marginBottom: 4,
    x: { type: 'sqrt', axis: null, domain: [0, Math.max(...buckets.map(({ count }) => count))] },
    y: { type: 'band', domain: buckets.map(({ name }) => name), label: null, padding: 0.25 },
    marks: [
      Plot.axisY({ tickSize: 0, label: null }),
      Plot.barX(buckets, {
        x: 'count',
        y: 'name',
        fill: (b: { same: boolean }) => (b.same ? INK.first : INK.second),
        insetLeft: 1,
      }),
      Plot.text(buckets, {
        x: 'count',
        y: 'name',
        text: (b: { count: number }) => countText(b.count),
        textAnchor: 'start',
        dx: 5,
        fill: 'currentColor',
      }),
      Plot.ruleX([0], { stroke: INK.soft }),
      Plot.text(['ulps apart'], {
        frameAnchor: 'top-left',
        dx: narrow ? -8 : -8,
        dy: -16,
        textAnchor: 'end',
        fill: INK.soft,
      }),
    ],
  }));
  const rows = buckets.map(({ name, count }) => [name, countText(count)]);
  const columns = [{ title: 'Ulps apart' }, { title: 'Values', figures: true }];
  return {
    title: `${what}: distance in ulps`,
    description: `${description}${scale}`,
    ...pictures,
    table: { caption: description, columns, rows },
  };
}
