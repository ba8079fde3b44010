// Ports tf.compat.v1.train.get_global_step and relatives (python/training/training_util.py, TF 2.21). Departure: int32 for int64.
import * as tf from '@tensorflow/tfjs-core';
import {
  addToCollection,
  currentContext,
  GraphKeys,
  getCollection,
  getVariable,
  type VariableContext,
} from '@tfparity/variables';
import { valueError } from './training-error.js';

/** Eager code has no collections that last; its step belongs to the context. */
const eagerSteps = new WeakMap<VariableContext, tf.Variable>();

/** The variable that counts the steps, or null where none was made. */
export function getGlobalStep(): tf.Variable | null {
  const context = currentContext();
  if (context.kind === 'eager') {
    const step = eagerSteps.get(context);
    return step === undefined || step.isDisposed ? null : step;
  }
  const steps = getCollection<tf.Variable>(GraphKeys.GLOBAL_STEP);
  if (steps.length > 1) {
    throw valueError('Multiple tensors in global_step collection.', { names: steps.map(({ name }) => name) });
  }
  return steps[0] ?? null;
}

/**
 * Makes the variable `global_step`: int32, zero, not trained.
 *
 * @throws {TrainingError} `ValueError` where there is one, in TensorFlow's words
 */
export function createGlobalStep(): tf.Variable {
  if (getGlobalStep() !== null) throw valueError('"global_step" already exists.');
  const context = currentContext();
  if (context.kind === 'eager') {
    const step = tf.tidy(() => tf.variable(tf.scalar(0, 'int32'), false, undefined, 'int32'));
    step.name = 'global_step';
    eagerSteps.set(context, step);
    return step;
  }
  const step = getVariable('global_step', {
    shape: [],
    dtype: 'int32',
    initializer: (shape: number[]) => tf.zeros(shape, 'int32'),
    trainable: false,
    collections: [GraphKeys.GLOBAL_VARIABLES],
  });
  addToCollection(GraphKeys.GLOBAL_STEP, step);
  return step;
}

/** The variable that counts the steps, made where there is none. */
export function getOrCreateGlobalStep(): tf.Variable {
  return getGlobalStep() ?? createGlobalStep();
}
