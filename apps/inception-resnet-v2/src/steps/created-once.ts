import * as tf from '@tensorflow/tfjs-core';
import { complaintsOfLaterCalls } from '../migrated-side.js';
import { BrokenScalingLayer, FixedScalingLayer } from '../scaling-layers.js';
import type { Step, StepContext, StepResult } from '../step.js';

const id = '1-created-once';
const title = 'Variables are created once';

/** What the step adds to a result. */
interface CreatedOnceResult extends StepResult {
  readonly variables: number;
  readonly complaints: readonly string[];
  readonly brokenLayerCaught: boolean;
}

/** Step 1: the later calls of a migrated model create no variable; and a model whose calls do is caught. */
export const createdOnce: Step = {
  id,
  title,
  run({ migrated }: StepContext): CreatedOnceResult {
    const { complaints, inventory } = migrated.repeatedCalls();
    const variables = inventory.entries.length;
    const inputs = tf.ones([2, 2]);
    const broken = complaintsOfLaterCalls(new BrokenScalingLayer({}), inputs);
    const fixed = complaintsOfLaterCalls(new FixedScalingLayer({}), inputs);
    inputs.dispose();
    const brokenLayerCaught = broken.length === 2;
    const passed = complaints.length === 0 && variables > 0 && brokenLayerCaught && fixed.length === 0;
    const lines = [
      `InceptionResnetV2: ${variables} variables, ${complaints.length === 0 ? 'none made by the later calls' : complaints.join('; ')}`,
      `BrokenScalingLayer: ${brokenLayerCaught ? 'caught by both guards' : 'NOT CAUGHT'}`,
      `FixedScalingLayer: ${fixed.length === 0 ? 'passes' : fixed.join('; ')}`,
    ];
    return { id, title, passed, lines, variables, complaints, brokenLayerCaught };
  },
};
