import * as tf from '@tensorflow/tfjs-core';
import { isTfparityError } from '@tfparity/array';
import type { LoadedBackend } from '@tfparity/backend';
import type { LegacyKind, LegacySide } from './legacy-side.js';
import { MigratedSide } from './migrated-side.js';
import type { Options } from './options.js';
import { CannotTell, type Step, type StepContext, type StepResult } from './step.js';
import { TrainedSides } from './trained-sides.js';

/** What `--json` writes. */
export interface RunResult {
  readonly backend: string;
  /** Who the TF1 side was. */
  readonly legacy: LegacyKind;
  readonly versions: Readonly<Record<string, string>>;
  /** Wall time of the steps, set-up excluded. */
  readonly seconds: number;
  readonly passed: boolean;
  readonly steps: readonly (StepResult & { readonly seconds: number })[];
}

function versionsOf(backend: LoadedBackend): Record<string, string> {
  return {
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    tfjs: tf.version_core,
    ...(backend.library === undefined ? {} : { tensorflow: backend.library }),
  };
}

/** Shows what is being done on one line of a terminal that is erased again; says nothing where there is none. */
function progressLine(prefix: string): (message: string) => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => {};
  return (message) => stderr.write(`\r\x1b[2K${message === '' ? '' : `${prefix}: ${message} …`}`);
}

function print(result: StepResult, seconds: number): void {
  console.log(
    `\n${result.skipped !== undefined ? 'SKIP' : result.passed ? 'PASS' : 'FAIL'}  ${result.id}  ${result.title}  (${seconds.toFixed(1)} s)`,
  );
  for (const line of result.lines) console.log(`      ${line.replaceAll('\n', '\n      ')}`);
}

/** Where the steps run, and the TF1 side that they hold the migrated one against. */
export interface Sides {
  readonly backend: LoadedBackend;
  readonly legacy: LegacySide;
}

/** What all steps of a run share. */
type Shared = Pick<StepContext, 'backend' | 'legacy' | 'migrated' | 'training'>;

async function runOne(step: Step, shared: Shared, options: Options): Promise<StepResult> {
  const progress = progressLine(step.id);
  try {
    progress(step.title);
    return await step.run({
      ...shared,
      golden: options.golden,
      sensitivity: options.sensitivity,
      trainingSteps: options.trainingSteps,
      progress,
    });
  } catch (error) {
    if (error instanceof CannotTell) throw new CannotTell(`${step.id}: ${error.message}`);
    const tag = isTfparityError(error) ? `${error.name} ${error.code}: ` : '';
    throw new CannotTell(`${step.id}: a side threw: ${tag}${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    progress('');
  }
}

/**
 * Runs the chosen steps in order and prints each as it ends.
 *
 * @throws {CannotTell} where a step gives no result, naming the step
 */
export async function runSteps(steps: readonly Step[], sides: Sides, options: Options): Promise<RunResult> {
  const { backend, legacy } = sides;
  const results: (StepResult & { seconds: number })[] = [];
  const started = performance.now();
  using training = new TrainedSides(legacy);
  const shared = { ...sides, migrated: new MigratedSide(), training };
  for (const step of steps.filter(({ id }) => options.steps.includes(id))) {
    const begun = performance.now();
    const result = await runOne(step, shared, options);
    const seconds = (performance.now() - begun) / 1000;
    results.push({ ...result, seconds });
    print(result, seconds);
  }
  const seconds = (performance.now() - started) / 1000;
  const passed = results.every((result) => result.passed);
  return { backend: backend.name, legacy: legacy.kind, versions: versionsOf(backend), seconds, passed, steps: results };
}
