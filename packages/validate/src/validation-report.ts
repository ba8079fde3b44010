import type { Inventory, InventoryDiff } from '@tfparity/inventory';
import type { TreeComparison } from '@tfparity/numerics';
import type { LedgerDifference } from '@tfparity/random';

/**
 * The steps, in the order in which they run: the guide's, and between them those that see what the guide's cannot.
 * `golden:NAME` is one recorded run of a golden bundle.
 */
export type StepId =
  | 'created-once'
  | 'inventory'
  | 'reset'
  | 'by-name'
  | 'inference'
  | 'training'
  | 'training-constant'
  | 'by-name-training'
  | 'checkpoint'
  | `golden:${string}`;

/** `skipped`: the sides cannot do it, and `reason` says why. `error`: a side threw, so that it cannot be told. */
export type StepStatus = 'passed' | 'failed' | 'skipped' | 'error';

/** What of the two sides was compared: the migrated side's values as actual, the legacy side's as expected. */
export interface StepComparison {
  /** `updates`: variables after the forward pass, where it changed them. */
  readonly of: 'outputs' | 'losses' | 'variables' | 'updates' | 'gradients';
  readonly comparison: TreeComparison;
}

/** A reason to trust a pass less. */
export interface StepWarning {
  readonly kind:
    | 'degenerate'
    | 'constant-input'
    | 'nothing-random'
    | 'nothing-compared'
    | 'not-recorded'
    | 'no-updates'
    | 'reason'
    | 'stock-optimizer';
  readonly message: string;
}

/** What a forward pass did to variables that are not trained (moving averages). */
export interface UpdateSummary {
  /** Variables that the legacy side's pass changed. */
  readonly legacy: number;
  readonly migrated: number;
  /** Changed by the legacy side alone: update ops that did not run. */
  readonly notUpdated: readonly string[];
  /** Changed by the migrated side alone. */
  readonly onlyMigrated: readonly string[];
}

/** One step's result; plain data. */
export interface ValidationStep {
  readonly id: StepId;
  readonly title: string;
  readonly status: StepStatus;
  /** Whether the status is `passed`: a skipped step has not passed. */
  readonly passed: boolean;
  readonly seconds: number;
  /** For people: what was checked, the figures, and why it failed if it did. The first line says the most. */
  readonly lines: readonly string[];
  readonly warnings: readonly StepWarning[];
  /** Why it was skipped. */
  readonly reason?: string;
  readonly comparisons: readonly StepComparison[];
  /** Only of step `inventory` (and `checkpoint`, where names did not fit). */
  readonly inventory?: InventoryDiff;
  /** Where the draws of random numbers part; null: the same draws. Looked at before any number is compared. */
  readonly ledger?: LedgerDifference | null;
  /** How many draws each side made under the test tool. */
  readonly draws?: { readonly legacy: number; readonly migrated: number };
  readonly updates?: UpdateSummary;
  /** Variables that the second call made, where step `created-once` fails. */
  readonly created?: readonly string[];
  readonly error?: { readonly name: string; readonly code?: string; readonly message: string };
}

/** What the result depends on. */
export interface ValidationEnvironment {
  /** The TensorFlow.js backend. */
  readonly backend: string;
  /** By name: tfjs, node, the bundle's TensorFlow, … */
  readonly versions: Readonly<Record<string, string>>;
  readonly platform: string;
}

/** How two models compare; plain data, which JSON keeps. */
export interface ValidationReport {
  readonly format: 'tfparity-validation';
  readonly version: 1;
  /** `cannot-tell`: nothing differs, but a step threw, no step compared any numbers, or it was stopped before its end. */
  readonly verdict: 'same' | 'different' | 'cannot-tell';
  /** One line that says the verdict and why. */
  readonly summary: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly steps: readonly ValidationStep[];
  readonly sides: { readonly legacy: string; readonly migrated: string };
  /** Variables of each side, where the step `inventory` ran. */
  readonly inventories: { readonly legacy?: Inventory; readonly migrated?: Inventory };
  readonly environment: ValidationEnvironment;
}

/**
 * What a step said of one fault; `threw`: the migrated side threw, which is noticed without any comparison; `not-run`: the step was
 * skipped, or the procedure had stopped.
 */
export type FaultOutcome = 'caught' | 'threw' | 'missed' | 'not-run';

/** One injected fault, step by step. */
export interface FaultResult {
  readonly id: string;
  readonly title: string;
  /** What it stands for in real migrations. */
  readonly description: string;
  /** How often it took effect in all runs; a fault that took none is `not-injected`, not missed. */
  readonly injections: number;
  /** `caught` also where a step threw; `not-run`: stopped by a signal before it was caught. */
  readonly status: 'caught' | 'missed' | 'not-injected' | 'not-run';
  /** Where it was injected: the op, variable or input, as far as it is known. */
  readonly where: string;
  readonly steps: readonly { readonly step: StepId; readonly outcome: FaultOutcome; readonly by: string }[];
}

/** Which faults the steps can see; plain data. */
export interface SensitivityReport {
  readonly format: 'tfparity-sensitivity';
  readonly version: 1;
  /** Whether the sides pass without a fault, every fault was tried, and every one that was injected is caught by some step. */
  readonly passed: boolean;
  readonly summary: string;
  readonly seconds: number;
  /** The same steps without a fault: if these fail, the table says nothing. */
  readonly baseline: ValidationReport;
  readonly steps: readonly { readonly id: StepId; readonly title: string }[];
  readonly faults: readonly FaultResult[];
}
