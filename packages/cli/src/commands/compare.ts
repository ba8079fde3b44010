import { basename } from 'node:path';
import type { CompareOptions, Tree, TreeComparison } from '@tfparity/numerics';
import { CliError } from '../cli-error.js';
import type { CommandOptions, CommandResult, CommandRun } from '../command.js';
import { numberOption, renameRulesGiven, textOption } from '../command-options.js';
import { compareCheckpoints } from '../compare-checkpoints.js';
import { exactIntegers, readExactJson } from '../exact-json.js';
import { isRecord } from '../report/loose.js';
import { readJson } from '../result-files.js';
import { kindOf, openArrays } from '../sources.js';
import { type Terminal, verdictLine } from '../terminal.js';
import { triageResult } from '../triage-result.js';
import { writeResults } from '../written-results.js';

/** The tolerance of `--rtol`, `--atol` and `--max-ulps`; empty where none was given: then each dtype has its own. */
export function toleranceOptions(options: CommandOptions): CompareOptions {
  const limits = {
    rtol: numberOption(options, 'rtol'),
    atol: numberOption(options, 'atol'),
    maxUlps: numberOption(options, 'maxUlps'),
  };
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

async function compareJson(actual: string, expected: string, options: CommandOptions): Promise<TreeComparison> {
  if (renameRulesGiven(options) || textOption(options, 'filter') !== undefined) {
    throw new CliError('Usage', '--rename and --filter are for files of arrays, not for JSON');
  }
  const { compareTrees } = await import('@tfparity/numerics');
  const [a, e] = exactIntegers(readExactJson(actual), readExactJson(expected));
  return compareTrees(a as Tree, e as Tree, toleranceOptions(options));
}

async function compareFiles(actual: string, expected: string, options: CommandOptions, terminal: Terminal) {
  const tolerance = toleranceOptions(options);
  const a = await openArrays(actual, options);
  const e = await openArrays(expected);
  const part = textOption(options, 'filter');
  try {
    const filter = part === undefined ? undefined : (name: string) => name.includes(part);
    return await compareCheckpoints(a, e, { ...tolerance, filter, progress: terminal.progress });
  } finally {
    await Promise.all([a.close(), e.close()]);
  }
}

/** The command's result from a comparison: the verdict first, then what numerics says of it. Files are the caller's to write. */
export async function comparisonResult(
  comparison: TreeComparison,
  sides: { readonly actual: string; readonly expected: string },
  terminal: Terminal,
): Promise<CommandResult> {
  const { formatComparison } = await import('@tfparity/numerics');
  const total = comparison.items.length;
  const outcome = total === 0 ? 'unclear' : comparison.passed ? 'same' : 'different';
  const data = { ...comparison, sides };
  const [head, ...details] = formatComparison(comparison, { limit: 8 }).split('\n');
  const verdict =
    total === 0
      ? 'nothing was compared: no array is on either side'
      : comparison.bitIdentical
        ? `bit-identical: ${total} arrays`
        : head!;
  return {
    outcome,
    data,
    lines: [verdictLine(terminal, outcome, verdict), ...details],
    complaints: comparison.items.filter((item) => !item.passed).map((item) => `${item.name}: ${item.message}`),
  };
}

/** The triage of two traces that were kept as JSON; undefined where the files hold no traces. */
async function traceReport(actual: string, expected: string) {
  const [migrated, legacy] = [readJson(actual), readJson(expected)];
  const count = [migrated, legacy].filter((value) => isRecord(value) && value['format'] === 'tfparity-trace').length;
  if (count === 0) return undefined;
  if (count === 1) throw new CliError('Usage', 'one side is a trace and the other is not; give two traces');
  // What runs models is loaded only where it is needed.
  const { parseTrace, triage } = await import('@tfparity/validate');
  return triage({ legacy: parseTrace(legacy), migrated: parseTrace(migrated) });
}

/** `tfparity compare ACTUAL EXPECTED`: arrays by name, with full evidence. */
export const compare: CommandRun = async ([actual, expected], options, terminal) => {
  const json = [actual!, expected!].filter((path) => kindOf(path) === 'json').length;
  if (json === 1)
    throw new CliError('Usage', 'one side is JSON and the other is not; give both as JSON, or both as files of arrays');
  const title = `${basename(actual!)} against ${basename(expected!)}`;
  const traces = json === 2 ? await traceReport(actual!, expected!) : undefined;
  if (traces !== undefined) return triageResult(traces, title, options, terminal);
  const comparison =
    json === 2
      ? await compareJson(actual!, expected!, options)
      : await compareFiles(actual!, expected!, options, terminal);
  const result = await comparisonResult(comparison, { actual: actual!, expected: expected! }, terminal);
  return { ...result, lines: [...result.lines, ...(await writeResults(result.data, result.outcome, title, options))] };
};
