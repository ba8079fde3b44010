import type { InventoryDiff } from '@tfparity/inventory';
import type { ArrayComparison, TreeComparison, TreeItem } from '@tfparity/numerics';
import { growthFigure } from './growth-figure.js';
import { heatFigures, type WhereItDiffers } from './heat-figure.js';
import { inventoryBlocks, isInventoryDiff } from './inventory-sections.js';
import { isRecord, type Loose } from './loose.js';
import { countText, distanceText, plural, shapeText } from './number-text.js';
import type { Block, ReportDocument, Section } from './report-document.js';
import { ulpFigure } from './ulp-figure.js';

/** Arrays of a tree that get a section each. */
const SECTIONS = 12;
/** Points that one picture of error growth can hold. */
const POINTS = 120;

/** Whether a value is what `compareArrays` returns. */
export function isArrayComparison(value: Loose): boolean {
  const { tolerance, actual, expected } = value;
  const isHeader = (header: unknown): boolean => isRecord(header) && Array.isArray(header['shape']);
  return (
    typeof value['mismatched'] === 'number' &&
    typeof value['total'] === 'number' &&
    typeof value['bitIdentical'] === 'boolean' &&
    isRecord(tolerance) &&
    typeof tolerance['rtol'] === 'number' &&
    [actual, expected].every(isHeader) &&
    ['differences', 'warnings'].every((field) => Array.isArray(value[field]))
  );
}

/** Whether a value is what `compareTrees` returns. */
export function isTreeComparison(value: Loose): boolean {
  return Array.isArray(value['items']) && isRecord(value['counts']) && 'firstDivergence' in value;
}

type Item = TreeItem & { readonly where?: WhereItDiffers };

const nameOf = (item: Item): string => item.name || '(the array)';

/** A tree of arrays, which keep their order: where they part and how the difference grows. */
export function treeBlocks(value: Loose, caption: string): readonly Block[] {
  if (!isTreeComparison(value)) return [];
  const tree = value as unknown as TreeComparison;
  const compared = tree.items.filter((item) => item.comparison);
  const blocks: Block[] = [];
  if (compared.length > 1) {
    const shown =
      compared.length <= POINTS ? compared : compared.filter((item) => !item.comparison!.bitIdentical).slice(0, POINTS);
    const points = shown.map((item) => ({ name: nameOf(item), shape: item.comparison!.expected.shape }));
    const distances = new Map(shown.map((item) => [nameOf(item), distanceOf(item.comparison!)]));
    if (points.length > 0)
      blocks.push({
        kind: 'figure',
        figure: growthFigure(points, [{ name: 'found against expected', distances }], 'array'),
      });
  }
  const failed = tree.items.filter((item) => !item.passed);
  if (failed.length > 0) {
    const rows = failed.slice(0, 500).map((item) => [nameOf(item), item.status, item.message]);
    const columns = [{ title: 'Array' }, { title: 'Status' }, { title: 'Why' }];
    const table = {
      caption: `${caption}: what fails (${failed.length})`,
      columns,
      rows,
      omitted: Math.max(0, failed.length - 500),
    };
    blocks.push({ kind: 'table', table, open: true });
  }
  return blocks;
}

function distanceOf(comparison: ArrayComparison) {
  const nonFinite = comparison.evidence?.nonFinite;
  const unmatched =
    nonFinite !== undefined &&
    comparison.mismatched > 0 &&
    comparison.evidence!.worst.some((w) => typeof w.actual !== typeof w.expected);
  const max = comparison.evidence === undefined || unmatched ? null : comparison.evidence.absolute.max;
  return {
    maxAbsoluteDifference: comparison.bitIdentical ? 0 : max,
    bitIdentical: comparison.bitIdentical,
    passed: comparison.passed,
  };
}

/** One array: figures, ulps, where it differs, the worst elements. */
export function arrayBlocks(comparison: ArrayComparison, where?: WhereItDiffers): readonly Block[] {
  const { evidence, tolerance, total, mismatched, actual, expected } = comparison;
  const facts = [
    ['Found', `${actual.dtype} ${shapeText(actual.shape)}`],
    ['Expected', `${expected.dtype} ${shapeText(expected.shape)}`],
    ['Outside the tolerance', `${countText(mismatched)} of ${countText(total)}`],
    [
      'Tolerance',
      `${tolerance.name}: rtol ${distanceText(tolerance.rtol)}, atol ${distanceText(tolerance.atol)}${tolerance.maxUlps ? `, ${tolerance.maxUlps} ulps` : ''}`,
    ],
    ...(evidence ? evidenceFacts(evidence) : []),
  ];
  const blocks: Block[] = [
    {
      kind: 'table',
      open: true,
      table: { caption: 'Figures', columns: [{ title: 'Figure' }, { title: 'Value' }], rows: facts },
    },
  ];
  const lines = [
    ...comparison.differences.map((d) => d.message),
    ...comparison.warnings.map((w) => `Warning: ${w.message}`),
  ];
  if (lines.length > 0) blocks.unshift({ kind: 'lines', lines });
  if (evidence?.ulps && !comparison.bitIdentical)
    blocks.push({ kind: 'figure', figure: ulpFigure('Values', evidence.ulps) });
  if (where) blocks.push(...heatFigures(where).map((figure) => ({ kind: 'figure', figure }) as const));
  const worst = evidence?.worst.filter((w) => w.actual !== w.expected) ?? [];
  if (worst.length > 0) {
    const columns = [{ title: 'Index' }, { title: 'Found', figures: true }, { title: 'Expected', figures: true }];
    const rows = worst.map((w) => [`[${w.index.join(', ')}]`, String(w.actual), String(w.expected)]);
    blocks.push({ kind: 'table', open: false, table: { caption: 'Elements farthest apart', columns, rows } });
  }
  return blocks;
}

function evidenceFacts(evidence: NonNullable<ArrayComparison['evidence']>): string[][] {
  const { absolute, relative, cosine, relativeL2, topK } = evidence;
  return [
    [
      'Absolute difference',
      `max ${distanceText(absolute.max)}, mean ${distanceText(absolute.mean)}, median ${distanceText(absolute.median)}, p99 ${distanceText(absolute.p99)}`,
    ],
    [
      'Relative difference',
      `max ${distanceText(relative.max)}, mean ${distanceText(relative.mean)}, median ${distanceText(relative.median)}, p99 ${distanceText(relative.p99)}`,
    ],
    ['Cosine', cosine === null ? 'undefined' : String(cosine)],
    ['Relative L2', relativeL2 === null ? 'undefined' : distanceText(relativeL2)],
    ...(topK.k > 0
      ? [[`Top ${topK.k}`, `${Math.round(topK.agreement * 100)}% agree${topK.sameOrder ? ', in the same order' : ''}`]]
      : []),
  ];
}

function verdictOf(passed: boolean, bitIdentical: boolean): string {
  return bitIdentical ? 'identical to the last bit' : passed ? 'the same within tolerance' : 'different';
}

function itemSection(item: Item): Section {
  const comparison = item.comparison!;
  return {
    id: `array-${nameOf(item).replace(/[^\w.-]+/g, '-')}`,
    title: nameOf(item),
    outcome: item.passed ? 'same' : 'different',
    finding: item.message || verdictOf(comparison.passed, comparison.bitIdentical),
    blocks: arrayBlocks(comparison, item.where),
  };
}

/** Lines of warnings that the page shows. */
const WARNINGS = 50;

/** What makes arrays prove little, also of those that are identical and so get no section. */
function warningLines(items: readonly Item[]): readonly string[] {
  const lines = items.flatMap((item) => item.comparison!.warnings.map((w) => `Warning: ${nameOf(item)}: ${w.message}`));
  return [
    ...lines.slice(0, WARNINGS),
    ...(lines.length > WARNINGS ? [`… and ${plural(lines.length - WARNINGS, 'warning')} more`] : []),
  ];
}

/** The lists of variables that were compared beside the values, where they were. */
function namesOf(value: unknown): InventoryDiff | undefined {
  return isRecord(value) && isInventoryDiff(value) ? (value as unknown as InventoryDiff) : undefined;
}

/** A comparison of trees as a document. */
export function treeDocument(value: Loose, title: string): ReportDocument {
  const tree = value as unknown as Omit<TreeComparison, 'items'> & { readonly items: readonly Item[] };
  const { counts } = tree;
  const compared = tree.items.filter((item) => item.comparison !== undefined);
  const chosen = [...compared]
    .sort((a, b) => Number(a.passed) - Number(b.passed))
    .filter((item) => !item.comparison!.bitIdentical);
  const names = namesOf(value['inventories']);
  const warnings = warningLines(compared);
  const passed = tree.passed && names?.same !== false;
  const sides = isRecord(value['sides'])
    ? Object.entries(value['sides']).map(([side, name]) => [side, String(name)] as const)
    : [];
  return {
    title,
    outcome: tree.items.length === 0 ? 'unclear' : passed ? 'same' : 'different',
    headline:
      tree.items.length === 0
        ? 'Nothing was compared: both sides are empty'
        : tree.passed && !passed
          ? `All ${plural(tree.items.length, 'array')} agree, but the lists of variables differ`
          : tree.passed
            ? `All ${plural(tree.items.length, 'array')}: ${verdictOf(true, tree.bitIdentical)}`
            : `${countText(counts.failed)} of ${plural(tree.items.length, 'array')} differ`,
    summary: [
      `${countText(compared.filter((item) => item.comparison!.bitIdentical).length)} of ${plural(compared.length, 'array')} identical to the last bit; ${counts.missing} missing, ${counts.extra} extra.`,
      ...(tree.firstDivergence === null ? [] : [`First divergence: ${tree.firstDivergence || '(the array)'}.`]),
    ],
    overview: [
      ...(warnings.length > 0 ? [{ kind: 'lines', lines: warnings } as const] : []),
      ...treeBlocks(value, 'Comparison'),
      ...(names?.same === false ? inventoryBlocks(names as unknown as Loose) : []),
    ],
    sections: chosen.slice(0, SECTIONS).map(itemSection),
    environment: sides,
  };
}

/** A comparison of two arrays as a document. */
export function arrayDocument(value: Loose, title: string): ReportDocument {
  const comparison = value as unknown as ArrayComparison & { readonly where?: WhereItDiffers };
  const { passed, bitIdentical, mismatched, total } = comparison;
  return {
    title,
    outcome: passed ? 'same' : 'different',
    headline: passed ? `The arrays are ${verdictOf(passed, bitIdentical)}` : 'The arrays differ',
    summary: [`${countText(mismatched)} of ${plural(total, 'element')} outside the tolerance.`],
    overview: arrayBlocks(comparison, comparison.where),
    sections: [],
    environment: [],
  };
}
