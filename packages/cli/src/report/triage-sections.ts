import { growthFigure, growthSentence, type Series } from './growth-figure.js';
import { isRecord, type Loose, numberOf, recordsOf, textOr, textsOf } from './loose.js';
import { distanceText, plural, secondsText, shapeText } from './number-text.js';
import type { Block, Outcome, ReportDocument, Table } from './report-document.js';

/** Points of the growth that one picture can hold. */
const POINTS = 120;

/** Variables that a page lists; the result has all. */
const SHOWN_VARIABLES = 20;

/** Whether a value is what `triage` returns. */
export function isTriage(value: Loose): boolean {
  return Array.isArray(value['culprits']) && Array.isArray(value['growth']) && typeof value['verdict'] === 'string';
}

const HEADLINES: Readonly<Record<string, string>> = {
  identical: 'Identical to the last bit',
  rounding: 'Rounding: no operation is at fault',
  'amplified-rounding': 'Rounding that the net amplifies: no operation is at fault',
  suspicious: 'Suspicious: more than rounding explains',
  different: 'Different: an operation is at fault',
};

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  identical: 'same',
  rounding: 'same',
  suspicious: 'unclear',
  different: 'different',
  'amplified-rounding': 'same',
};

const opName = (op: unknown): string =>
  isRecord(op) ? `${textOr(op['name'], '?')} (${textOr(op['kernel'], '?')})` : 'no such op';

function culpritTable(report: Loose): readonly Block[] {
  const culprits = recordsOf(report['culprits']);
  if (culprits.length === 0) return [];
  const rows = culprits.slice(0, 100).map((culprit) => {
    const isolated = isRecord(culprit['isolated']) ? culprit['isolated'] : undefined;
    const causes = recordsOf(culprit['causes']).map((cause) => textOr(cause['message'], textOr(cause['kind'], '')));
    const share = isolated ? numberOf(isolated['shareOfBound']) : undefined;
    const figures = isolated
      ? `${distanceText(numberOf(isolated['maxAbsolute']) ?? null)}${share === undefined ? '' : `, ${distanceText(share)} of the bound`}`
      : '–';
    return [
      opName(culprit['op'] ?? culprit['reference']),
      causes.join('; ') || '–',
      figures,
      culprit['mayFollow'] === true ? 'yes' : 'no',
    ];
  });
  const columns = ['Operation', 'Cause', 'Difference on the reference’s inputs', 'May follow from one before it'].map(
    (title) => ({ title }),
  );
  const table = {
    caption: `Culprits, in program order (${culprits.length})`,
    columns,
    rows,
    omitted: culprits.length - rows.length,
  };
  return [{ kind: 'table', open: true, table }];
}

const pointName = (point: Loose): string => textOr(point['name'], '?');

/** Every point's figures beside its verdict; columns that no point has a figure for are left out. */
function growthTable(growth: readonly Loose[]): Table {
  const cell = (point: Loose, field: string): string => {
    const value = numberOf(point[field]);
    return value === undefined ? '–' : distanceText(value);
  };
  const shadow = (point: Loose, side: string): string => {
    const value = isRecord(point['shadow']) ? numberOf(point['shadow'][side]) : undefined;
    return value === undefined ? '–' : distanceText(value);
  };
  const columns: readonly (readonly [string, (point: Loose) => string])[] = [
    ['Relative', (point) => (point['verdict'] === 'identical' ? 'identical' : cell(point, 'relativeL2'))],
    ['Greatest', (point) => cell(point, 'maxAbsolute')],
    ['Noise', (point) => cell(point, 'noise')],
    ['Own rounding', (point) => cell(point, 'bound')],
    ['Reference − double', (point) => shadow(point, 'reference')],
    ['Migrated − double', (point) => shadow(point, 'migrated')],
  ];
  const kept = columns.filter(([, of], i) => i < 2 || growth.some((point) => of(point) !== '–'));
  return {
    caption:
      'How far the sides are apart at every point, relative and at most; the noise floor; the rounding of its own op; either side against double precision',
    columns: [{ title: 'Point' }, { title: 'Verdict' }, ...kept.map(([title]) => ({ title, figures: true }))],
    rows: growth.map((point) => [pointName(point), textOr(point['verdict'], '–'), ...kept.map(([, of]) => of(point))]),
  };
}

function growthBlocks(report: Loose): readonly Block[] {
  const growth = recordsOf(report['growth']);
  const shown = growth.length <= POINTS ? growth : growth.filter((_, i) => i % Math.ceil(growth.length / POINTS) === 0);
  if (shown.length === 0) return [];
  const points = shown.map((point) => ({ name: pointName(point) }));
  const errors: Series = {
    name: 'relative error',
    distances: new Map(
      shown.map((point) => [
        pointName(point),
        {
          maxAbsoluteDifference: numberOf(point['relativeL2']) ?? null,
          bitIdentical: point['verdict'] === 'identical',
        },
      ]),
    ),
  };
  const noises = shown.flatMap((point) => {
    const noise = numberOf(point['noise']);
    return noise === undefined
      ? []
      : [[pointName(point), { maxAbsoluteDifference: noise, bitIdentical: noise === 0 }] as const];
  });
  const noise: Series = { name: 'noise floor (one ulp)', distances: new Map(noises) };
  const figure = growthFigure(points, noises.length > 0 ? [errors, noise] : [errors], 'point');
  const sentence = growthSentence(errors, points, 'point');
  const floor = noises.length > 0 ? ' The second line is what inputs and weights one ulp off would change.' : '';
  const description = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}${floor}`;
  const title = 'Growth of the relative error over the net';
  return [{ kind: 'figure', figure: { ...figure, title, description, table: growthTable(shown) } }];
}

/** Where rounding grew, greatest first. */
function amplificationLines(report: Loose): readonly string[] {
  if (!isRecord(report['amplification'])) return [];
  return recordsOf(report['amplification']['at']).map((stretch) => {
    const from = textOr(stretch['from'], '');
    const factor = distanceText(numberOf(stretch['factor']) ?? null);
    return `Rounding grew ${factor} times ${from === '' ? 'up to' : `from ${from} to`} ${textOr(stretch['to'], '?')}`;
  });
}

/** The gradients of activations that differ, from the loss back. */
function backwardBlocks(report: Loose): readonly Block[] {
  const backward = report['backward'];
  if (!isRecord(backward)) return [];
  const [all, differing] = [numberOf(backward['gradients']) ?? 0, numberOf(backward['differing']) ?? 0];
  const first = isRecord(backward['first']) ? `; the first is that of ${textOr(backward['first']['of'], '?')}` : '';
  const lines = [`Backward pass: ${differing} of ${plural(all, 'gradient')} of activations differ${first}.`];
  const found = recordsOf(backward['points']).filter((point) => point['accumulated'] !== 'identical');
  const rows = found
    .slice(0, 200)
    .map((point) => [
      textOr(point['of'], '?'),
      opName(point['op']),
      distanceText(numberOf(point['relativeL2']) ?? null),
      textOr(point['accumulated'], '–'),
      textOr(point['isolated'], '–'),
    ]);
  const columns = ['Gradient of', 'Computed by', 'Relative error', 'Accumulated', 'On the reference’s inputs'].map(
    (title) => ({ title }),
  );
  const caption = `Gradients that differ, from the loss back (${found.length})`;
  const table = { caption, columns, rows, omitted: found.length - rows.length };
  return [{ kind: 'lines', lines }, ...(rows.length === 0 ? [] : [{ kind: 'table', open: false, table } as const])];
}

function lists(report: Loose): readonly Block[] {
  const ops = (field: string, caption: string): Block[] => {
    const found = recordsOf(report[field]);
    if (found.length === 0) return [];
    const rows = found.slice(0, 200).map((op) => [opName(op), shapesOf(op)]);
    const table = {
      caption: `${caption} (${found.length})`,
      columns: [{ title: 'Operation' }, { title: 'Shapes' }],
      rows,
      omitted: found.length - rows.length,
    };
    return [{ kind: 'table', open: false, table }];
  };
  const parents = recordsOf(report['parentsThatDiffer']).map((item) => textOr(item['message'], ''));
  const found = recordsOf(report['variables']);
  // A variable that several ops read is one variable.
  const variables = [...new Set(found.map((item) => `${textOr(item['name'], '?')}: ${textOr(item['message'], '')}`))];
  const rest = variables.length - SHOWN_VARIABLES;
  const ledger = isRecord(report['ledger'])
    ? [`Random draws part: ${textOr(report['ledger']['message'], JSON.stringify(report['ledger']))}`]
    : [];
  const first = isRecord(report['firstDivergence'])
    ? [
        `First divergence: ${[...textsOf(report['firstDivergence']['path']), opName(report['firstDivergence']['op'])].join(' › ')}`,
      ]
    : [];
  const lines = [
    ...first,
    ...ledger,
    ...amplificationLines(report),
    ...parents,
    ...variables.slice(0, SHOWN_VARIABLES),
    ...(rest > 0 ? [`${plural(rest, 'variable')} more differ`] : []),
    ...textsOf(report['warnings']).map((warning) => `Warning: ${warning}`),
  ];
  return [
    ...(lines.length > 0 ? [{ kind: 'lines', lines } as const] : []),
    ...ops('missing', 'Operations that the migrated side lacks'),
    ...ops('extra', 'Operations that only the migrated side has'),
  ];
}

const shapesOf = (op: Loose): string =>
  Array.isArray(op['shapes']) ? op['shapes'].map((shape) => shapeText(shape as number[])).join(' ') : '–';

/** What `triage` returned, as a document: the culprits, the growth of the error, what else is odd. */
export function triageDocument(report: Loose, title: string): ReportDocument {
  const verdict = textOr(report['verdict'], '');
  const isolated = isRecord(report['isolated'])
    ? Object.entries(report['isolated']).filter(([, count]) => Number(count) > 0)
    : [];
  const counts = isolated.map(([word, count]) => `${count} ${word}`).join(', ');
  const sides = ['reference', 'migrated'].flatMap((side): (readonly [string, string])[] => {
    const summary = report[side];
    if (!isRecord(summary)) return [];
    const where = typeof summary['backend'] === 'string' ? ` on ${summary['backend']}` : '';
    return [
      [
        `${side === 'reference' ? 'Reference' : 'Migrated'} side`,
        `${textOr(summary['name'], side)}${where}: ${plural(numberOf(summary['ops']) ?? 0, 'op')}`,
      ],
    ];
  });
  const seconds = numberOf(report['seconds']);
  return {
    title,
    outcome: OUTCOMES[verdict] ?? 'unclear',
    headline: HEADLINES[verdict] ?? verdict,
    summary: [
      textOr(report['summary'], ''),
      counts === '' ? '' : `Operations run alone on the reference’s inputs: ${counts}.`,
    ].filter(Boolean),
    overview: [...culpritTable(report), ...growthBlocks(report), ...backwardBlocks(report), ...lists(report)],
    sections: [],
    environment: [...sides, ...(seconds === undefined ? [] : [['Time', secondsText(seconds)] as const])],
  };
}
