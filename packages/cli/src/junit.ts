import { isRecord, recordsOf, textOr, textsOf } from './report/loose.js';

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

function casesOf(result: unknown): TestCase[] {
  if (!isRecord(result)) return [];
  const steps = recordsOf(result['steps']).map((step): TestCase => {
    const kinds: Readonly<Record<string, TestCase['kind']>> = { failed: 'failure', error: 'error', skipped: 'skipped' };
    const kind =
      typeof step['status'] === 'string'
        ? (kinds[step['status']] ?? 'passed')
        : step['passed'] === true
          ? 'passed'
          : 'failure';
    const seconds = typeof step['seconds'] === 'number' ? step['seconds'] : 0;
    return {
      name: `${step['id']}: ${textOr(step['title'], '')}`,
      seconds,
      kind,
      message: textsOf(step['lines']).join('\n'),
    };
  });
  const items = recordsOf(result['items']).map((item): TestCase => {
    const kind = item['passed'] === true ? 'passed' : 'failure';
    return { name: textOr(item['name'], '') || '(the array)', seconds: 0, kind, message: textOr(item['message'], '') };
  });
  if (steps.length + items.length > 0) return [...steps, ...items];
  const lists = ['missing', 'unexpected', 'shape', 'dtype', 'trainable', 'duplicates', 'order'];
  const differences = lists.flatMap((list) => recordsOf(result[list]).map((entry) => `${list}: ${entry['name']}`));
  const kind = result['same'] === false || result['passed'] === false ? 'failure' : 'passed';
  return [{ name: 'same', seconds: 0, kind, message: differences.slice(0, 100).join('\n') }];
}

/** A result as JUnit XML: a test case for each step or array, or one for the whole. */
export function junitOf(result: unknown, title: string): string {
  const cases = casesOf(result);
  const count = (kind: TestCase['kind']): number => cases.filter((each) => each.kind === kind).length;
  const seconds = cases.reduce((sum, each) => sum + each.seconds, 0).toFixed(3);
  const body = cases.map(({ name, seconds: time, kind, message }) => {
    const head = `    <testcase name="${escapeXml(name)}" classname="${escapeXml(title)}" time="${time.toFixed(3)}"`;
    if (kind === 'passed') return `${head}/>`;
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
