import type { GrowthPoint, TriageReport } from './triage-report.js';
import { describeCulprit } from './triage-verdict.js';

/** How many lines of a kind are printed; the report has all. */
const MOST = 5;

const exponential = (value: number | null) => (value === null ? '-' : value.toExponential(1));

/** At most `most` items, with a line that counts the rest. */
function first(items: readonly string[], most: number): string[] {
  const rest = items.length - most;
  return rest > 0 ? [...items.slice(0, most), `  … ${rest} more`] : [...items];
}

/** Where the error first appears, where it is greatest, and the end: growth in few lines. */
function growthLines(growth: readonly GrowthPoint[]): string[] {
  const from = growth.findIndex(({ verdict }) => verdict !== 'identical');
  if (from < 0) return [];
  const points = growth.slice(Math.max(0, from - 1));
  const step = Math.max(1, Math.ceil(points.length / 12));
  const shown = points.filter((point, i) => i < 2 || i % step === 0 || point === points.at(-1));
  const width = Math.max(...shown.map(({ name }) => name.length), 4);
  const rows = shown.map(
    ({ name, maxAbsolute, relativeL2, noise, verdict }) =>
      `  ${name.padEnd(width)}  ${exponential(maxAbsolute).padStart(8)}  ${exponential(relativeL2).padStart(8)}  ${exponential(noise).padStart(8)}  ${verdict}`,
  );
  return [`  ${'where'.padEnd(width)}  ${'greatest'}  ${'relative'}  ${'   noise'}`, ...rows];
}

/** A triage in at most a screen: the finding first, then the culprits, the way down to them, and how the error grows. */
export function formatTriage(report: TriageReport): string {
  const { verdict, summary, culprits, firstDivergence, growth, warnings, parentsThatDiffer } = report;
  const others = culprits
    .slice(1)
    .map((culprit) => `  also: ${describeCulprit(culprit)}${culprit.mayFollow ? ' (may follow)' : ''}`);
  const place = firstDivergence === null ? [] : [firstDivergence.op?.name ?? firstDivergence.path.at(-1) ?? ''];
  return [
    `${verdict}: ${summary}`,
    ...first(others, MOST),
    ...place.map(
      (name) =>
        `  first divergence: ${name}${firstDivergence!.path.length > 0 ? `, in ${firstDivergence!.path.at(-1)}` : ''}`,
    ),
    ...first(
      parentsThatDiffer.map(({ message }) => `  ${message}`),
      1,
    ),
    ...growthLines(growth),
    ...first(
      warnings.map((warning) => `  ! ${warning}`),
      MOST,
    ),
  ].join('\n');
}
