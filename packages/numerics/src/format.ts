import { formatShape } from '@tfparity/array';
import type { ArrayComparison, Evidence } from './array-comparison.js';
import type { ElementDifference } from './tally.js';
import type { TreeComparison, TreeItem } from './trees.js';

const figure = (value: number): string => (value === 0 ? '0' : Number(value.toPrecision(4)).toString());
const percent = (part: number, whole: number): string =>
  whole === 0 ? '0%' : `${Number(((100 * part) / whole).toPrecision(3))}%`;

/** How much `formatComparison` prints. */
export interface FormatOptions {
  /** Lines of each list; 10. */
  readonly limit?: number;
}

/**
 * A comparison as text for people: the verdict first, then what differs, the figures, the worst elements, and what weakens a pass. Of a
 * tree, one line for each item that fails, and the details of the first.
 */
export function formatComparison(result: ArrayComparison | TreeComparison, options: FormatOptions = {}): string {
  return 'items' in result
    ? formatTree(result, options.limit ?? 10)
    : formatArray(result, options.limit ?? 10).join('\n');
}

function formatArray(result: ArrayComparison, limit: number): string[] {
  const { expected, tolerance, total, mismatched, evidence } = result;
  const verdict = result.bitIdentical ? 'bit-identical' : result.passed ? 'close' : 'different';
  const limits = `rtol ${tolerance.rtol}, atol ${tolerance.atol}${tolerance.maxUlps ? `, ${tolerance.maxUlps} ulps` : ''}`;
  const lines = [
    `${verdict}: ${expected.dtype} ${formatShape(expected.shape)}, ${mismatched} of ${total} elements (${percent(mismatched, total)}) outside ${tolerance.name} (${limits})`,
    ...result.differences.filter((d) => d.kind !== 'values' || mismatched === 0).map((d) => `  ${d.message}`),
  ];
  if (evidence && !result.bitIdentical) lines.push(...figureLines(evidence));
  lines.push(...elements('first mismatches', result.first, limit));
  if (evidence && mismatched > 0) lines.push(...elements('farthest apart', evidence.worst, limit));
  for (const warning of result.warnings) lines.push(`  warning: ${warning.message}`);
  return lines;
}

function figureLines(evidence: Evidence): string[] {
  const { absolute, relative, ulps, cosine, relativeL2, nonFinite } = evidence;
  const rows = [
    ['', 'max', 'mean', 'median', 'p99'],
    ...(
      [
        ['absolute', absolute],
        ['relative', relative],
      ] as const
    ).map(([name, d]) => [name, ...[d.max, d.mean, d.median, d.p99].map(figure)]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd());
  if (ulps) {
    const buckets = ulps.histogram.map(({ from, to, count }) => `${from === to ? from : `${from}–${to}`}: ${count}`);
    lines.push(`  ulps: max ${ulps.max}, mean ${figure(ulps.mean)}; ${buckets.join(', ')}`);
  }
  const parts = [
    `cosine ${cosine ?? 'undefined'}`,
    `relative L2 ${relativeL2 === null ? 'undefined' : figure(relativeL2)}`,
  ];
  if (evidence.topK.k > 0) parts.push(`top ${evidence.topK.k} agree ${percent(evidence.topK.agreement, 1)}`);
  lines.push(`  ${parts.join(', ')}`);
  for (const side of ['actual', 'expected'] as const) {
    const { nan, positiveInfinity, negativeInfinity } = nonFinite[side];
    if (nan + positiveInfinity + negativeInfinity > 0) {
      lines.push(`  ${side}: ${nan} NaN, ${positiveInfinity} Infinity, ${negativeInfinity} -Infinity`);
    }
  }
  return lines;
}

function elements(title: string, list: readonly ElementDifference[], limit: number): string[] {
  if (list.length === 0) return [];
  const lines = list.slice(0, limit).map((e) => `    [${e.index.join(', ')}]: ${e.actual}, expected ${e.expected}`);
  return [`  ${title}:`, ...lines];
}

function formatTree(result: TreeComparison, limit: number): string {
  const { counts } = result;
  const verdict = result.bitIdentical ? 'bit-identical' : result.passed ? 'close' : 'different';
  const total = result.items.length;
  const lines = [
    `${verdict}: ${counts.failed} of ${total} items fail (${counts.missing} missing, ${counts.extra} extra)`,
  ];
  if (total === 0) lines.push('  warning: the trees are empty: nothing was compared');
  const failed = result.items.filter((item) => !item.passed);
  lines.push(...failed.slice(0, limit).map((item) => `  ${label(item)}: ${item.message}`));
  if (failed.length > limit) lines.push(`  … and ${failed.length - limit} more`);
  const first = failed.find((item) => item.comparison);
  if (first?.comparison) {
    const [head, ...rest] = formatArray(first.comparison, limit);
    lines.push(`${label(first)}: ${head}`, ...rest);
  }
  const warned = result.items.filter((item) => item.passed && item.comparison && item.comparison.warnings.length > 0);
  for (const item of warned.slice(0, limit))
    lines.push(`  warning: ${label(item)}: ${item.comparison!.warnings[0]!.message}`);
  if (warned.length > limit) lines.push(`  … and ${warned.length - limit} more items with warnings`);
  for (const match of result.unusedOverrides ?? []) {
    lines.push(`  warning: the override for ${match} was applied to nothing`);
  }
  return lines.join('\n');
}

const label = (item: TreeItem): string => item.name || '(the array)';
