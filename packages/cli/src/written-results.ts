import type { CommandOptions } from './command.js';
import { textOption } from './command-options.js';
import { junitOf } from './junit.js';
import type { Outcome } from './report/report-document.js';
import { writeWhole } from './result-files.js';

/** Writes what `--html` and `--junit` ask for and says where, in a line each; both agree with the outcome. */
export async function writeResults(
  result: unknown,
  outcome: Outcome,
  title: string,
  options: CommandOptions,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const html = textOption(options, 'html');
  const junit = textOption(options, 'junit');
  // Through JSON, as `tfparity report` would get it.
  if (html !== undefined) {
    const { renderReport } = await import('./report/index.js');
    lines.push(`Page: ${writeWhole(html, renderReport(JSON.parse(JSON.stringify(result)), { title }))}`);
  }
  if (junit !== undefined) lines.push(`JUnit: ${writeWhole(junit, junitOf(result, outcome, title))}`);
  return lines;
}
