import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Checkpoint, type CoverageReport, openCheckpoint, writeObjectCheckpoint } from '@tfparity/checkpoint';
import { RealTf1Net, RecordedTf1Net, RestoredLayer, type Tf1Net } from '../checkpoint-run.js';
import { compareRuns, type Expectations, type RunComparison } from '../compare-runs.js';
import { goldenRun } from '../golden.js';
import type { ModelRun, RunSettings } from '../model-run.js';
import { realGraphFor, takesBatch } from '../real-graph.js';
import type { Writer } from '../save-v2.js';
import type { Step, StepContext, StepResult } from '../step.js';

/** A step that gives the whole net its values from a checkpoint. */
interface CheckpointStepOptions {
  readonly id: string;
  readonly title: string;
  readonly settings: RunSettings;
  /** The golden run of the same values and settings. */
  readonly golden: string;
  readonly published?: NonNullable<Expectations['published']>;
  readonly tolerance: Expectations['tolerance'];
}

/** How many variables and tensors met, and how many of either were left over. */
export interface CoverageCounts {
  readonly restored: number;
  readonly missing: number;
  /** What stands for no variable: all but the save counter that TF2 puts into each checkpoint. */
  readonly unused: number;
  readonly conflicts: number;
}

/** One checkpoint of a step. */
export interface CheckpointFigures {
  readonly format: Checkpoint['format'];
  readonly writer: Writer;
  readonly tensors: number;
  readonly bytes: number;
}

/** What a checkpoint step found, beside the comparison of the two sides. */
export interface CheckpointResult extends StepResult, RunComparison {
  readonly checkpoints: { readonly nameBased: CheckpointFigures; readonly objectBased: CheckpointFigures };
  readonly coverage: {
    readonly tf1: CoverageCounts;
    readonly migrated: CoverageCounts;
    readonly transferred: CoverageCounts;
  };
  /** The layer loaded from the object-based checkpoint, against the one that it was written from. */
  readonly transferred: {
    readonly variables: number;
    readonly maxAbsoluteDifference: number;
    readonly bitIdentical: boolean;
  };
}

const STEPS: readonly CheckpointStepOptions[] = [
  {
    id: '3b-checkpoint',
    title: 'Weights from a checkpoint on both sides, no randomness, then through an object-based one',
    settings: { training: false },
    golden: 'infer',
    published: 'infer',
    tolerance: { rtol: 1e-6, atol: 1e-5 },
  },
  {
    id: '4b-checkpoint',
    title: 'Weights from a checkpoint on both sides, training with dropout aligned, two images of noise',
    settings: { training: true, image: true },
    golden: 'image',
    tolerance: { rtol: 0, atol: 1e-4 },
  },
];

function countsOf({ restored, missing, unused, conflicts }: CoverageReport): CoverageCounts {
  const count = unused.filter(({ kind }) => kind !== 'training state').length;
  return { restored: restored.length, missing: missing.length, unused: count, conflicts: conflicts.length };
}

function isFull({ restored, missing, unused, conflicts }: CoverageCounts, variables: number): boolean {
  return restored === variables && missing + unused + conflicts === 0;
}

function figuresOf(folder: string, checkpoint: Checkpoint, writer: Writer): CheckpointFigures {
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  return { format: checkpoint.format, writer, tensors: checkpoint.entries.length, bytes };
}

/** How many variables of two runs have the same name, shape and bits. */
function countSameValues(a: ModelRun, b: ModelRun): number {
  const hashes = new Map(a.variables.map(({ name, shape, sha256 }) => [name, `${shape} ${sha256}`]));
  return b.variables.filter(({ name, shape, sha256 }) => hashes.get(name) === `${shape} ${sha256}`).length;
}

/** A temporary folder, gone with all in it when disposed of. */
function temporaryFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'tfparity-checkpoint-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** slim's own graph where the TF1 side is that, and its files are there and fit; else the graph that TypeScript records. */
function tf1Net({ legacy }: StepContext, settings: RunSettings): Tf1Net {
  const real = legacy.kind === 'tensorflow' ? legacy.realGraph(realGraphFor(settings)) : undefined;
  const fits = real?.graph.saver !== undefined && takesBatch(real, settings.image ? 2 : 1);
  return fits ? new RealTf1Net(real, settings) : new RecordedTf1Net(settings);
}

async function runCheckpoint(step: CheckpointStepOptions, context: StepContext): Promise<CheckpointResult> {
  using byName = temporaryFolder();
  using byObject = temporaryFolder();
  const { progress } = context;

  progress('TF1 side: a session writes its initial values');
  const net = tf1Net(context, step.settings);
  const prefix = join(byName.path, 'model.ckpt-0');
  const writer = await net.save(prefix);
  const named = await openCheckpoint(prefix);
  progress('TF1 side: another session restores them');
  const tf1 = await net.runFrom(named);

  progress('migrated side: the layer loads them, and writes them by object');
  const migrated = await runLayer(named, step.settings, net.dropoutSeed, async (layer) => {
    await writeObjectCheckpoint(join(byObject.path, 'ckpt-1'), layer.objects);
  });
  progress('migrated side: a fresh layer loads what was written');
  const tracked = await openCheckpoint(join(byObject.path, 'ckpt-1'));
  const transferred = await runLayer(tracked, step.settings, net.dropoutSeed);

  const bits = context.golden === 'bits';
  const comparison = compareRuns({ ...tf1.run, legacy: net.legacy }, migrated.run, goldenRun(step.golden), {
    ...step,
    bits,
  });
  const again = compareRuns({ ...migrated.run, legacy: 'typescript' }, transferred.run, undefined, {
    tolerance: step.tolerance,
    bits,
  });
  const variables = tf1.run.variables.length;
  const result = {
    checkpoints: {
      nameBased: figuresOf(byName.path, named, writer),
      objectBased: figuresOf(byObject.path, tracked, '@tfparity/checkpoint'),
    },
    coverage: {
      tf1: countsOf(tf1.coverage),
      migrated: countsOf(migrated.coverage),
      transferred: countsOf(transferred.coverage),
    },
    transferred: {
      variables: countSameValues(tf1.run, transferred.run),
      maxAbsoluteDifference: again.maxAbsoluteDifference,
      bitIdentical: again.bitIdentical,
    },
  } as const;
  await Promise.all([named.close(), tracked.close()]);
  const whole = Object.values(result.coverage).every((counts) => isFull(counts, variables));
  const sameValues = [tf1.run, migrated.run, transferred.run].every(
    (run) => countSameValues(tf1.run, run) === variables,
  );
  const passed = comparison.passed && again.bitIdentical && whole && sameValues;
  const lines = [...linesOf(result, variables), ...comparison.lines];
  return { id: step.id, title: step.title, ...comparison, ...result, passed, lines };
}

async function runLayer(
  checkpoint: Checkpoint,
  settings: RunSettings,
  dropoutSeed: number | undefined,
  before: (layer: RestoredLayer) => Promise<void> = async () => {},
): Promise<{ run: ModelRun; coverage: CoverageReport }> {
  const { layer, coverage } = await RestoredLayer.from(checkpoint, settings);
  using restored = layer;
  await before(restored);
  return { run: restored.run(dropoutSeed), coverage };
}

function linesOf(
  { checkpoints, coverage, transferred }: Pick<CheckpointResult, 'checkpoints' | 'coverage' | 'transferred'>,
  variables: number,
): string[] {
  const counts = ({ restored, missing, unused, conflicts }: CoverageCounts) =>
    `${restored} restored, ${missing} missing, ${unused} unused, ${conflicts} in conflict`;
  const file = ({ tensors, bytes, writer }: CheckpointFigures) =>
    `${tensors} tensors, ${(bytes / 1e6).toFixed(1)} MB, written by ${writer}`;
  return [
    `name-based checkpoint: ${file(checkpoints.nameBased)}`,
    `TF1 side from it: ${counts(coverage.tf1)}; migrated side: ${counts(coverage.migrated)}`,
    `object-based checkpoint: ${file(checkpoints.objectBased)}`,
    `a fresh layer from it: ${counts(coverage.transferred)}; ${transferred.variables} of ${variables} values the same, outputs ${transferred.bitIdentical ? 'identical to the last bit' : `DIFFERENT, up to ${transferred.maxAbsoluteDifference.toExponential(2)}`}`,
  ];
}

/** Steps 3b and 4b: the net's values travel through a name-based and an object-based checkpoint. */
export const [checkpointInference, checkpointTraining] = STEPS.map(
  (step): Step => ({ id: step.id, title: step.title, run: (context) => runCheckpoint(step, context) }),
) as [Step, Step];
