import { captureInventory, diffInventories } from '@tfparity/inventory';
import { compareArrays, compareTrees } from '@tfparity/numerics';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { isCliError } from '../src/index.js';
import { renderReport } from '../src/report/index.js';
import { DRIFT, netStep, runResult, SAME } from './run-result.js';

const open = (page: string) => parseHTML(page).document;
const texts = (document: Document, selector: string) =>
  [...document.querySelectorAll(selector)].map((element) => (element.textContent ?? '').trim());
const array = (...values: number[]) => ({
  dtype: 'float32' as const,
  shape: [values.length],
  data: Float32Array.from(values),
});

/** The table beside a picture, as rows of texts. */
function tableOf(document: Document, title: string): string[][] {
  const figure = [...document.querySelectorAll('figure')].find((f) => f.querySelector('b')?.textContent === title)!;
  return [...figure.querySelectorAll('tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent ?? ''));
}

describe('a run', () => {
  it('says the verdict first', () => {
    const same = open(renderReport(runResult(netStep('4-inference', true, SAME))));
    expect(same.querySelector('header .verdict')?.className).toBe('verdict same');
    const failed = renderReport(runResult(netStep('a', true, SAME), netStep('b', false, DRIFT)));
    expect(texts(open(failed), 'header strong')).toEqual(['✗ The migrated model differs: 1 of 2 checks failed']);
    expect(texts(open(failed), 'header p')[0]).toBe('Failed: b.');
  });

  it('does not call a step without a verdict passed', () => {
    const page = renderReport(runResult({ ...netStep('a', true, SAME), passed: null as unknown as boolean }));
    expect(open(page).querySelector('header .verdict')?.className).toBe('verdict unclear');
  });

  it('gives the numbers of every end point beside the picture', () => {
    const document = open(renderReport(runResult(netStep('b', false, DRIFT))));
    expect(tableOf(document, 'Difference at every end point')).toEqual([
      ['Mixed_0', '(1, 8, 8, 4)', 'identical', '1.00e−7'],
      ['Mixed_1', '(1, 8, 8, 4)', '3.00e−6', '2.00e−5'],
      ['Mixed_2', '(1, 8, 8, 4)', '∞', '0.5 (too far)'],
    ]);
  });

  it('marks every end point in both pictures, and crosses what is too far', () => {
    const document = open(renderReport(runResult(netStep('b', false, DRIFT))));
    const figure = document.querySelector('figure')!;
    for (const width of ['.narrow', '.wide']) {
      const groups = [...figure.querySelectorAll(`${width} svg g`)].map(
        (g) => g.querySelectorAll(':scope > path').length,
      );
      const dots = figure.querySelectorAll(`${width} svg circle`).length;
      // Each series is a line; plot draws circles as <circle> or as paths with the other symbols.
      expect(dots + groups.reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(3 + 3 + 1);
      expect(texts(document, `${width} svg text`)).toEqual(
        expect.arrayContaining(['Mixed_0', 'Mixed_1', 'Mixed_2', '∞']),
      );
    }
  });

  it('counts the ulps between the logits', () => {
    const document = open(renderReport(runResult(netStep('b', false, DRIFT))));
    const rows = tableOf(document, 'Logits, migrated against TF1: distance in ulps');
    expect(rows.reduce((sum, row) => sum + Number(row[1]), 0)).toBe(8);
    expect(rows[0]).toEqual(['0', '1']);
  });

  it('sets several runs side by side', () => {
    const document = open(renderReport(runResult(netStep('a', true, SAME), netStep('b', false, DRIFT))));
    expect(tableOf(document, 'Migrated against TF1')).toEqual([
      ['Mixed_0', 'identical', 'identical'],
      ['Mixed_1', 'identical', '3.00e−6'],
      ['Mixed_2', 'identical', '∞'],
    ]);
  });

  it('escapes what comes from the result', () => {
    const evil = '<img src=x onerror=alert(1)>"\'&';
    const step = netStep('a', true, SAME);
    const named = { ...step, title: evil, endPoints: step.endPoints.map((point) => ({ ...point, name: evil })) };
    const document = open(renderReport(runResult(named), { title: evil }));
    expect(document.querySelectorAll('img, script')).toHaveLength(0);
    expect(texts(document, 'h1')).toEqual([evil]);
    expect(tableOf(document, 'Difference at every end point')[0]![0]).toBe(evil);
  });

  it('asks nothing of any server', () => {
    const page = renderReport(runResult(netStep('a', false, DRIFT)));
    const document = open(page);
    const links = [...document.querySelectorAll('[src], [href], [data]')].map(
      (e) => e.getAttribute('src') ?? e.getAttribute('href'),
    );
    for (const link of links) expect(link).toMatch(/^(#|data:)/);
    expect(page).not.toMatch(/@import|url\(/);
  });

  it('names every picture, and puts a table beside it', () => {
    const document = open(renderReport(runResult(netStep('a', true, SAME), netStep('b', false, DRIFT))));
    const figures = [...document.querySelectorAll('figure')];
    expect(figures.length).toBeGreaterThan(4);
    for (const figure of figures) {
      for (const svg of figure.querySelectorAll('.narrow svg, .wide svg')) {
        expect(svg.getAttribute('role')).toBe('img');
        expect(svg.getAttribute('aria-label')!.length).toBeGreaterThan(20);
      }
      expect(figure.querySelectorAll('tbody tr').length).toBeGreaterThan(0);
    }
  });
});

describe('other results', () => {
  it('shows a comparison of trees as it came through JSON', () => {
    const tree = compareTrees(
      { a: array(1, 2), b: array(1, Number.NaN), d: array(1) },
      { a: array(1, 2), b: array(1, 2), c: array(0) },
    );
    const document = open(renderReport(JSON.parse(JSON.stringify(tree))));
    expect(texts(document, 'header strong')).toEqual(['✗ 3 of 4 arrays differ']);
    expect(tableOf(document, 'Difference at every array')).toEqual([
      ['a', '(2,)', 'identical'],
      ['b', '(2,)', '∞ (too far)'],
    ]);
    expect(texts(document, 'tbody th')).toEqual(expect.arrayContaining(['c', 'd']));
  });

  it('does not call two empty trees the same', () => {
    const document = open(renderReport(compareTrees({}, {})));
    expect(document.querySelector('header .verdict')?.className).toBe('verdict unclear');
  });

  it('shows one comparison of arrays', () => {
    const document = open(renderReport(compareArrays(array(1, 2, 3), array(1, 2, 4))));
    expect(texts(document, 'header strong')).toEqual(['✗ The arrays differ']);
    expect(texts(document, 'td')).toContain('1 of 3');
  });

  it('shows the difference of two inventories with its causes', () => {
    const entry = (name: string, shape: number[]) => ({ name, shape, dtype: 'float32' });
    const diff = diffInventories(
      captureInventory([entry('a', [2]), entry('x', [1])]),
      captureInventory([entry('a', [3]), entry('y', [4])]),
    );
    const document = open(renderReport(JSON.parse(JSON.stringify(diff))));
    expect(texts(document, 'header strong')).toEqual(['✗ The variables differ in 3 places']);
    expect(texts(document, 'caption')).toEqual(
      expect.arrayContaining(['Missing (1)', 'Unexpected (1)', 'Other shape (1)']),
    );
  });

  it('refuses what is none', () => {
    for (const value of [null, 3, [], {}, { steps: [] }, { steps: [{}] }]) {
      expect(() => renderReport(value)).toThrow(/a report is made from/);
    }
    try {
      renderReport({ foo: 1 });
    } catch (error) {
      expect(isCliError(error) && error.code).toBe('UnknownFormat');
    }
  });
});
