import type { InventoryDiff, InventoryEntry } from '@tfparity/inventory';
import type { Loose } from './loose.js';
import { countText, plural, shapeText } from './number-text.js';
import type { Block, ReportDocument } from './report-document.js';

/** Rows of one list that the page shows. */
const SHOWN = 500;

/** Whether a value is what `diffInventories` returns. */
export function isInventoryDiff(value: Loose): boolean {
  return ['missing', 'unexpected', 'shape', 'likelyRenames'].every((field) => Array.isArray(value[field]));
}

function list<T>(
  caption: string,
  titles: readonly string[],
  items: readonly T[],
  row: (item: T) => readonly string[],
): Block[] {
  if (items.length === 0) return [];
  const table = {
    caption: `${caption} (${countText(items.length)})`,
    columns: titles.map((title) => ({ title })),
    rows: items.slice(0, SHOWN).map(row),
    omitted: Math.max(0, items.length - SHOWN),
  };
  return [{ kind: 'table', table, open: items.length <= 20 }];
}

/** The difference of two inventories: the likely causes, and a table of each kind of difference. */
export function inventoryBlocks(value: Loose): readonly Block[] {
  const diff = value as unknown as InventoryDiff;
  const { counts } = diff;
  const entry = (e: InventoryEntry): string[] => [e.name, shapeText(e.shape), e.dtype ?? '–'];
  const entryTitles = ['Variable', 'Shape', 'Dtype'];
  const pairTitles = ['Variable', 'Found', 'Expected'];
  const counted: Block = {
    kind: 'table',
    open: true,
    table: {
      caption: 'Variables',
      columns: [{ title: 'Side' }, ...['Variables', 'Trainable', 'Values'].map((title) => ({ title, figures: true }))],
      rows: [
        ['found', countText(counts.actual), countText(counts.actualTrainable), countText(counts.actualValues)],
        ['expected', countText(counts.expected), countText(counts.expectedTrainable), countText(counts.expectedValues)],
      ],
    },
  };
  return [
    counted,
    ...(diff.causes.length > 0
      ? [{ kind: 'lines', lines: diff.causes.map((cause) => `Likely cause: ${cause.message}`) } as const]
      : []),
    ...list('Missing', entryTitles, diff.missing, entry),
    ...list('Unexpected', entryTitles, diff.unexpected, entry),
    ...list('Other shape', pairTitles, diff.shape, (m) => [m.name, shapeText(m.actual), shapeText(m.expected)]),
    ...list('Other dtype', pairTitles, diff.dtype, (m) => [m.name, m.actual, m.expected]),
    ...list('Other trainability', pairTitles, diff.trainable, (m) => [m.name, String(m.actual), String(m.expected)]),
    ...list('Listed more than once', ['Variable', 'Side', 'Times'], diff.duplicates, (d) => [
      d.name,
      d.side,
      String(d.count),
    ]),
    ...list('Other order', pairTitles, diff.order, (o) => [o.name, String(o.actual), String(o.expected)]),
    ...list('Likely renames', ['Found', 'Expected', 'Why'], diff.likelyRenames, (r) => [
      r.actual,
      r.expected,
      r.reason,
    ]),
  ];
}

/** The difference of two inventories as a document of its own. */
export function inventoryDocument(value: Loose, title: string): ReportDocument {
  const diff = value as unknown as InventoryDiff;
  const differences =
    diff.missing.length + diff.unexpected.length + diff.shape.length + diff.dtype.length + diff.trainable.length;
  const none = diff.counts.actual + diff.counts.expected === 0;
  return {
    title,
    outcome: none ? 'unclear' : diff.same ? 'same' : 'different',
    headline: none
      ? 'Neither side has a variable'
      : diff.same
        ? 'Both sides have the same variables'
        : `The variables differ in ${plural(differences, 'place')}`,
    summary: [
      `${plural(diff.counts.actual, 'variable')} found, ${countText(diff.counts.expected)} expected, ${countText(diff.counts.common)} in common.`,
    ],
    overview: inventoryBlocks(value),
    sections: [],
    environment: [],
  };
}
