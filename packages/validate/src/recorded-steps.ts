import type { NdArray } from '@tfparity/array';
import type { Checkpoint } from '@tfparity/checkpoint';
import { captureInventory, diffInventories, formatInventoryDiff, normalizeName } from '@tfparity/inventory';
import { compareTrees, leavesOf, TOLERANCES } from '@tfparity/numerics';
import type { BundleRun, GoldenBundle } from './golden-bundle.js';
import type { ModelInputs, ModelSide, Preparation, RunRequest, SideRun } from './model-side.js';
import { inTensorFlowJs } from './recorded-dtype.js';
import { compareRuns, comparisonLines, type StepBody } from './step-comparisons.js';
import type { StepComparison, StepWarning } from './validation-report.js';
import { legacyRun, type StepContext, type StepDefinition, skipped } from './validation-steps.js';

/** The values of a map for the variables that are in it. */
const valuesFrom = (values: ReadonlyMap<string, NdArray>): Preparation => ({
  kind: 'values',
  valueOf: ({ name }) => values.get(normalizeName(name)),
});

/** Reads what the checkpoint has for these variables, and says what it has not. */
async function readVariables(checkpoint: Checkpoint, names: readonly string[]) {
  const values = new Map<string, NdArray>();
  const missing: string[] = [];
  for (const name of names) {
    if (checkpoint.has(name)) values.set(name, await checkpoint.get(name));
    else missing.push(name);
  }
  return { values, missing };
}

/** The step that restores both sides from one checkpoint, and runs them. */
export function checkpointStep(checkpoint: Checkpoint): StepDefinition {
  return {
    id: 'checkpoint',
    title: 'Restored from the checkpoint: values, outputs and losses match',
    async run(context): Promise<StepBody> {
      const { legacy, migrated, inputs } = context;
      const inspection = migrated.inspect(inputs);
      if (inspection === undefined) return skipped(`${migrated.description} lists no variables`);
      const { entries } = inspection.inventory;
      if (entries.length === 0) return skipped(`${migrated.description} has no variables that could be restored`);
      const { values, missing } = await readVariables(
        checkpoint,
        entries.map(({ name }) => name),
      );
      const stored = new Set(checkpoint.entries.map(({ name }) => name));
      const relevant = checkpoint.entries.filter(({ name }) => values.has(name));
      const inventory = diffInventories({ source: 'model', entries }, captureInventory(relevant));
      if (missing.length > 0 || inventory.shape.length > 0 || inventory.dtype.length > 0) {
        const first = `${missing.length} of ${entries.length} variables are not in the checkpoint${missing.length ? `: ${missing.slice(0, 5).join(', ')}` : ''}`;
        return {
          status: 'failed',
          lines: [first, ...formatInventoryDiff(inventory).split('\n')],
          warnings: [],
          comparisons: [],
          inventory,
        };
      }
      const request: RunRequest = {
        inputs,
        training: false,
        random: 'constant',
        prepare: valuesFrom(values),
        keepVariables: true,
      };
      const cannot = migrated.cannot(request);
      if (cannot !== undefined) return skipped(cannot);
      context.progress('migrated side');
      const actual = await migrated.run(request, context.hooks);
      const restored: StepComparison = {
        of: 'variables',
        comparison: compareTrees(actual.variables!, Object.fromEntries(values), {
          ...TOLERANCES.exact,
          topK: 0,
          keep: 3,
        }),
      };
      const body = legacy && legacy.cannot(request) === undefined ? await outputs(context, request, actual) : undefined;
      const unused = stored.size - values.size;
      const passed = restored.comparison.passed && body?.status !== 'failed';
      // That variables keep what they are given says nothing of the model.
      const reason = 'the legacy side can not be restored: outputs were not compared';
      return {
        ...body,
        ...(passed && body === undefined ? { status: 'skipped', reason } : { status: passed ? 'passed' : 'failed' }),
        lines: [
          `restored ${comparisonLines(restored).join('; ')}`,
          ...(body?.lines ?? [reason]),
          ...(unused > 0 ? [`${unused} tensors of the checkpoint were not used`] : []),
        ],
        warnings: body?.warnings ?? [],
        comparisons: [restored, ...(body?.comparisons ?? [])],
      };
    },
  };
}

async function outputs(context: StepContext, request: RunRequest, actual: SideRun): Promise<StepBody> {
  const legacy = await legacyRun(context, 'checkpoint', request);
  // The values were compared with the checkpoint's already.
  const { variables: _, ...migrated } = actual;
  return compareRuns({
    legacy,
    migrated,
    training: false,
    aligned: false,
    tolerance: context.toleranceOf('checkpoint'),
  });
}

/** A recorded run as a side's run, with its outputs in a flat record. */
async function recorded(bundle: GoldenBundle, run: BundleRun): Promise<SideRun> {
  const { outputs, variables, updates } = run;
  return {
    outputs: await bundle.arrays(outputs),
    losses: Object.entries(run.losses ?? {}).map(([name, value]) => ({
      name: /^\d+$/.test(name) ? null : name,
      value,
    })),
    ...(Object.keys(variables).length > 0 ? { variables: await bundle.arrays(variables) } : {}),
    updates: await bundle.arrays(updates ?? {}),
    untrained: bundle.manifest.variables.filter(({ trainable }) => !trainable).length,
    ledger: run.ledger ?? [],
  };
}

/** One input that is called `input` is given as it is, others by their names. */
function inputsOf(arrays: Record<string, NdArray>): ModelInputs<NdArray> {
  const names = Object.keys(arrays);
  if (names.length === 1 && names[0] === 'input') return arrays['input']!;
  return names.every((name, i) => name === `input_${i}`) ? Object.values(arrays) : arrays;
}

/** Whether a side can draw its variables and numbers as the recorded run drew them. */
export const isAlignedRun = (run: BundleRun, migrated: ModelSide): boolean =>
  run.random !== null &&
  migrated.cannot({ inputs: [], training: run.training, random: run.random.mode, prepare: { kind: 'initial' } }) ===
    undefined;

/** The forward pass that was recorded: with its variables drawn anew, or given the recorded values. */
export async function bundleRequest(bundle: GoldenBundle, run: BundleRun, aligned: boolean): Promise<RunRequest> {
  const hasVariables = Object.keys(run.variables).length > 0;
  const values = aligned ? {} : await bundle.arrays(run.variables);
  return {
    inputs: inputsOf(await bundle.arrays(run.inputs)),
    training: run.training,
    random: run.random?.mode ?? 'constant',
    ...(run.random === null ? {} : { seed: run.random.seed }),
    keepVariables: hasVariables,
    prepare: aligned ? { kind: 'initial' } : valuesFrom(new Map(Object.entries(values))),
  };
}

/** The step that holds the migrated side against one recorded run of a bundle. */
export function goldenStep(bundle: GoldenBundle, run: BundleRun): StepDefinition {
  const tensorflow = bundle.manifest.versions['tensorflow'];
  return {
    id: `golden:${run.name}`,
    title: `As recorded${tensorflow === undefined ? '' : ` in TensorFlow ${tensorflow}`}: ${run.name}`,
    async run(context): Promise<StepBody> {
      const { migrated } = context;
      const expected = await recorded(bundle, run);
      const isAligned = isAlignedRun(run, migrated);
      if (!isAligned && expected.variables === undefined) {
        return skipped('the run was recorded without its variables, and the migrated side can not draw them as it did');
      }
      const request = await bundleRequest(bundle, run, isAligned);
      const reason = migrated.cannot(request);
      if (reason !== undefined) return skipped(reason);
      context.progress('migrated side');
      const actual = await migrated.run(request, context.hooks);
      const held = heldAgainst(actual, run);
      const body = compareRuns({
        legacy: { ...expected, outputs: inTensorFlowJs(expected.outputs as Record<string, NdArray>, held.outputs) },
        migrated: held,
        training: run.training,
        aligned: isAligned && run.ledger !== null,
        tolerance: context.toleranceOf(`golden:${run.name}`),
      });
      return { ...body, warnings: [...body.warnings, ...notRecorded(actual, run)] };
    },
  };
}

/** The run as far as it was recorded, with its outputs under the names that a bundle gives leaves. */
function heldAgainst(actual: SideRun, run: BundleRun): SideRun & { readonly outputs: Record<string, NdArray> } {
  const outputs = outputsByName(actual).filter(([name]) => Object.hasOwn(run.outputs, name));
  return {
    ...actual,
    outputs: Object.fromEntries(outputs),
    losses: run.losses === null ? [] : actual.losses,
    updates: run.updates === null ? {} : actual.updates,
  };
}

function outputsByName({ outputs }: SideRun): [string, NdArray][] {
  return leavesOf(outputs).map(({ name, value }) => [name || 'output', value as NdArray]);
}

/** What the migrated side has and the recording left out, so that nobody takes it for compared. */
function notRecorded(actual: SideRun, run: BundleRun): StepWarning[] {
  const left = outputsByName(actual).flatMap(([name]) => (Object.hasOwn(run.outputs, name) ? [] : [name]));
  const parts = [
    ...(left.length > 0 ? [`outputs ${left.slice(0, 5).join(', ')}${left.length > 5 ? ', …' : ''}`] : []),
    ...(run.losses === null && actual.losses.length > 0 ? [`${actual.losses.length} losses`] : []),
    ...(run.updates === null && Object.keys(actual.updates).length > 0
      ? [`updates of ${Object.keys(actual.updates).length} variables`]
      : []),
  ];
  if (parts.length === 0) return [];
  return [
    { kind: 'not-recorded', message: `not compared, for the run was recorded without them: ${parts.join('; ')}` },
  ];
}
