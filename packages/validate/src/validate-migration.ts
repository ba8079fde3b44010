import * as tf from '@tensorflow/tfjs-core';
import { type ArrayLike, isTfparityError } from '@tfparity/array';
import { Checkpoint, type CheckpointSource, openCheckpoint } from '@tfparity/checkpoint';
import { captureInventory, type Inventory, type RenameRule } from '@tfparity/inventory';
import { TOLERANCES, type TreeComparison, type TreeOptions } from '@tfparity/numerics';
import { GoldenBundle } from './golden-bundle.js';
import type { ModelInputs, ModelSide, RunHooks } from './model-side.js';
import { checkpointStep, goldenStep } from './recorded-steps.js';
import { openSide, type Side } from './side.js';
import { warnOfStockOptimizer } from './stock-optimizer-warning.js';
import { downloadInputs } from './tensor-tree.js';
import { ValidateError } from './validate-error.js';
import type { StepId, ValidationEnvironment, ValidationReport, ValidationStep } from './validation-report.js';
import { STEPS, type StepContext, type StepDefinition } from './validation-steps.js';

/**
 * Tolerances of all steps, and of single ones: a step without limits of its own keeps those of all, and its overrides go
 * first.
 */
export interface StepTolerances extends TreeOptions {
  readonly steps?: Partial<Readonly<Record<StepId, TreeOptions>>>;
}

/** What is compared. */
export interface Migration {
  /** What is taken to be right. */
  readonly legacy: Side;
  readonly migrated: Side;
  /** One input, several, or inputs by name; not needed where the legacy side is a golden bundle. */
  readonly inputs?: ModelInputs<ArrayLike>;
  /** The guide's (rtol 1e-6, atol 1e-5) unless said. */
  readonly tolerances?: StepTolerances;
  /** Rules that turn the migrated side's variable names into the legacy side's. */
  readonly rename?: RenameRule | readonly RenameRule[];
  /** A checkpoint whose values both sides are given in a step of their own. */
  readonly checkpoint?: CheckpointSource | Checkpoint;
  /** A recording that the migrated side must meet, too. */
  readonly golden?: GoldenBundle;
  /** What the migrated side is trained with, where no model of it is compiled with one: it is held against TF1's. */
  readonly optimizer?: tf.Optimizer;
}

/** What is being done now. */
export interface ValidationProgress {
  readonly step: StepId;
  readonly title: string;
  /** From 0. */
  readonly index: number;
  readonly count: number;
  /** `legacy side`, `migrated side`; empty as the step begins. */
  readonly doing: string;
}

/** How it is compared. */
export interface ValidationOptions {
  /** Steps by id, `golden` for all of that kind; all that the sides can do unless said. Order is the guide's. */
  readonly steps?: readonly (StepId | 'golden')[];
  readonly onProgress?: (progress: ValidationProgress) => void;
  /** Ends with the first step that fails or throws; false unless said. */
  readonly stopEarly?: boolean;
  /** Ends before the next step; the verdict is then `cannot-tell`, unless something differs already. */
  readonly signal?: AbortSignal;
}

/** What repeated validations of one migration share: the legacy side's runs, and a fault in the migrated side. */
export interface Repetition {
  readonly legacyRuns?: StepContext['legacyRuns'];
  readonly hooks?: RunHooks;
}

/**
 * The guide's procedure for any two models: variables made once, inventory, reset, values by name, random numbers aligned
 * in inference and training, checkpoint, recorded runs. A step that a side cannot do is skipped, with the reason.
 *
 * @throws {ValidateError} `InvalidSide`, `InvalidInputs`, `UnknownStep`; what a side throws is its step's result
 */
export function validateMigration(migration: Migration, options: ValidationOptions = {}): Promise<ValidationReport> {
  return runValidation(migration, options, {});
}

/** `validateMigration`, once of several times. */
export async function runValidation(
  migration: Migration,
  options: ValidationOptions,
  repetition: Repetition,
): Promise<ValidationReport> {
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const opened = openSide(migration.legacy);
  const legacy = opened instanceof GoldenBundle ? undefined : opened;
  const migrated = openSide(migration.migrated, migration.rename);
  if (migrated instanceof GoldenBundle) {
    throw new ValidateError('InvalidSide', 'a golden bundle can be the legacy side only: it computes nothing');
  }
  const bundles = [...new Set([opened, migration.golden])].filter((side) => side instanceof GoldenBundle);
  const inventories: { legacy?: Inventory; migrated?: Inventory } = {};
  const definitions = await stepsOf(migration, bundles, options.steps);
  const inputs = downloadInputs(migration.inputs ?? (await firstInputs(bundles)));
  const steps: ValidationStep[] = [];
  for (const [index, definition] of definitions.entries()) {
    if (options.signal?.aborted) break;
    const { id, title } = definition;
    const progress = (doing: string) =>
      options.onProgress?.({ step: id, title, index, count: definitions.length, doing });
    progress('');
    const context: StepContext = {
      legacy: legacy ?? listed(opened as GoldenBundle, id),
      migrated,
      inputs,
      legacyRuns: repetition.legacyRuns,
      hooks: repetition.hooks,
      toleranceOf: (step) => toleranceOf(migration.tolerances, step),
      note: (side, { inventory }) => {
        inventories[side] = inventory;
      },
      progress,
    };
    steps.push(await runStep(definition, context));
    if (options.stopEarly && ['failed', 'error'].includes(steps.at(-1)!.status)) break;
  }
  const warned = warnOfStockOptimizer(steps, migration.optimizer ?? migrated.optimizer, legacy?.optimizer);
  return {
    format: 'tfparity-validation',
    version: 1,
    ...verdictOf(steps, definitions.length),
    startedAt,
    seconds: (performance.now() - began) / 1000,
    steps: warned,
    sides: { legacy: legacy?.description ?? 'a golden bundle', migrated: migrated.description },
    inventories,
    environment: environment(bundles),
  };
}

/** For step `inventory`, a recording is a side that lists its variables. */
function listed(bundle: GoldenBundle, step: StepId): ModelSide | undefined {
  const { variables } = bundle.manifest;
  if (step !== 'inventory' || variables.length === 0) return undefined;
  const inventory = { ...captureInventory(variables), source: 'a golden bundle' };
  return {
    description: 'a golden bundle',
    cannot: () => 'the legacy side is a recording',
    inspect: () => ({ inventory, created: null }),
    run: () => {
      throw new ValidateError('InvalidSide', 'a recording can not be run');
    },
  };
}

function toleranceOf(tolerances: StepTolerances = {}, step: StepId): TreeOptions {
  const { steps, ...given } = tolerances;
  const general = hasLimits(given) ? given : { ...TOLERANCES.guide, ...given };
  const own = steps?.[step];
  if (own === undefined) return general;
  const overrides = [...(own.overrides ?? []), ...(general.overrides ?? [])];
  const { rtol, atol, maxUlps, equalNan, keep, topK } = general;
  if (!hasLimits(own)) return { ...general, ...own, rtol, atol, maxUlps, overrides };
  return { equalNan, keep, topK, ...own, overrides };
}

const hasLimits = ({ rtol, atol, maxUlps }: TreeOptions): boolean =>
  rtol !== undefined || atol !== undefined || maxUlps !== undefined;

async function firstInputs(bundles: readonly GoldenBundle[]): Promise<ModelInputs<ArrayLike>> {
  const [bundle] = bundles;
  const run = bundle?.runs[0];
  if (bundle === undefined || run === undefined) {
    throw new ValidateError('InvalidInputs', 'there are no inputs; give `inputs`, which both models are called with');
  }
  const arrays = await bundle.arrays(run.inputs);
  return Object.keys(arrays).join() === 'input' ? arrays['input']! : arrays;
}

async function stepsOf(
  migration: Migration,
  bundles: readonly GoldenBundle[],
  asked: ValidationOptions['steps'],
): Promise<StepDefinition[]> {
  const { checkpoint } = migration;
  const opened =
    checkpoint === undefined || checkpoint instanceof Checkpoint ? checkpoint : await openCheckpoint(checkpoint);
  const all = [
    ...STEPS,
    ...(opened === undefined ? [] : [checkpointStep(opened)]),
    ...bundles.flatMap((bundle) => bundle.runs.map((run) => goldenStep(bundle, run))),
  ];
  if (asked === undefined) return all;
  const means = (id: StepId, by: string) => id === by || (by === 'golden' && id.startsWith('golden:'));
  const unknown = asked.filter((by) => !all.some(({ id }) => means(id, by)));
  if (unknown.length > 0) {
    const known = all.map(({ id }) => id).join(', ');
    throw new ValidateError('UnknownStep', `there is no step '${unknown.join("', '")}' here; steps are ${known}`, {
      unknown,
    });
  }
  return all.filter(({ id }) => asked.some((by) => means(id, by)));
}

async function runStep(definition: StepDefinition, context: StepContext): Promise<ValidationStep> {
  const { id, title } = definition;
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  try {
    const body = await definition.run(context);
    return { id, title, passed: body.status === 'passed', seconds: seconds(), ...body };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const code = isTfparityError(error) ? { code: error.code } : {};
    return {
      id,
      title,
      status: 'error',
      passed: false,
      seconds: seconds(),
      lines: [`a side threw: ${error.message}`],
      warnings: [],
      comparisons: [],
      error: { name: error.name, ...code, message: error.message },
    };
  }
}

const NO_PROOF: ReadonlySet<string> = new Set(['empty', 'all-nan', 'all-infinite']);

/** Whether any array in it is more than NaN, infinities or nothing, which any two functions may agree on. */
function comparesNumbers({ items }: TreeComparison): boolean {
  return items.some(({ comparison }) => comparison && !comparison.warnings.some(({ kind }) => NO_PROOF.has(kind)));
}

/** Whether outputs were compared, and none of them was a number. */
function provesNothing(comparisons: ValidationStep['comparisons']): boolean {
  const outputs = comparisons.filter(({ of }) => of === 'outputs');
  return outputs.length > 0 && !outputs.some(({ comparison }) => comparesNumbers(comparison));
}

function verdictOf(steps: readonly ValidationStep[], count: number): Pick<ValidationReport, 'verdict' | 'summary'> {
  const names = (status: ValidationStep['status']) =>
    steps.filter((step) => step.status === status).map(({ id }) => id);
  const [failed, errors, skippedSteps] = [names('failed'), names('error'), names('skipped')];
  const passed = steps.filter(({ status }) => status === 'passed').flatMap(({ comparisons }) => comparisons);
  const outputs = passed.filter(({ of, comparison }) => of === 'outputs' && comparison.counts.compared > 0);
  const stopped = steps.length < count ? `stopped after ${steps.length} of ${count} steps` : '';
  const left = skippedSteps.length > 0 ? `${skippedSteps.length} skipped: ${skippedSteps.join(', ')}` : '';
  const rest = left || stopped ? ` (${[left, stopped].filter(Boolean).join('; ')})` : '';
  if (failed.length > 0) {
    const first = steps.find(({ status }) => status === 'failed')!;
    return { verdict: 'different', summary: `${failed.join(', ')} failed; ${first.lines[0]}${rest}` };
  }
  if (errors.length > 0) {
    const first = steps.find(({ status }) => status === 'error')!;
    return { verdict: 'cannot-tell', summary: `${errors.join(', ')}: ${first.lines[0]}${rest}` };
  }
  if (!outputs.some(({ comparison }) => comparesNumbers(comparison))) {
    const but = outputs.length > 0 ? ' but NaN, infinities and empty arrays' : '';
    return { verdict: 'cannot-tell', summary: `no step compared any numbers${but}${rest}` };
  }
  if (stopped) return { verdict: 'cannot-tell', summary: `nothing differs so far${rest}` };
  const weak = steps.filter(({ status, comparisons }) => status === 'passed' && provesNothing(comparisons));
  const but = weak.length > 0 ? `, ${weak.map(({ id }) => id).join(', ')} with nothing but NaN and infinities` : '';
  const passing = `${steps.length - skippedSteps.length} of ${steps.length} steps passed`;
  return { verdict: 'same', summary: `${passing}${but}${rest}` };
}

function environment(bundles: readonly GoldenBundle[]): ValidationEnvironment {
  const node = typeof process === 'undefined' ? undefined : process.versions?.node;
  return {
    backend: tf.getBackend(),
    versions: {
      tfjs: tf.version_core,
      ...(node === undefined ? {} : { node }),
      ...Object.fromEntries(
        bundles.flatMap((b) => Object.entries(b.manifest.versions).map(([k, v]) => [`golden ${k}`, v])),
      ),
    },
    platform: node === undefined ? 'browser' : `${process.platform}-${process.arch}`,
  };
}
