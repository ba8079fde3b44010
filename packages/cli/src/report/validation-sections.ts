import type { TreeComparison } from '@tfparity/numerics';
import { isTreeComparison, treeBlocks } from './comparison-sections.js';
import { faultFigure } from './fault-figure.js';
import { inventoryBlocks, isInventoryDiff } from './inventory-sections.js';
import { isRecord, type Loose, numberOf, recordsOf, textOr, textsOf } from './loose.js';
import { countText, plural, secondsText, shapeText } from './number-text.js';
import type { Block, Outcome, ReportDocument, Section } from './report-document.js';
import { ulpFigure } from './ulp-figure.js';

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  same: 'same',
  different: 'different',
  'cannot-tell': 'unclear',
  passed: 'same',
  failed: 'different',
  skipped: 'unclear',
  error: 'unclear',
};

/** Whether a value is what `validateMigration` returns. */
export function isValidation(value: Loose): boolean {
  return typeof value['verdict'] === 'string' && recordsOf(value['steps']).some((step) => 'status' in step);
}

const outcomeOf = (word: unknown): Outcome => OUTCOMES[textOr(word, '')] ?? 'unclear';

function updateTable(updates: Loose): readonly Block[] {
  const names = (field: string): readonly string[] => textsOf(updates[field]);
  const rows = [
    ...names('notUpdated').map((name) => [name, 'changed by the legacy side alone: its update did not run']),
    ...names('onlyMigrated').map((name) => [name, 'changed by the migrated side alone']),
  ];
  if (rows.length === 0) return [];
  const table = {
    caption: 'Variables that one side alone updates',
    columns: [{ title: 'Variable' }, { title: 'What' }],
    rows,
  };
  return [{ kind: 'table', open: rows.length <= 20, table }];
}

/** The ulps of the array that differs most, where none fails: how close "close" is. */
function worstUlps(tree: TreeComparison, of: string): readonly Block[] {
  const inexact = tree.items.filter(
    (item) => item.comparison?.bitIdentical === false && item.comparison.evidence?.ulps,
  );
  const distance = (item: (typeof inexact)[number]): number => item.comparison!.evidence!.absolute.max;
  const worst = inexact.reduce<(typeof inexact)[number] | undefined>(
    (most, item) => (most && distance(most) >= distance(item) ? most : item),
    undefined,
  );
  if (worst === undefined) return [];
  return [
    { kind: 'figure', figure: ulpFigure(`${of}: ${worst.name || 'the output'}`, worst.comparison!.evidence!.ulps!) },
  ];
}

function stepBlocks(step: Loose): readonly Block[] {
  const warnings = recordsOf(step['warnings']).map((warning) => `Warning: ${textOr(warning['message'], '')}`);
  const reason = typeof step['reason'] === 'string' ? [`Skipped: ${step['reason']}`] : [];
  const error = isRecord(step['error'])
    ? [`${textOr(step['error']['name'], 'Error')}: ${textOr(step['error']['message'], '')}`]
    : [];
  const lines = [...new Set([...textsOf(step['lines']), ...reason, ...error, ...warnings])];
  const blocks: Block[] = lines.length > 0 ? [{ kind: 'lines', lines }] : [];
  for (const { of, comparison } of recordsOf(step['comparisons'])) {
    if (!isRecord(comparison) || !isTreeComparison(comparison)) continue;
    const name = textOr(of, 'comparison');
    const tree = comparison as unknown as TreeComparison;
    if (tree.bitIdentical && tree.items.length > 0) {
      blocks.push({
        kind: 'lines',
        lines: [`${name}: ${plural(tree.items.length, 'array')}, identical to the last bit`],
      });
      if (name !== 'outputs') continue;
    }
    blocks.push(...treeBlocks(comparison, name), ...worstUlps(tree, name));
  }
  if (isRecord(step['inventory']) && isInventoryDiff(step['inventory']))
    blocks.push(...inventoryBlocks(step['inventory']));
  if (isRecord(step['updates'])) blocks.push(...updateTable(step['updates']));
  if (isRecord(step['ledger']))
    blocks.push({
      kind: 'lines',
      lines: [`Random draws part: ${textOr(step['ledger']['message'], JSON.stringify(step['ledger']))}`],
    });
  const created = textsOf(step['created']);
  if (created.length > 0)
    blocks.push({ kind: 'lines', lines: created.slice(0, 50).map((name) => `made by the second call: ${name}`) });
  return blocks;
}

function stepSection(step: Loose): Section {
  const id = textOr(step['id'], '');
  return {
    id: id.replace(/[^\w.-]+/g, '-'),
    title: textOr(step['title'], id),
    outcome: outcomeOf(step['status']),
    ...(step['status'] === 'skipped' ? { word: 'skipped' } : {}),
    finding: textOr(step['reason'], (textsOf(step['lines'])[0] ?? '').split('\n')[0]!),
    ...(numberOf(step['seconds']) === undefined ? {} : { seconds: step['seconds'] as number }),
    blocks: stepBlocks(step),
  };
}

function variableList(report: Loose): readonly Block[] {
  const inventories = isRecord(report['inventories']) ? report['inventories'] : {};
  return ['legacy', 'migrated'].flatMap((side): Block[] => {
    const inventory = inventories[side];
    const entries = isRecord(inventory) ? recordsOf(inventory['entries']) : [];
    if (entries.length === 0) return [];
    const rows = entries
      .slice(0, 2000)
      .map((entry) => [
        textOr(entry['name'], ''),
        shapeText(entry['shape'] as number[]),
        textOr(entry['dtype'], '–'),
        entry['trainable'] === undefined ? '–' : entry['trainable'] ? 'yes' : 'no',
      ]);
    const columns = ['Variable', 'Shape', 'Dtype', 'Trainable'].map((title) => ({ title }));
    const caption = `Variables of the ${side} side (${countText(entries.length)})`;
    return [{ kind: 'table', open: false, table: { caption, columns, rows, omitted: entries.length - rows.length } }];
  });
}

function environmentOf(report: Loose): (readonly [string, string])[] {
  const environment = isRecord(report['environment']) ? report['environment'] : {};
  const versions = isRecord(environment['versions']) ? Object.entries(environment['versions']) : [];
  const sides = isRecord(report['sides']) ? report['sides'] : {};
  const known: (readonly [string, unknown])[] = [
    ['Legacy side', sides['legacy']],
    ['Migrated side', sides['migrated']],
    ['Backend', environment['backend']],
    ...versions,
    ['Platform', environment['platform']],
    ['Started', report['startedAt']],
    ['Time', typeof report['seconds'] === 'number' ? secondsText(report['seconds']) : undefined],
  ];
  return known.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []));
}

/** What `validateMigration` returned, as a document. */
export function validationDocument(report: Loose, title: string): ReportDocument {
  const steps = recordsOf(report['steps']);
  const count = (status: string): number => steps.filter((step) => step['status'] === status).length;
  const parts = ['passed', 'failed', 'skipped', 'error'].flatMap((status) =>
    count(status) > 0 ? [`${count(status)} ${status}`] : [],
  );
  const outcome = outcomeOf(report['verdict']);
  const headlines = {
    same: 'The migrated model computes the same',
    different: 'The migrated model differs',
    unclear: 'It could not be told',
  };
  return {
    title,
    outcome,
    headline: headlines[outcome],
    summary: [textOr(report['summary'], ''), `${plural(steps.length, 'step')}: ${parts.join(', ')}.`].filter(Boolean),
    overview: variableList(report),
    sections: steps.map(stepSection),
    environment: environmentOf(report),
  };
}

/** What `proveSensitivity` returned, as a document: the fault table, then the run without a fault. */
export function sensitivityDocument(report: Loose, title: string): ReportDocument {
  const passed = report['passed'] === true;
  const baseline = validationDocument(report['baseline'] as Loose, title);
  return {
    title,
    outcome: passed ? 'same' : baseline.outcome === 'unclear' ? 'unclear' : 'different',
    headline: passed
      ? 'Every injected fault is caught by some step'
      : baseline.outcome === 'same' && recordsOf(report['faults']).some((fault) => fault['status'] === 'not-run')
        ? 'It was stopped before every fault was tried'
        : 'The steps do not see every fault',
    summary: [textOr(report['summary'], '')],
    overview: [{ kind: 'figure', figure: faultFigure(report) }],
    sections: baseline.sections,
    environment: baseline.environment,
  };
}
