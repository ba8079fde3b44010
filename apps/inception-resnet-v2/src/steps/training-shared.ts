import type { StepContext, StepResult } from '../step.js';
import { engineOf } from '../trained-sides.js';

/** One line for people about who the TF1 side of a training step is. */
export function whoTrains({ legacy }: StepContext): string {
  const who = engineOf(legacy) === 'tensorflow' ? "lowered, in TensorFlow's session" : 'replayed kernel by kernel';
  return `TF1 side: the graph that TypeScript records with its gradients and updates, ${who}`;
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
