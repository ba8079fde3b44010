import { isRecord, type Loose, recordsOf, textOr, textsOf } from './report/loose.js';
import type { Outcome } from './report/report-document.js';

/** One test case: what was checked, and why it failed if it did. */
interface TestCase {
  readonly name: string;
  readonly seconds: number;
  readonly kind: 'passed' | 'failure' | 'error' | 'skipped';
  readonly message: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no word for these, escaped or not
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const escapeXml = (text: string): string =>
  text
    .replace(FORBIDDEN, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/\n/g, '&#10;');

const KINDS: Readonly<Record<string, TestCase['kind']>> = { failed: 'failure', error: 'error', skipped: 'skipped' };

function stepCase(step: Loose): TestCase {
  const kind =
    typeof step['status'] === 'string'
      ? (KINDS[step['status']] ?? 'passed')
      : step['passed'] === true
        ? 'passed'
        : 'failure';
  const seconds = typeof step['seconds'] === 'number' ? step['seconds'] : 0;
  const warnings = recordsOf(step['warnings']).map((warning) => `warning: ${textOr(warning['message'], '')}`);
  const message = [...textsOf(step['lines']), ...warnings].join('\n');
  return { name: `${step['id']}: ${textOr(step['title'], '')}`, seconds, kind, message };
}

function faultCase(fault: Loose): TestCase {
  const kinds: Readonly<Record<string, TestCase['kind']>> = { caught: 'passed', missed: 'failure', 'not-run': 'error' };
  const where = textOr(fault['where'], '');
  const status = textOr(fault['status'], '');
  return {
    name: `fault ${fault['id']}: ${textOr(fault['title'], '')}`,
    seconds: 0,
    kind: kinds[status] ?? 'skipped',
    message: `${status}${where === '' ? '' : ` at ${where}`}`,
  };
}

function itemCase(item: Loose): TestCase {
  const kind = item['passed'] === true ? 'passed' : 'failure';
  const name = textOr(item['name'], '') || '(the array)';
  return { name, seconds: 0, kind, message: textOr(item['message'], '') };
}

function inventoryCase(name: string, diff: Loose): TestCase {
  const lists = ['missing', 'unexpected', 'shape', 'dtype', 'trainable', 'duplicates', 'order'];
  const differences = lists.flatMap((list) => recordsOf(diff[list]).map((entry) => `${list}: ${entry['name']}`));
  const kind = diff['same'] === false ? 'failure' : 'passed';
  return { name, seconds: 0, kind, message: differences.slice(0, 100).join('\n') };
}

/** A case for each step, fault, array and inventory; what they do not say of the outcome, a case of its own does. */
function casesOf(result: unknown, outcome: Outcome): TestCase[] {
  const value = isRecord(result) ? result : {};
  const { baseline, inventories } = value;
  const cases = [
    ...recordsOf(isRecord(baseline) ? baseline['steps'] : value['steps']).map(stepCase),
    ...recordsOf(value['faults']).map(faultCase),
    ...recordsOf(value['items']).map(itemCase),
    ...(isRecord(inventories) && 'missing' in inventories ? [inventoryCase('names', inventories)] : []),
    ...('missing' in value && !('culprits' in value) ? [inventoryCase('same', value)] : []),
  ];
  const bad = cases.some(({ kind }) => kind === 'failure' || kind === 'error');
  if (cases.length > 0 && (outcome === 'same' || bad)) return cases;
  const kind = ({ same: 'passed', different: 'failure', unclear: 'error' } as const)[outcome];
  const message = textOr(value['summary'], outcome === 'unclear' ? 'it could not be told' : '');
  return [...cases, { name: 'verdict', seconds: 0, kind, message }];
}

/** A result as JUnit XML: a test case for each step, fault or array, and one for the verdict where these leave it open. */
export function junitOf(result: unknown, outcome: Outcome, title: string): string {
  const cases = casesOf(result, outcome);
  const count = (kind: TestCase['kind']): number => cases.filter((each) => each.kind === kind).length;
  const seconds = cases.reduce((sum, each) => sum + each.seconds, 0).toFixed(3);
  const body = cases.map(({ name, seconds: time, kind, message }) => {
    const head = `    <testcase name="${escapeXml(name)}" classname="${escapeXml(title)}" time="${time.toFixed(3)}"`;
    if (kind === 'passed' && message === '') return `${head}/>`;
    if (kind === 'passed') return `${head}><system-out>${escapeXml(message)}</system-out></testcase>`;
    return `${head}><${kind} message="${escapeXml(message)}"/></testcase>`;
  });
  const counts = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="tfparity" ${counts} time="${seconds}">
  <testsuite name="${escapeXml(title)}" ${counts} time="${seconds}">
${body.join('\n')}
  </testsuite>
</testsuites>
`;
}
