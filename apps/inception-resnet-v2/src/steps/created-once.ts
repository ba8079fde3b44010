import * as tf from '@tensorflow/tfjs-core';
import {
  assertNoVariableCreations,
  catchAndRaiseCreatedVariables,
  isVariablesError,
  tf1VariableStore,
} from '@tfparity/variables';
import { InceptionResnetV2 } from '../inception-resnet-v2.js';
import { BrokenScalingLayer, FixedScalingLayer } from '../scaling-layers.js';
import type { Step, StepContext, StepResult } from '../step.js';

/** What the two guards say of a second call: nothing, or the first line of their error. */
function complaints(call: () => void): string[] {
  const found: string[] = [];
  for (const guard of [assertNoVariableCreations, catchAndRaiseCreatedVariables]) {
    try {
      guard(call);
    } catch (error) {
      if (!isVariablesError(error)) throw error;
      found.push(error.message.split('\n')[0]!);
    }
  }
  return found;
}

function afterFirstCall(layer: { apply(inputs: tf.Tensor): tf.TensorContainer }, inputs: tf.Tensor): string[] {
  const call = () => tf.dispose(tf.tidy(() => layer.apply(inputs)));
  call();
  return complaints(call);
}

const id = '1-created-once';
const title = 'Variables are created once';

/** Step 1: the second call of a migrated model creates no variable; and a model that does is caught. */
export const createdOnce: Step = {
  id,
  title,
  run(_: StepContext): StepResult & { variables: number; complaints: string[]; brokenLayerCaught: boolean } {
    using inputs = disposable(tf.ones([1, 299, 299, 3]));
    const model = new InceptionResnetV2(1000);
    const found = afterFirstCall(model, inputs.tensor);
    const variables = [...(tf1VariableStore(model)?.variables.values() ?? [])];
    tf.dispose(variables);
    const broken = afterFirstCall(new BrokenScalingLayer({}), inputs.tensor);
    const fixed = afterFirstCall(new FixedScalingLayer({}), inputs.tensor);
    const brokenLayerCaught = broken.length === 2;
    const passed = found.length === 0 && variables.length > 0 && brokenLayerCaught && fixed.length === 0;
    const lines = [
      `InceptionResnetV2: ${variables.length} variables, ${found.length === 0 ? 'none made by the second call' : found.join('; ')}`,
      `BrokenScalingLayer: ${brokenLayerCaught ? 'caught by both guards' : 'NOT CAUGHT'}`,
      `FixedScalingLayer: ${fixed.length === 0 ? 'passes' : fixed.join('; ')}`,
    ];
    return { id, title, passed, lines, variables: variables.length, complaints: found, brokenLayerCaught };
  },
};

function disposable<T extends tf.Tensor>(tensor: T): { tensor: T } & Disposable {
  return { tensor, [Symbol.dispose]: () => tensor.dispose() };
}
