import { noiseGradients } from '@tfparity/training';
import type { LegacySide } from '../legacy-side.js';
import type { StepContext, StepResult } from '../step.js';
import { type Engine, MigratedTrainedNet, Tf1TrainedNet, type TrainedNet } from '../training-sides.js';

/** Both sides after one forward and backward pass. */
export interface TrainedSides {
  readonly tf1: TrainedNet;
  readonly migrated: TrainedNet;
  /** The gradients whose true value is zero. */
  readonly noise: readonly string[];
}

const shared = new WeakMap<LegacySide, TrainedSides>();

/** Who runs the TF1 side's graph: TensorFlow's own session where the TF1 side is `lowered`, else it is replayed. */
export function engineOf({ legacy }: StepContext): Engine {
  return legacy.kind === 'lowered' ? 'tensorflow' : 'replay';
}

/** One line for people about who the TF1 side of a training step is. */
export function whoTrains(context: StepContext): string {
  const who = engineOf(context) === 'tensorflow' ? "lowered, in TensorFlow's session" : 'replayed kernel by kernel';
  return `TF1 side: the graph that TypeScript records with its gradients and updates, ${who}`;
}

/** The gradients of both sides: computed once, and shared by the steps that need them. */
export function trainedSides(context: StepContext): TrainedSides {
  const known = shared.get(context.legacy);
  if (known !== undefined) return known;
  context.progress('TF1 side: graph, gradients and session');
  const tf1 = new Tf1TrainedNet(engineOf(context));
  context.progress('migrated side: layer and gradients');
  const migrated = new MigratedTrainedNet();
  const sides = { tf1, migrated, noise: noiseGradients(tf1.run.gradients, migrated.run.gradients) };
  shared.set(context.legacy, sides);
  return sides;
}

/** Frees what `trainedSides` keeps. */
export function releaseTrainedSides({ legacy }: StepContext): void {
  const sides = shared.get(legacy);
  shared.delete(legacy);
  sides?.tf1[Symbol.dispose]();
  sides?.migrated[Symbol.dispose]();
}

/** The result of a step that this backend cannot take in a time that anyone would wait; undefined on TensorFlow's own. */
export function skippedOffTensorFlow(
  { backend }: StepContext,
  step: { readonly id: string; readonly title: string },
): StepResult | undefined {
  if (backend.name === 'tensorflow') return undefined;
  const skipped = `a training step of this net takes many minutes on ${backend.name}; needs the backend tensorflow`;
  return { ...step, passed: true, skipped, lines: [skipped] };
}
