import { compareArrays, type Evidence } from '@tfparity/numerics';
import { treeBlocks } from './comparison-sections.js';
import { type Distance, growthFigure, type NetPoint, type Series } from './growth-figure.js';
import { inventoryBlocks, isInventoryDiff } from './inventory-sections.js';
import { isRecord, type Loose, numberOf, numbersOf, recordsOf, textOr, textsOf } from './loose.js';
import { countText, distanceText, plural, secondsText } from './number-text.js';
import type { Block, Outcome, ReportDocument, Section, Table } from './report-document.js';
import { ulpFigure } from './ulp-figure.js';

const SIDES = 'migrated against TF1';
const RECORDED = 'TF1 against recorded TensorFlow';

/** Whether a result is a run of steps: a migration's, each step with its id, title and outcome. */
export function isRun(result: Loose): boolean {
  const steps = recordsOf(result['steps']);
  return steps.length > 0 && steps.every((step) => typeof step['id'] === 'string' && 'passed' in step);
}

function distanceOf(value: unknown): Distance | undefined {
  if (!isRecord(value) || typeof value['bitIdentical'] !== 'boolean') return undefined;
  return {
    maxAbsoluteDifference: numberOf(value['maxAbsoluteDifference']) ?? null,
    bitIdentical: value['bitIdentical'],
    ...(typeof value['passed'] === 'boolean' ? { passed: value['passed'] } : {}),
  };
}

/** The end points of a step and what each of its comparisons found there. */
function netOf(step: Loose): { points: readonly NetPoint[]; series: readonly Series[] } {
  const endPoints = recordsOf(step['endPoints']).filter((point) => typeof point['name'] === 'string');
  const points = endPoints.map((point) => ({ name: point['name'] as string, shape: numbersOf(point['shape']) }));
  const seriesOf = (name: string, field: string): Series => {
    const known = endPoints.flatMap((point) => {
      const distance = distanceOf(point[field]);
      return distance ? [[point['name'] as string, distance] as const] : [];
    });
    return { name, distances: new Map(known) };
  };
  const series = [seriesOf(SIDES, 'sides'), seriesOf(RECORDED, 'golden')].filter((s) => s.distances.size > 0);
  return { points, series };
}

/** The logits of both sides, compared in ulps; they are float32 values in the JSON, so nothing is lost. */
function logitBlocks(step: Loose): readonly Block[] {
  const logits = isRecord(step['logits']) ? step['logits'] : {};
  const [tf1, migrated] = [numbersOf(logits['tf1']), numbersOf(logits['migrated'])];
  if (tf1 === undefined || migrated === undefined || tf1.length !== migrated.length || tf1.length === 0) return [];
  const evidence = compareArrays(Float32Array.from(migrated), Float32Array.from(tf1)).evidence;
  if (evidence?.ulps === undefined) return [];
  const table = topTable(evidence, tf1, migrated);
  return [
    { kind: 'figure', figure: ulpFigure('Logits, migrated against TF1', evidence.ulps) },
    { kind: 'table', table, open: false },
  ];
}

function topTable({ topK }: Evidence, tf1: readonly number[], migrated: readonly number[]): Table {
  return {
    caption: `The ${topK.k} greatest logits`,
    columns: [
      { title: 'Class', figures: true },
      { title: 'TF1', figures: true },
      { title: 'Migrated', figures: true },
    ],
    rows: topK.expected.map((offset) => [String(offset), String(tf1[offset]), String(migrated[offset])]),
  };
}

/** Figures of a step that are one number on each side. */
function lossTable(step: Loose): readonly Block[] {
  const loss = step['regularizationLoss'];
  if (!isRecord(loss)) return [];
  const rows = Object.entries(loss).flatMap(([side, value]) => {
    const name = { tf1: 'TF1', migrated: 'Migrated', published: "Published in TensorFlow's guide" }[side] ?? side;
    return typeof value === 'number' ? [[name, String(value)]] : [];
  });
  const columns = [{ title: 'Regularization loss' }, { title: 'Value', figures: true }];
  return rows.length > 0
    ? [{ kind: 'table', open: true, table: { caption: 'Regularization loss', columns, rows } }]
    : [];
}

/** Small named arrays that a step holds of both sides, value by value. */
function arrayTables(step: Loose): readonly Block[] {
  const { tf1, migrated } = step as { tf1: unknown; migrated: unknown };
  if (!isRecord(tf1) || !isRecord(migrated)) return [];
  const rows = Object.entries(tf1).flatMap(([name, values]) => {
    const [a, b] = [numbersOf(values), numbersOf(migrated[name])];
    if (a === undefined || b === undefined || a.length > 64) return [];
    return a.map((value, i) => [
      `${name}[${i}]`,
      String(value),
      String(b[i]),
      Object.is(value, b[i]) ? 'identical' : 'different',
    ]);
  });
  const columns = [
    { title: 'Value' },
    { title: 'TF1', figures: true },
    { title: 'Migrated', figures: true },
    { title: 'Bits' },
  ];
  return rows.length > 0
    ? [{ kind: 'table', open: false, table: { caption: 'The numbers of both sides', columns, rows } }]
    : [];
}

function variableBlocks(step: Loose): readonly Block[] {
  const golden = isRecord(step['golden']) ? step['golden'] : {};
  const variables = isRecord(golden['variables']) ? golden['variables'] : {};
  const [count, identical] = [numberOf(variables['count']), numberOf(variables['identical'])];
  if (count === undefined || identical === undefined) return [];
  const columns = [{ title: 'Initial values of the variables' }, { title: 'Variables', figures: true }];
  const rows = [
    ['identical to those that TensorFlow drew', countText(identical)],
    ['different', countText(count - identical)],
  ];
  return [{ kind: 'table', open: true, table: { caption: 'Variables against recorded TensorFlow', columns, rows } }];
}

function findingOf(step: Loose, series: readonly Series[]): string {
  if (series.length === 0) return textsOf(step['lines'])[0]?.split('\n')[0] ?? '';
  return series
    .map(({ name, distances }) => {
      const all = [...distances.values()];
      if (all.every((d) => d.bitIdentical)) return `${name}: identical to the last bit`;
      const greatest = Math.max(...all.map((d) => d.maxAbsoluteDifference ?? Infinity));
      return `${name}: up to ${distanceText(greatest)} apart`;
    })
    .join('; ');
}

/** One step as a section: its lines, and pictures of whatever evidence it holds. */
export function stepSection(step: Loose): Section {
  const { points, series } = netOf(step);
  const blocks: Block[] = [];
  const lines = textsOf(step['lines']);
  if (lines.length > 0) blocks.push({ kind: 'lines', lines });
  if (series.length > 0) blocks.push({ kind: 'figure', figure: growthFigure(points, series) });
  blocks.push(...logitBlocks(step), ...lossTable(step), ...variableBlocks(step), ...arrayTables(step));
  for (const [field, value] of Object.entries(step)) {
    if (isRecord(value) && isInventoryDiff(value)) blocks.push(...inventoryBlocks(value));
    else if (isRecord(value)) blocks.push(...treeBlocks(value, field));
  }
  const id = String(step['id']);
  return {
    id,
    title: textOr(step['title'], id),
    outcome: outcomeOf(step['passed']),
    finding: findingOf(step, series),
    ...(numberOf(step['seconds']) === undefined ? {} : { seconds: step['seconds'] as number }),
    blocks,
  };
}

/** A step that says neither yes nor no could not be told. */
export function outcomeOf(passed: unknown): Outcome {
  return passed === true ? 'same' : passed === false ? 'different' : 'unclear';
}

/** End points by step: every cell says in words how far the sides, and TensorFlow, are apart. */
function overviewTable(steps: readonly Loose[]): readonly Block[] {
  const nets = steps
    .map((step) => ({ id: String(step['id']), ...netOf(step) }))
    .filter(({ series }) => series.length > 0);
  if (nets.length < 2) return [];
  const names = [...new Set(nets.flatMap(({ points }) => points.map(({ name }) => name)))];
  const cell = (series: readonly Series[], name: string): string =>
    series
      .map(({ distances }) => distances.get(name))
      .map((d) => (d === undefined ? '–' : d.bitIdentical ? '=' : distanceText(d.maxAbsoluteDifference)))
      .join(' | ');
  const table: Table = {
    caption: `Every end point in every run: ${SIDES} | ${RECORDED} (= is identical to the last bit)`,
    columns: [{ title: 'End point' }, ...nets.map(({ id }) => ({ title: id, figures: true }))],
    rows: names.map((name) => [name, ...nets.map(({ series }) => cell(series, name))]),
  };
  return [{ kind: 'table', table, open: true }];
}

/** A run of steps as a document. */
export function runDocument(run: Loose, title: string): ReportDocument {
  const steps = recordsOf(run['steps']);
  const sections = steps.map(stepSection);
  const failed = sections.filter(({ outcome }) => outcome === 'different');
  const unclear = sections.filter(({ outcome }) => outcome === 'unclear');
  const outcome = failed.length > 0 ? 'different' : unclear.length > 0 || run['passed'] === null ? 'unclear' : 'same';
  return {
    title,
    outcome,
    headline: headlineOf(sections, failed, unclear),
    summary: summaryOf(run, steps),
    overview: overviewTable(steps),
    sections,
    environment: environmentOf(run),
  };
}

function headlineOf(all: readonly Section[], failed: readonly Section[], unclear: readonly Section[]): string {
  if (failed.length > 0) return `The migrated model differs: ${failed.length} of ${plural(all.length, 'check')} failed`;
  if (unclear.length > 0)
    return `It could not be told: ${unclear.length} of ${plural(all.length, 'check')} gave no result`;
  return all.length === 1
    ? 'The migrated model computes the same: the check passed'
    : `The migrated model computes the same: all ${all.length} checks passed`;
}

function summaryOf(run: Loose, steps: readonly Loose[]): string[] {
  const nets = steps.map(netOf).filter(({ series }) => series.length > 0);
  const summary: string[] = [];
  for (const name of [SIDES, RECORDED]) {
    const distances = nets.flatMap(({ series }) =>
      series.filter((s) => s.name === name).flatMap((s) => [...s.distances.values()]),
    );
    if (distances.length === 0) continue;
    const identical = distances.filter((d) => d.bitIdentical).length;
    const greatest = Math.max(...distances.map((d) => d.maxAbsoluteDifference ?? Infinity));
    const rest = identical === distances.length ? '' : `; the others are up to ${distanceText(greatest)} apart`;
    summary.push(
      `${name[0]!.toUpperCase()}${name.slice(1)}: ${countText(identical)} of ${plural(distances.length, 'end point')} identical to the last bit${rest}.`,
    );
  }
  const failed = steps.filter((step) => step['passed'] === false).map((step) => String(step['id']));
  if (failed.length > 0) summary.unshift(`Failed: ${failed.join(', ')}.`);
  if (typeof run['backend'] === 'string') summary.push(`Ran on the ${run['backend']} backend of TensorFlow.js.`);
  return summary;
}

/** Backend, versions and times, as far as a result names them. */
export function environmentOf(result: Loose): (readonly [string, string])[] {
  const names: Readonly<Record<string, string>> = {
    node: 'Node.js',
    platform: 'Platform',
    tfjs: 'TensorFlow.js',
    tensorflow: 'TensorFlow library',
  };
  const versions = isRecord(result['versions']) ? Object.entries(result['versions']) : [];
  const seconds = numberOf(result['seconds']);
  return [
    ...(typeof result['backend'] === 'string' ? [['Backend', result['backend']] as const] : []),
    ...versions.flatMap(([name, value]) => (typeof value === 'string' ? [[names[name] ?? name, value] as const] : [])),
    ...(seconds === undefined ? [] : [['Time', secondsText(seconds)] as const]),
  ];
}
