import * as Plot from '@observablehq/plot';
import { drawBoth, INK } from './drawing.js';
import { isRecord, type Loose, recordsOf, textOr } from './loose.js';
import { plural } from './number-text.js';
import type { Figure } from './report-document.js';

interface FaultCell {
  readonly fault: string;
  readonly step: string;
  readonly outcome: string;
  readonly by: string;
}

const SIGNS: Readonly<Record<string, string>> = { caught: '●', threw: '▲', missed: '○', 'not-run': '·' };
const WORDS: Readonly<Record<string, string>> = {
  caught: 'caught',
  threw: 'threw',
  missed: 'missed',
  'not-run': 'not run',
};

/** Injected faults by step: which step sees which fault. */
export function faultFigure(report: Loose): Figure {
  const faults = recordsOf(report['faults']);
  const steps = recordsOf(report['steps']).map((step) => textOr(step['id'], ''));
  const cells = faults.flatMap((fault) =>
    recordsOf(fault['steps']).map(
      (cell): FaultCell => ({
        fault: textOr(fault['id'], ''),
        step: textOr(cell['step'], ''),
        outcome: textOr(cell['outcome'], ''),
        by: textOr(cell['by'], ''),
      }),
    ),
  );
  const names = faults.map((fault) => textOr(fault['id'], ''));
  const caught = faults.filter((fault) => fault['status'] === 'caught').length;
  const missed = faults.filter((fault) => fault['status'] === 'missed').map((fault) => textOr(fault['id'], ''));
  const absent = faults.filter((fault) => fault['status'] === 'not-injected').length;
  const left = faults.filter((fault) => fault['status'] === 'not-run').length;
  const stopped = left > 0 ? ` ${left} were not tried to the end.` : '';
  const counted = `${caught} of ${plural(faults.length - absent - left, 'injected fault')} caught by some step.${stopped}${absent > 0 ? ` ${absent} others have no place in this model.` : ''}`;
  const description = `${counted}${missed.length > 0 ? ` Missed by all: ${missed.join(', ')}.` : ''} A filled mark is a fault that the step caught, a triangle one at which a side threw, an open one a fault that it missed, a dot a step that was not run, or has no place for it.`;
  const pictures = drawBoth(`Faults by step. ${description}`, ({ width, narrow }) => {
    const marginLeft = narrow ? 132 : 230;
    const longest = Math.max(0, ...steps.map((step) => step.length));
    const cell = Math.min(70, (width - marginLeft - (narrow ? 4 : 70)) / Math.max(1, steps.length));
    const top = narrow ? longest * 6.6 + 10 : longest * 3.6 + 24;
    return {
      width: marginLeft + cell * steps.length + (narrow ? 4 : 70),
      height: names.length * 22 + top + 4,
      marginLeft,
      marginRight: narrow ? 4 : 70,
      marginTop: top,
      marginBottom: 4,
      x: { type: 'band', domain: steps, axis: null },
      y: { type: 'band', domain: names, axis: null },
      marks: [
        Plot.axisX({ anchor: 'top', tickSize: 0, label: null, tickRotate: narrow ? -90 : -30, textAnchor: 'start' }),
        Plot.axisY({ tickSize: 0, label: null, tickFormat: (name: string) => (narrow ? name.slice(0, 20) : name) }),
        Plot.gridY({ stroke: INK.line, strokeOpacity: 1 }),
        Plot.text(cells, {
          x: 'step',
          y: 'fault',
          text: (c: FaultCell) => SIGNS[c.outcome] ?? '?',
          fill: (c: FaultCell) =>
            c.outcome === 'caught' || c.outcome === 'threw'
              ? INK.first
              : c.outcome === 'missed'
                ? INK.second
                : INK.soft,
          fontSize: 17,
          stroke: INK.paper,
          strokeWidth: 4,
        }),
      ],
    };
  });
  const cellOf = (fault: Loose, step: string): string => {
    const found = recordsOf(fault['steps']).find((cell) => cell['step'] === step);
    return found ? (WORDS[textOr(found['outcome'], '')] ?? '–') : '–';
  };
  return {
    title: 'Faults by step',
    description,
    ...pictures,
    table: {
      caption: 'Faults by step',
      columns: [{ title: 'Fault' }, { title: 'Where' }, ...steps.map((title) => ({ title })), { title: 'In all' }],
      rows: faults.map((fault) => [
        textOr(fault['title'], textOr(fault['id'], '')),
        textOr(fault['where'], ''),
        ...steps.map((step) => cellOf(fault, step)),
        textOr(fault['status'], ''),
      ]),
    },
  };
}

/** Whether a value holds a table of faults by steps. */
export function isFaultTable(value: Loose): boolean {
  return Array.isArray(value['faults']) && recordsOf(value['faults']).every((fault) => Array.isArray(fault['steps']));
}

/** Whether a value is what `proveSensitivity` returns. */
export function isSensitivity(value: Loose): boolean {
  return Array.isArray(value['faults']) && isRecord(value['baseline']);
}
