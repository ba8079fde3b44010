import type { NdArray } from '@tfparity/array';
import { diffInventories, formatInventoryDiff } from '@tfparity/inventory';
import type { TreeOptions } from '@tfparity/numerics';
import { type FillOptions, fillValue } from './fill.js';
import type {
  ModelInputs,
  ModelSide,
  Preparation,
  RunHooks,
  RunRequest,
  SideInspection,
  SideRun,
} from './model-side.js';
import { compareRuns, type StepBody } from './step-comparisons.js';
import { constantInputs, informativeInputs } from './step-inputs.js';
import type { StepId, StepWarning } from './validation-report.js';

/** What the steps of one validation share. */
export interface StepContext {
  /** `undefined` where the legacy side is a recording. */
  readonly legacy: ModelSide | undefined;
  readonly migrated: ModelSide;
  readonly inputs: ModelInputs<NdArray>;
  /** Runs of the legacy side by step, kept where the same steps run again and again. */
  readonly legacyRuns: Map<string, SideRun | SideInspection | undefined> | undefined;
  readonly hooks: RunHooks | undefined;
  toleranceOf(step: StepId): TreeOptions;
  note(side: 'legacy' | 'migrated', inspection: SideInspection): void;
  progress(message: string): void;
}

/** One step: what it is called, and what it does. */
export interface StepDefinition {
  readonly id: StepId;
  readonly title: string;
  run(context: StepContext): StepBody | Promise<StepBody>;
}

/** A step that can't be made, and why. */
export const skipped = (reason: string): StepBody => ({
  status: 'skipped',
  reason,
  lines: [reason],
  warnings: [],
  comparisons: [],
});

/** The legacy side's run, from the cache where there is one. */
export async function legacyRun(context: StepContext, key: string, request: RunRequest): Promise<SideRun> {
  const kept = context.legacyRuns?.get(key);
  if (kept !== undefined) return kept as SideRun;
  context.progress('legacy side');
  const run = await context.legacy!.run(request);
  context.legacyRuns?.set(key, run);
  return run;
}

function legacyInspection(context: StepContext): SideInspection | undefined {
  const { legacyRuns } = context;
  const kept = legacyRuns?.get('inspection');
  if (kept !== undefined) return kept as SideInspection;
  const inspection = context.legacy?.inspect(context.inputs);
  legacyRuns?.set('inspection', inspection);
  return inspection;
}

const createdOnce: StepDefinition = {
  id: 'created-once',
  title: 'Variables are created once',
  run(context) {
    const inspection = context.migrated.inspect(context.inputs);
    if (inspection === undefined) return skipped(`${context.migrated.description} has no variables that can be listed`);
    context.note('migrated', inspection);
    const { created, inventory } = inspection;
    if (created === null) return skipped(`${context.migrated.description} makes its variables when it is built`);
    const count = inventory.entries.length;
    const lines =
      created.length === 0
        ? [`${count} variables, none made by the second call`]
        : [`the second call made ${created.length} variables more: ${created.slice(0, 5).join(', ')}`];
    return { status: created.length === 0 ? 'passed' : 'failed', lines, warnings: [], comparisons: [], created };
  },
};

const inventoryStep: StepDefinition = {
  id: 'inventory',
  title: 'Variable counts, names, shapes and trainability match',
  run(context) {
    const legacy = legacyInspection(context);
    if (legacy === undefined) return skipped('the legacy side lists no variables');
    const inspected = context.migrated.inspect(context.inputs);
    if (inspected === undefined) return skipped(`${context.migrated.description} lists no variables`);
    const migrated = context.hooks?.inspected?.(inspected) ?? inspected;
    context.note('legacy', legacy);
    context.note('migrated', migrated);
    const inventory = diffInventories(migrated.inventory, legacy.inventory);
    const { actual, actualTrainable } = inventory.counts;
    const warnings: StepWarning[] =
      actual === 0 ? [{ kind: 'nothing-compared', message: 'neither side has any variables' }] : [];
    const lines = inventory.same
      ? [`${actual} variables (${actualTrainable} trainable), the same on both sides`]
      : formatInventoryDiff(inventory).split('\n');
    return { status: inventory.same ? 'passed' : 'failed', lines, warnings, comparisons: [], inventory };
  },
};

/** A step that makes one forward pass on each side. */
interface RunStep {
  readonly id: StepId;
  readonly title: string;
  readonly training: boolean;
  readonly random: RunRequest['random'];
  readonly fill?: FillOptions;
  readonly informative?: boolean;
  readonly keepVariables?: boolean;
}

const BY_NAME: FillOptions = { mode: 'byName', seed: 42 };

const RUN_STEPS: readonly RunStep[] = [
  {
    id: 'reset',
    title: 'All variables at 0.001, no randomness: outputs and losses match',
    training: false,
    random: 'constant',
    fill: { mode: 'constant', value: 0.001 },
  },
  {
    id: 'by-name',
    title: 'Every variable its own values, an input of noise: outputs and losses match',
    training: false,
    random: 'constant',
    fill: BY_NAME,
    informative: true,
  },
  {
    id: 'inference',
    title: 'Random numbers aligned, inference',
    training: false,
    random: 'num_random_ops',
    keepVariables: true,
  },
  { id: 'training', title: 'Random numbers aligned, training', training: true, random: 'num_random_ops' },
  { id: 'training-constant', title: 'Constant mode of the test tool, training', training: true, random: 'constant' },
  {
    id: 'by-name-training',
    title: 'Every variable its own values, an input of noise, training',
    training: true,
    random: 'constant',
    fill: BY_NAME,
    informative: true,
  },
];

/** How values are given to variables by a fill. */
export function preparationOf(fill: FillOptions | undefined): Preparation {
  return fill === undefined
    ? { kind: 'initial' }
    : { kind: 'values', valueOf: (variable) => fillValue(variable, fill) };
}

/** The steps that make one forward pass on each side. */
export const RUN_STEP_IDS: readonly StepId[] = RUN_STEPS.map(({ id }) => id);

/** The forward pass that a step of `RUN_STEP_IDS` asks for. */
export function runRequest(id: StepId, given: ModelInputs<NdArray>): RunRequest {
  const { training, random, fill, informative, keepVariables = false } = RUN_STEPS.find((step) => step.id === id)!;
  const inputs = informative ? informativeInputs(given) : given;
  return { inputs, training, random, prepare: preparationOf(fill), keepVariables };
}

function runStep(step: RunStep): StepDefinition {
  const { id, title, training, fill } = step;
  return {
    id,
    title,
    async run(context) {
      const { legacy, migrated } = context;
      if (legacy === undefined) return skipped('the legacy side is a recording; its runs are steps golden:…');
      const request = runRequest(id, context.inputs);
      const { inputs } = request;
      const reason = legacy.cannot(request) ?? migrated.cannot(request);
      if (reason !== undefined) return skipped(reason);
      const expected = await legacyRun(context, id, request);
      context.progress('migrated side');
      const actual = await migrated.run(request, context.hooks);
      const body = compareRuns({
        legacy: expected,
        migrated: actual,
        training,
        aligned: fill === undefined,
        tolerance: context.toleranceOf(id),
      });
      return { ...body, warnings: [...body.warnings, ...inputWarnings(inputs)] };
    },
  };
}

function inputWarnings(inputs: ModelInputs<NdArray>): StepWarning[] {
  const constant = constantInputs(inputs);
  if (constant.length === 0) return [];
  const message = `${constant.join(', ')}: every element is the same, which hides swapped channels, swapped axes and shifted windows`;
  return [{ kind: 'constant-input', message }];
}

/** The steps that two models can go through, in order. */
export const STEPS: readonly StepDefinition[] = [createdOnce, inventoryStep, ...RUN_STEPS.map(runStep)];
