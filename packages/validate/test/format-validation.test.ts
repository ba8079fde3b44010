import { describe, expect, it } from 'vitest';
import {
  assertMigration,
  formatAnnotations,
  formatJUnit,
  formatValidation,
  type ValidationReport,
  type ValidationStep,
} from '../src/index.js';

const step = (facts: Partial<ValidationStep> & Pick<ValidationStep, 'id' | 'status'>): ValidationStep => ({
  title: 'A step',
  passed: facts.status === 'passed',
  seconds: 0.25,
  lines: ['all right'],
  warnings: [],
  comparisons: [],
  ...facts,
});

const report: ValidationReport = {
  format: 'tfparity-validation',
  version: 1,
  verdict: 'different',
  summary: 'by-name failed',
  startedAt: '2026-01-02T03:04:05.000Z',
  seconds: 1,
  steps: [
    step({ id: 'reset', status: 'passed', warnings: [{ kind: 'degenerate', message: '50% prove: little, say' }] }),
    step({ id: 'by-name', status: 'failed', lines: ['a < b & "c"', "it's \u0007worse"] }),
    step({ id: 'inference', status: 'skipped', lines: ['no'], reason: 'no' }),
    step({ id: 'training', status: 'error', error: { name: 'GraphError', message: 'x' }, lines: ['a side threw: x'] }),
  ],
  sides: { legacy: 'a', migrated: 'b' },
  inventories: {},
  environment: { backend: 'cpu', versions: { tfjs: '4.22.0' }, platform: 'linux-x64' },
};

describe('views of a validation', () => {
  it('is text with the verdict first, and details of what failed', () => {
    expect(formatValidation(report)).toBe(
      [
        'different: by-name failed',
        '  PASS  reset      all right',
        '        warning: 50% prove: little, say',
        '  FAIL  by-name    a < b & "c"',
        "        it's \u0007worse",
        '  SKIP  inference  no',
        '  ERROR training   a side threw: x',
        '  backend cpu, tfjs 4.22.0; 1.0 s',
      ].join('\n'),
    );
  });

  it('is JUnit XML, with counts and everything escaped', () => {
    const xml = formatJUnit(report, 'net & co');
    expect(xml).toContain('<testsuite name="net &#38; co" tests="4" failures="1" errors="1" skipped="1" time="1.000"');
    expect(xml).toContain(
      '<failure message="a &#60; b &#38; &#34;c&#34;">a &#60; b &#38; &#34;c&#34;\nit&#39;s worse</failure>',
    );
    expect(xml).toContain('<skipped message="no"/>');
    expect(xml).toContain('<error message="a side threw: x" type="GraphError">');
    expect(xml.match(/<testcase /g)).toHaveLength(4);
    expect(xml.match(/<\/testcase>/g)).toHaveLength(4);
  });

  it('shows a verdict that no step shows', () => {
    const steps = [step({ id: 'reset', status: 'passed' }), step({ id: 'training', status: 'skipped' })];
    const xml = formatJUnit({ ...report, verdict: 'cannot-tell', summary: 'nothing differs so far', steps });
    expect(xml).toContain('tests="3" failures="0" errors="1" skipped="1"');
    expect(xml).toContain('<error message="nothing differs so far" type="ValidateError">');
    expect(formatJUnit({ ...report, verdict: 'same', steps })).toContain('tests="2" failures="0" errors="0"');
  });

  it('is workflow commands, one line each', () => {
    expect(formatAnnotations(report).split('\n')).toEqual([
      '::warning title=tfparity reset::50%25 prove: little, say',
      '::error title=tfparity by-name::a < b & "c"%0Ait\'s \u0007worse',
      '::error title=tfparity training::a side threw: x',
    ]);
  });

  it('is an assertion', () => {
    expect(() => assertMigration(report)).toThrow(/^different: by-name failed/);
    expect(() => assertMigration({ ...report, verdict: 'cannot-tell' })).toThrow();
    expect(() => assertMigration({ ...report, verdict: 'same' })).not.toThrow();
  });
});
