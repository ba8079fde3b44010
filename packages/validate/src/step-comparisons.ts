import {
  type ComparisonWarning,
  compareTrees,
  type Tree,
  type TreeComparison,
  type TreeOptions,
} from '@tfparity/numerics';
import { diffLedgers } from '@tfparity/random';
import type { NamedLoss, SideRun } from './model-side.js';
import type { StepComparison, StepWarning, UpdateSummary, ValidationStep } from './validation-report.js';

/** What a step found, before it is given its id and its time. */
export type StepBody = Pick<ValidationStep, 'lines' | 'warnings' | 'comparisons'> &
  Partial<Pick<ValidationStep, 'inventory' | 'ledger' | 'draws' | 'updates' | 'created' | 'reason'>> & {
    readonly status: 'passed' | 'failed' | 'skipped';
  };

/** Two runs of one request, and what of them counts. */
export interface RunPair {
  readonly legacy: SideRun;
  readonly migrated: SideRun;
  readonly training: boolean;
  /** Whether both drew their random numbers from the beginning, so that the ledgers must be the same. */
  readonly aligned: boolean;
  readonly tolerance: TreeOptions;
}

/** By the variables' names where both sides know the same ones (a layer's own loss is not named so), else in order. */
function lossTrees(legacy: readonly NamedLoss[], migrated: readonly NamedLoss[]): [Tree, Tree] {
  const names = (losses: readonly NamedLoss[]) => JSON.stringify(losses.map(({ name }) => name).sort());
  const named = legacy.every(({ name }) => name !== null) && names(legacy) === names(migrated);
  const tree = (losses: readonly NamedLoss[]): Tree => ({
    ...(named
      ? Object.fromEntries(losses.map(({ name, value }) => [name!, Float32Array.of(value)]))
      : { losses: losses.map(({ value }) => Float32Array.of(value)) }),
    total: Float32Array.of(losses.reduce((sum, { value }) => sum + value, 0)),
  });
  return [tree(legacy), tree(migrated)];
}

function figures({ counts, items, bitIdentical }: TreeComparison): string {
  if (bitIdentical) return `all ${counts.compared} identical to the last bit`;
  const distances = items.map(({ comparison }) => comparison?.evidence?.absolute.max ?? 0);
  const { rtol, atol } = items.find(({ comparison }) => comparison)?.comparison?.tolerance ?? { rtol: 0, atol: 0 };
  const failed = counts.failed > 0 ? `${counts.failed} of ${items.length} differ, ` : '';
  return `${failed}up to ${Math.max(0, ...distances).toExponential(2)} apart (rtol ${rtol}, atol ${atol})`;
}

/** One line for a comparison, and one for the first item that fails. */
export function comparisonLines({ of, comparison }: StepComparison): string[] {
  const first = comparison.items.find((item) => !item.passed);
  return [
    `${of}: ${figures(comparison)}`,
    ...(first === undefined ? [] : [`first to differ: ${first.name || '(the output)'}: ${first.message}`]),
  ];
}

const WEAK: ReadonlySet<ComparisonWarning['kind']> = new Set([
  'empty',
  'all-equal-values',
  'all-zero',
  'all-infinite',
  'all-nan',
  'nan-on-both-sides',
  'infinity-on-both-sides',
  'within-tolerance-of-zero',
]);

/** Outputs of which numerics says that their agreement proves little. */
function degenerate({ items }: TreeComparison): StepWarning[] {
  const weak = items.flatMap(({ name, comparison }) => {
    const warning = comparison?.warnings.find(({ kind }) => WEAK.has(kind));
    return warning === undefined ? [] : [`${name || 'the output'}: ${warning.message}`];
  });
  if (weak.length === 0) return [];
  const compared = items.filter(({ comparison }) => comparison).length;
  const message = `${weak.length} of ${compared} outputs prove little; ${weak[0]}`;
  return [{ kind: 'degenerate', message }];
}

function summarizeUpdates(legacy: SideRun, migrated: SideRun): UpdateSummary {
  const [a, b] = [Object.keys(legacy.updates), Object.keys(migrated.updates)];
  return {
    legacy: a.length,
    migrated: b.length,
    notUpdated: a.filter((name) => !(name in migrated.updates)),
    onlyMigrated: b.filter((name) => !(name in legacy.updates)),
  };
}

function updateLines(updates: UpdateSummary): string[] {
  const { notUpdated, onlyMigrated } = updates;
  const list = (names: readonly string[]) => `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`;
  return [
    ...(notUpdated.length > 0
      ? [`${notUpdated.length} update ops did not run in the migrated model: ${list(notUpdated)}`]
      : []),
    ...(onlyMigrated.length > 0
      ? [`${onlyMigrated.length} variables are changed by the migrated model alone: ${list(onlyMigrated)}`]
      : []),
  ];
}

/** Compares two runs: the draws first, then outputs, losses, variables and what was updated. */
export function compareRuns({ legacy, migrated, training, aligned, tolerance }: RunPair): StepBody {
  const drawn = legacy.ledger !== null &&
    migrated.ledger !== null && { legacy: legacy.ledger, migrated: migrated.ledger };
  const ledger = aligned && drawn ? diffLedgers(drawn.legacy, drawn.migrated) : undefined;
  const comparisons: StepComparison[] = [
    { of: 'outputs', comparison: compareTrees(migrated.outputs, legacy.outputs, tolerance) },
  ];
  if (legacy.losses.length + migrated.losses.length > 0) {
    const [expected, actual] = lossTrees(legacy.losses, migrated.losses);
    comparisons.push({ of: 'losses', comparison: compareTrees(actual, expected, tolerance) });
  }
  const named = Object.keys({ ...legacy.variables, ...migrated.variables }).length > 0;
  if (legacy.variables && migrated.variables && named) {
    const options = { ...tolerance, keep: 3, topK: 0 };
    comparisons.push({ of: 'variables', comparison: compareTrees(migrated.variables, legacy.variables, options) });
  }
  // In inference nothing should change, on neither side: a flag that reaches the updates alone is seen here only.
  const changed = Object.keys(legacy.updates).length + Object.keys(migrated.updates).length > 0;
  const updates = training || changed ? summarizeUpdates(legacy, migrated) : undefined;
  if (changed)
    comparisons.push({ of: 'updates', comparison: compareTrees(migrated.updates, legacy.updates, tolerance) });
  const warnings = degenerate(comparisons[0]!.comparison);
  const compared = comparisons[0]!.comparison.counts.compared;
  if (compared === 0) warnings.push({ kind: 'nothing-compared', message: 'the sides have no output in common' });
  if (training && updates && legacy.untrained > 0 && updates.legacy === 0) {
    const message = `the legacy side's pass changed none of its ${legacy.untrained} variables that are not trained; did its update ops run?`;
    warnings.push({ kind: 'no-updates', message });
  }
  const passed = compared > 0 && !ledger && comparisons.every(({ comparison }) => comparison.passed);
  return {
    status: passed ? 'passed' : 'failed',
    lines: [
      ...(ledger ? [`random draws part (a: legacy, b: migrated): ${ledger.message}`] : []),
      ...(compared === 0 ? ['nothing was compared: the sides have no output in common'] : []),
      ...(updates ? updateLines(updates) : []),
      // What fails comes first.
      ...[...comparisons]
        .sort((a, b) => Number(a.comparison.passed) - Number(b.comparison.passed))
        .flatMap(comparisonLines),
    ],
    warnings,
    comparisons,
    ...(ledger === undefined || !drawn
      ? {}
      : { ledger, draws: { legacy: drawn.legacy.length, migrated: drawn.migrated.length } }),
    ...(updates ? { updates } : {}),
  };
}
