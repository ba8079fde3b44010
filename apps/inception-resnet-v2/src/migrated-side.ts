import * as tf from '@tensorflow/tfjs-core';
import { captureInventory, type Inventory } from '@tfparity/inventory';
import { assertNoVariableCreations, catchAndRaiseCreatedVariables, isVariablesError } from '@tfparity/variables';
import { InceptionResnetV2 } from './inception-resnet-v2.js';
import { variablesOf } from './model-run.js';

/** What calling a layer again and again showed. */
export interface RepeatedCalls {
  /** What the two guards said of the calls after the first: the first line of each error. */
  readonly complaints: readonly string[];
  /** The variables after all calls, in order of creation. */
  readonly inventory: Inventory;
}

/** The migrated side, for the steps that look at its variables alone: called once for all of them. */
export class MigratedSide {
  private called: RepeatedCalls | undefined;

  /** The migrated layer called three times, under a guard each time but the first. */
  repeatedCalls(): RepeatedCalls {
    this.called ??= callRepeatedly();
    return this.called;
  }
}

function callRepeatedly(): RepeatedCalls {
  const layer = new InceptionResnetV2(1000);
  const inputs = tf.ones([1, 299, 299, 3]);
  const complaints = complaintsOfLaterCalls(layer, inputs);
  const variables = variablesOf(layer);
  const inventory = captureInventory(variables);
  tf.dispose([inputs, variables]);
  return { complaints, inventory };
}

/** Calls a layer, then once more under each guard; the first lines of what those threw. */
export function complaintsOfLaterCalls(
  layer: { apply(inputs: tf.Tensor): tf.TensorContainer },
  inputs: tf.Tensor,
): string[] {
  const call = () => tf.dispose(tf.tidy(() => layer.apply(inputs)));
  call();
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
