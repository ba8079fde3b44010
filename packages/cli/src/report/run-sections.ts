import { compareArrays, type Evidence } from '@tfparity/numerics';
import { treeBlocks } from './comparison-sections.js';
import { faultFigure, isFaultTable } from './fault-figure.js';
import { type Distance, growthFigure, type NetPoint, type Series } from './growth-figure.js';
import { inventoryBlocks, isInventoryDiff } from './inventory-sections.js';
import { isRecord, type Loose, numberOf, numbersOf, recordsOf, textOr, textsOf } from './loose.js';
import { matrixFigure } from './matrix-figure.js';
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

const LOSSES: Readonly<Record<string, string>> = {
  tf1: 'Regularization loss, TF1',
  migrated: 'Regularization loss, migrated',
  published: "Regularization loss, published in TensorFlow's guide",
};

/** Figures of a step that are one number: losses, and how many variables began as TensorFlow's did. */
function figureTable(step: Loose): readonly Block[] {
  const loss = isRecord(step['regularizationLoss']) ? step['regularizationLoss'] : {};
  const golden = isRecord(step['golden']) ? step['golden'] : {};
  const { count, identical } = isRecord(golden['variables']) ? golden['variables'] : {};
  const rows = Object.entries(LOSSES).flatMap(([side, name]) => {
    return typeof loss[side] === 'number' ? [[name, String(loss[side])]] : [];
  });
  if (typeof count === 'number' && typeof identical === 'number') {
    rows.push(['Initial values identical to TensorFlow’s', `${countText(identical)} of ${plural(count, 'variable')}`]);
  }
  const columns = [{ title: 'Figure' }, { title: 'Value', figures: true }];
  return rows.length > 0
    ? [{ kind: 'table', open: true, table: { caption: 'Losses and variables', columns, rows } }]
    : [];
}

/** Small named arrays that a step holds of both sides, value by value. */
function arrayRows(step: Loose): readonly string[][] {
  const { tf1, migrated } = step;
  if (!isRecord(tf1) || !isRecord(migrated)) return [];
  return Object.entries(tf1).flatMap(([name, values]) => {
    const [a, b] = [numbersOf(values), numbersOf(migrated[name])];
    if (a === undefined || b === undefined || a.length > 64) return [];
    return a.map((value, i) => {
      return [`${name}[${i}]`, String(value), String(b[i]), Object.is(value, b[i]) ? 'identical' : 'different'];
    });
  });
}

function arrayTable(step: Loose): readonly Block[] {
  const rows = arrayRows(step);
  const figures = (title: string) => ({ title, figures: true });
  const columns = [{ title: 'Value' }, figures('TF1'), figures('Migrated'), { title: 'Bits' }];
  const table = { caption: 'The numbers of both sides', columns, rows };
  return rows.length > 0 ? [{ kind: 'table', open: false, table }] : [];
}

function findingOf(step: Loose, series: readonly Series[]): string {
  const arrays = arrayRows(step);
  if (arrays.length > 0) {
    const identical = arrays.filter((row) => row[3] === 'identical').length;
    return `${identical} of ${plural(arrays.length, 'value')} identical on both sides`;
  }
  if (series.length === 0) return textsOf(step['lines'])[0]?.split('\n')[0] ?? '';
  const found = series.map(({ name, distances }) => {
    const all = [...distances.values()];
    if (all.every((d) => d.bitIdentical)) return `${name}: identical to the last bit`;
    const greatest = Math.max(...all.map((d) => d.maxAbsoluteDifference ?? Infinity));
    return `${name}: up to ${distanceText(greatest)} apart`;
  });
  return sentence(found.join('; '));
}

/** One step as a section: its lines, and pictures of whatever evidence it holds. */
export function stepSection(step: Loose): Section {
  const { points, series } = netOf(step);
  const blocks: Block[] = [];
  // The table of faults is a picture here, with its own table.
  const isTable = (line: string) =>
    line.includes('\n') && Object.values(step).some((v) => isRecord(v) && isFaultTable(v));
  const lines = textsOf(step['lines']).filter((line) => !isTable(line));
  if (lines.length > 0) blocks.push({ kind: 'lines', lines });
  if (series.length > 0) blocks.push({ kind: 'figure', figure: growthFigure(points, series) });
  blocks.push(...logitBlocks(step), ...figureTable(step), ...arrayTable(step));
  for (const [field, value] of Object.entries(step)) {
    if (isRecord(value) && isInventoryDiff(value)) blocks.push(...inventoryBlocks(value));
    else if (isRecord(value) && isFaultTable(value)) blocks.push({ kind: 'figure', figure: faultFigure(value) });
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

/** Every end point in every run, one picture for each kind of comparison. */
function overviewFigures(steps: readonly Loose[]): readonly Block[] {
  const nets = steps
    .map((step) => ({ id: String(step['id']), ...netOf(step) }))
    .filter(({ points }) => points.length > 0);
  const rows = [...new Set(nets.flatMap(({ points }) => points.map(({ name }) => name)))];
  return [SIDES, RECORDED].flatMap((name) => {
    const columns = nets.flatMap(({ id, series }) => {
      const found = series.find((s) => s.name === name);
      return found ? [{ name: id, distances: found.distances }] : [];
    });
    return columns.length < 2 ? [] : [{ kind: 'figure', figure: matrixFigure(sentence(name), rows, columns) } as const];
  });
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

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
    overview: overviewFigures(steps),
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
