import { basename } from 'node:path';
import type { Inventory, InventoryDiff, RenameRule } from '@tfparity/inventory';
import { CliError } from '../cli-error.js';
import type { CommandOptions, CommandResult, CommandRun } from '../command.js';
import { compareCheckpoints } from '../compare-checkpoints.js';
import { pairNames } from '../pair-names.js';
import type { Outcome } from '../report/report-document.js';
import { kindOf, openArrays, openInventory, renameRules } from '../sources.js';
import { type Terminal, verdictLine } from '../terminal.js';
import { writeResults } from '../written-results.js';
import { comparisonResult, toleranceOptions } from './compare.js';

/** The variables of both sides; those of two checkpoints by names that both may have. */
async function inventoriesOf(a: string, b: string, mayPair: boolean): Promise<readonly [Inventory, Inventory]> {
  const hasValues = (path: string): boolean => !['graph', 'json'].includes(kindOf(path));
  if (!(mayPair && hasValues(a) && hasValues(b))) return [await openInventory(a), await openInventory(b)];
  const { captureInventory } = await import('@tfparity/inventory');
  const [actual, expected] = [await openArrays(a), await openArrays(b)];
  try {
    const pairs = pairNames(actual, expected);
    const left = [...pairs.actual].map(([name, entry]) => ({ ...entry, name }));
    const right = pairs.expected.map(({ name, entry }) => ({ ...entry, name }));
    return [
      captureInventory({ entries: [...left, ...actual.unreadable] }),
      captureInventory({ entries: [...right, ...expected.unreadable] }),
    ];
  } finally {
    await Promise.all([actual.close(), expected.close()]);
  }
}

async function diffNames(a: string, b: string, options: CommandOptions): Promise<InventoryDiff> {
  const { diffInventories } = await import('@tfparity/inventory');
  const rules = renameRules(options);
  const [actual, expected] = await inventoriesOf(a, b, rules.length === 0);
  const { nameMap } = await import('@tfparity/checkpoint');
  const names = rules.length > 0 ? nameMap(rules) : undefined;
  const rename: RenameRule | undefined = names && ((name: string) => names.apply(name));
  return diffInventories(actual, expected, { order: options['order'] === true, ...(rename ? { rename } : {}) });
}

async function diffValues(a: string, b: string, options: CommandOptions, terminal: Terminal) {
  for (const path of [a, b]) {
    if (['graph', 'json'].includes(kindOf(path))) {
      throw new CliError('Usage', `${path} holds no values; --values needs checkpoints on both sides`);
    }
  }
  const tolerance = toleranceOptions(options);
  const [actual, expected] = [await openArrays(a, options), await openArrays(b)];
  try {
    return await compareCheckpoints(actual, expected, { ...tolerance, progress: terminal.progress });
  } finally {
    await Promise.all([actual.close(), expected.close()]);
  }
}

/** `tfparity diff A B`: names, shapes and dtypes of two sets of variables; with `--values`, what they hold. */
export const diff: CommandRun = async ([a, b], options, terminal): Promise<CommandResult> => {
  const { formatInventoryDiff } = await import('@tfparity/inventory');
  const inventories = await diffNames(a!, b!, options);
  // Formats list variables in orders of their own: that is shown where it is asked for, and always kept in the JSON.
  const shown = options['order'] ? inventories : { ...inventories, order: [] };
  const [head, ...details] = formatInventoryDiff(shown, { limit: 6 }).split('\n');
  // Two files without a variable (a frozen graph holds its weights as constants) have the same names, and show nothing.
  const none = inventories.counts.actual + inventories.counts.expected === 0;
  const outcomeOfNames: Outcome = none ? 'unclear' : inventories.same ? 'same' : 'different';
  const names = none
    ? verdictLine(terminal, 'unclear', 'nothing was compared: no variable is on either side')
    : verdictLine(terminal, outcomeOfNames, head!);
  const title = `${basename(a!)} against ${basename(b!)}`;
  if (!options['values']) {
    const outcome = outcomeOfNames;
    const written = await writeResults(inventories, outcome, title, options);
    return {
      outcome,
      data: inventories,
      lines: [names, ...details, ...written],
      complaints: outcome === 'different' ? [head!] : [],
    };
  }
  const comparison = await diffValues(a!, b!, options, terminal);
  const values = await comparisonResult(comparison, { actual: a!, expected: b! }, terminal);
  // Two empty files have the same names, and nothing that could be compared.
  const outcome = values.outcome === 'unclear' ? 'unclear' : inventories.same ? values.outcome : 'different';
  const data = { ...comparison, sides: { actual: a, expected: b }, inventories };
  return {
    outcome,
    data,
    lines: [names, ...details, ...values.lines, ...(await writeResults(data, outcome, title, options))],
    complaints: [...(inventories.same ? [] : [head!]), ...(values.complaints ?? [])],
  };
};
