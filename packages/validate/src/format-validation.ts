import { ValidateError } from './validate-error.js';
import type { SensitivityReport, ValidationReport, ValidationStep } from './validation-report.js';

const MARKS = { passed: 'PASS', failed: 'FAIL', skipped: 'SKIP', error: 'ERROR' } as const;

/** A report as text for a terminal: the verdict, one line for each step, and the details of those that did not pass. */
export function formatValidation(report: ValidationReport): string {
  const width = Math.max(0, ...report.steps.map(({ id }) => id.length));
  const lines = [`${report.verdict}: ${report.summary}`];
  for (const step of report.steps) {
    const [first = '', ...rest] = step.lines;
    lines.push(`  ${MARKS[step.status].padEnd(5)} ${step.id.padEnd(width)}  ${first}`);
    if (step.status === 'failed' || step.status === 'error')
      lines.push(...rest.slice(0, 5).map((line) => `        ${line}`));
    for (const { message } of step.warnings) lines.push(`        warning: ${message}`);
  }
  const { backend, versions } = report.environment;
  const known = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  lines.push(`  ${[`backend ${backend}`, ...known].join(', ')}; ${report.seconds.toFixed(1)} s`);
  return lines.join('\n');
}

/** The table of faults and steps as text: `+` caught, `!` threw, `-` missed, ` ` no place or not run. */
export function formatSensitivity(report: SensitivityReport): string {
  const width = Math.max(5, ...report.faults.map(({ id }) => id.length));
  const sign = { caught: '+', threw: '!', missed: '-', 'not-run': ' ' } as const;
  const columns = report.steps.map(({ id }) => id);
  const rows = report.faults.map((fault) => {
    const cells = columns.map((id) => {
      const outcome = fault.steps.find(({ step }) => step === id)?.outcome ?? 'not-run';
      return sign[outcome].padStart(Math.ceil(id.length / 2)).padEnd(id.length);
    });
    return `  ${fault.id.padEnd(width)}  ${cells.join('  ')}  ${fault.status}`;
  });
  return [report.summary, `  ${'fault'.padEnd(width)}  ${columns.join('  ')}`, ...rows].join('\n');
}

/** Text that XML 1.0 can hold: what it cannot is left out. */
function xml(text: string): string {
  return [...text]
    .filter((character) => {
      const code = character.codePointAt(0)!;
      return code >= 0x20 || code === 9 || code === 10 || code === 13;
    })
    .join('')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What a test case is made of. */
type CaseStep = Pick<ValidationStep, 'title' | 'status' | 'seconds' | 'lines' | 'warnings' | 'error'> & {
  readonly id: string;
};

function testCase(step: CaseStep, suite: string): string {
  const head = `    <testcase name="${xml(`${step.id}: ${step.title}`)}" classname="${xml(suite)}" time="${step.seconds.toFixed(3)}"`;
  const text = xml(step.lines.join('\n'));
  const message = xml(step.lines[0] ?? '');
  if (step.status === 'skipped') return `${head}>\n      <skipped message="${message}"/>\n    </testcase>`;
  if (step.status === 'failed')
    return `${head}>\n      <failure message="${message}">${text}</failure>\n    </testcase>`;
  if (step.status === 'error') {
    const type = xml(step.error?.name ?? 'Error');
    return `${head}>\n      <error message="${message}" type="${type}">${text}</error>\n    </testcase>`;
  }
  const warnings = step.warnings.map(({ message: warning }) => `\nwarning: ${xml(warning)}`).join('');
  return `${head}>\n      <system-out>${text}${warnings}</system-out>\n    </testcase>`;
}

/** The steps, and the verdict where none of them shows that it is not `same`. */
function casesOf({ steps, verdict, summary }: ValidationReport): readonly CaseStep[] {
  const shown = steps.some(({ status }) => status === 'failed' || status === 'error');
  if (verdict === 'same' || shown) return steps;
  const error = { name: 'ValidateError', message: summary };
  return [
    ...steps,
    { id: 'verdict', title: verdict, status: 'error', seconds: 0, lines: [summary], warnings: [], error },
  ];
}

/** A report as JUnit XML: one test case for each step, and one for a verdict that no step has: nothing failed, nothing was told. */
export function formatJUnit(report: ValidationReport, suite = 'tfparity'): string {
  const steps = casesOf(report);
  const count = (status: ValidationStep['status']) => steps.filter((step) => step.status === status).length;
  const counts = `tests="${steps.length}" failures="${count('failed')}" errors="${count('error')}" skipped="${count('skipped')}" time="${report.seconds.toFixed(3)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${xml(suite)}" ${counts} timestamp="${xml(report.startedAt)}">`,
    ...steps.map((step) => testCase(step, suite)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** In a workflow command's message. */
const escaped = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
/** In its properties, which colon and comma end. */
const escapedProperty = (text: string): string => escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** A report as GitHub workflow commands: an error for each step that failed or threw, a warning for each warning. */
export function formatAnnotations(report: ValidationReport): string {
  return report.steps
    .flatMap(({ id, status, lines, warnings }) => [
      ...(status === 'failed' || status === 'error'
        ? [`::error title=${escapedProperty(`tfparity ${id}`)}::${escaped(lines.join('\n'))}`]
        : []),
      ...warnings.map(({ message }) => `::warning title=${escapedProperty(`tfparity ${id}`)}::${escaped(message)}`),
    ])
    .join('\n');
}

/**
 * Returns where the verdict is `same`.
 *
 * @throws {ValidateError} `Different`, whose message is `formatValidation`'s and whose `details.report` is the report
 */
export function assertMigration(report: ValidationReport): void {
  if (report.verdict === 'same') return;
  throw new ValidateError('Different', formatValidation(report), { report });
}
