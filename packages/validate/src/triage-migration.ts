import * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { normalizeName } from '@tfparity/inventory';
import { leavesOf, type Tree } from '@tfparity/numerics';
import { DeterministicRandomTestTool, type LedgerEntry } from '@tfparity/random';
import { EagerSide } from './eager-side.js';
import { assignArray } from './fill.js';
import { type BundleRun, GoldenBundle } from './golden-bundle.js';
import type { ModelInputs, ModelSide, RunRequest, TensorTree } from './model-side.js';
import { bundleRequest, isAlignedRun } from './recorded-steps.js';
import { eagerModelOf, openSide, type Side } from './side.js';
import { downloadInputs, downloadTensor, uploadInputs } from './tensor-tree.js';
import type { TracedOutputs, TraceSide } from './trace-capture.js';
import { traceOfArrays } from './trace-recorded.js';
import { type TriageInput, type TriageOptions, triage } from './triage.js';
import type { TriageReport } from './triage-report.js';
import { ValidateError } from './validate-error.js';
import type { Migration } from './validate-migration.js';
import type { StepId } from './validation-report.js';
import { RUN_STEP_IDS, runRequest } from './validation-steps.js';

/** What of a migration is triaged. */
export interface MigrationTriageOptions extends TriageOptions {
  /** The step whose forward pass it is: one that runs both sides, or `golden:NAME`. Default: `by-name`, or the first recorded run. */
  readonly step?: StepId;
}

/** The tensors of a tree by the names that recordings give them. */
function tensorsIn(tree: TensorTree): Record<string, tf.Tensor> {
  const leaves = leavesOf(tree as Tree).flatMap(({ name, value }) =>
    value instanceof tf.Tensor ? [[name, value] as const] : [],
  );
  return Object.fromEntries(leaves);
}

/** A side that can be run again and again, and what is to be done when it has been. */
interface PreparedSide {
  readonly side: TraceSide;
  close(): void;
}

/** A model whose variables are made and given their values once, so that every run is its forward pass alone. */
function preparedSide(
  { model, isFresh, nameOf }: NonNullable<ReturnType<typeof eagerModelOf>>,
  { inputs, prepare, training, random, seed = 42 }: RunRequest,
  name: string,
): PreparedSide {
  const x = uploadInputs(inputs);
  const saved = isFresh ? [] : model.variables().map((variable) => [variable, downloadTensor(variable)] as const);
  let ledger: readonly LedgerEntry[] = [];
  const call = (mode: boolean): TracedOutputs => {
    const tool = new DeterministicRandomTestTool({ mode: random, seed });
    const outputs = tool.scope(() => tensorsIn(model.call(x, mode)));
    ledger = [...tool.ledger];
    return outputs;
  };
  // Makes the variables; in inference, so that no moving average has moved before the first look.
  tf.tidy(() => void call(false));
  if (prepare.kind === 'values') {
    for (const variable of model.variables()) {
      const { shape, dtype } = variable;
      const values = prepare.valueOf({ name: nameOf(normalizeName(variable.name)), shape, dtype });
      if (values !== undefined) assignArray(variable, values);
    }
  }
  const close = (): void => {
    for (const [variable, values] of saved) assignArray(variable, values);
    tf.dispose(isFresh ? [...model.variables(), x as tf.TensorContainer] : (x as tf.TensorContainer));
  };
  return { side: { name, run: () => call(training), ledger: () => ledger }, close };
}

/** A side run as the steps run it, from drawing its variables on, with its outputs as they are computed. */
function freshSide(side: EagerSide, request: RunRequest): TraceSide {
  let ledger: readonly LedgerEntry[] = [];
  return {
    name: 'migrated',
    run: () => {
      let outputs: TracedOutputs;
      const run = side.run(request, {
        call: (_, body) => {
          const result = body();
          // The side frees its own when it has read them.
          const found = Object.entries(tensorsIn((result as { value: TensorTree }).value));
          outputs = Object.fromEntries(found.map(([name, tensor]) => [name, tf.clone(tensor)]));
          return result;
        },
      });
      ledger = run.ledger ?? [];
      return outputs;
    },
    ledger: () => ledger,
  };
}

function traced(side: Side, rename: Migration['rename'], request: RunRequest, name: string): PreparedSide {
  const opened = eagerModelOf(side, rename);
  if (opened !== undefined) return preparedSide(opened, request, name);
  const message = `the ${name} side is no code that could be traced op by op; give a function, a layer or {trace: function}`;
  throw new ValidateError('InvalidSide', message, { name });
}

/** What a side that is no code computes: recorded end points. */
async function recordedSide(side: ModelSide, request: RunRequest): Promise<TriageInput> {
  const { outputs } = await side.run(request);
  const arrays = leavesOf(outputs).map(({ name, value }) => [name, value as NdArray] as const);
  return traceOfArrays(side.description, Object.fromEntries(arrays));
}

async function bundleTriage(
  bundle: GoldenBundle,
  run: BundleRun,
  { migrated, rename }: Migration,
  options: MigrationTriageOptions,
): Promise<TriageReport> {
  const legacy = await traceOfArrays(`recorded: ${run.name}`, await bundle.arrays(run.outputs));
  const side = openSide(migrated, rename);
  const aligned = side instanceof EagerSide && isAlignedRun(run, side);
  const request = await bundleRequest(bundle, run, aligned);
  if (aligned) return triage({ legacy, migrated: freshSide(side, request) }, options);
  const program = traced(migrated, rename, request, 'migrated');
  try {
    return await triage({ legacy, migrated: program.side }, options);
  } finally {
    program.close();
  }
}

/**
 * Triages one step's forward pass of a migration: `triage` for any two sides that `validateMigration` takes. Legacy sides
 * that are no TensorFlow.js code (imported graphs, golden bundles) are taken by their end points; the migrated side has to
 * be code.
 *
 * @throws {ValidateError} `UnknownStep`, `InvalidSide` for a migrated side that cannot be traced
 */
export async function triageMigration(
  migration: Migration,
  options: MigrationTriageOptions = {},
): Promise<TriageReport> {
  const { legacy, migrated, rename } = migration;
  const bundle = migration.golden ?? (legacy instanceof GoldenBundle ? legacy : undefined);
  const runs = bundle?.runs ?? [];
  const fallback = legacy instanceof GoldenBundle && runs[0] !== undefined ? `golden:${runs[0].name}` : 'by-name';
  const step = options.step ?? (fallback as StepId);
  const run = runs.find(({ name }) => step === `golden:${name}`);
  if (bundle !== undefined && run !== undefined) return bundleTriage(bundle, run, migration, options);
  const known: readonly string[] = [
    ...(legacy instanceof GoldenBundle ? [] : RUN_STEP_IDS),
    ...runs.map(({ name }) => `golden:${name}`),
  ];
  if (!known.includes(step)) {
    const message = `there is no step '${step}' that both sides run; steps are ${known.join(', ')}`;
    throw new ValidateError('UnknownStep', message, { step });
  }
  if (migration.inputs === undefined) throw new ValidateError('InvalidInputs', 'there are no inputs; give `inputs`');
  const request = runRequest(step, downloadInputs(migration.inputs as ModelInputs<tf.Tensor>));
  const program = traced(migrated, rename, request, 'migrated');
  const reference = eagerModelOf(legacy) === undefined ? undefined : traced(legacy, undefined, request, 'legacy');
  try {
    const recorded = reference?.side ?? (await recordedSide(openSide(legacy) as ModelSide, request));
    return await triage({ legacy: recorded, migrated: program.side }, options);
  } finally {
    program.close();
    reference?.close();
  }
}
