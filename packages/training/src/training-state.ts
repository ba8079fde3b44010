import * as tf from '@tensorflow/tfjs-core';
import { formatShape, type NdArray, sameShape, toNdArray } from '@tfparity/array';
import type { Tf1Optimizer } from './optimizer.js';
import { TrainingError } from './training-error.js';

/** What a training goes on with: variables, their slots, and how many steps were taken. */
export interface TrainingState {
  /** Of the model: weights, moving averages. */
  readonly variables: readonly tf.Variable[];
  readonly optimizer?: Tf1Optimizer;
  readonly globalStep?: tf.Variable;
}

/** A checkpoint, as far as it is needed here; `openCheckpoint` of @tfparity/checkpoint gives one. */
export interface SavedTensors {
  has(name: string): boolean;
  get(name: string): Promise<NdArray>;
}

const plainName = ({ name }: tf.Variable): string => name.replace(/:\d+$/, '');

/** Every variable by the name that TensorFlow saves it under. */
function named({ variables, optimizer, globalStep }: TrainingState): Map<string, tf.Variable> {
  const all = [...variables, ...(optimizer?.variables() ?? []), ...(globalStep ? [globalStep] : [])];
  const byName = new Map(all.map((variable) => [plainName(variable), variable]));
  if (byName.size === new Set(all).size) return byName;
  const names = all.map(plainName);
  const twice = names.filter((name, i) => names.indexOf(name) !== i);
  throw new TrainingError('ValueError', `At least two variables have the same name: ${twice[0]}`, { twice });
}

/** A copy that later steps leave alone. */
function valuesOf(variable: tf.Variable): NdArray {
  const array = toNdArray(variable);
  return { ...array, data: array.data.slice() as NdArray['data'] };
}

/**
 * The values of variables, slots (`w/Momentum`, `beta1_power`) and `global_step` by TensorFlow's names, as TF1's `Saver`
 * saves them: `await writeCheckpoint('model.ckpt-7', trainingState(…))`.
 *
 * The step, int32 here, is int64 as in TF1, so that a TF1 program restores it.
 *
 * @throws {TrainingError} `ValueError` where two variables have one name, in TensorFlow's words
 */
export function trainingState(state: TrainingState): Record<string, NdArray> {
  const arrays: Record<string, NdArray> = {};
  for (const [name, variable] of named(state)) {
    const array = valuesOf(variable);
    const isStep = variable === state.globalStep && array.dtype === 'int32';
    arrays[name] = isStep
      ? { ...array, dtype: 'int64', data: BigInt64Array.from(array.data as Int32Array, BigInt) }
      : array;
  }
  return arrays;
}

/**
 * Puts a checkpoint's values into variables, slots and `global_step`, so that the next step is the one that the saved
 * training would have taken. Slots that are missing are made first, for the trainable variables. Eager code only.
 *
 * All is read and checked before the first variable changes.
 *
 * @throws {TrainingError} `LookupError` for a name that the checkpoint lacks, `InvalidArgument` for another shape, a dtype
 * or a step that does not fit
 */
export async function restoreTraining(checkpoint: SavedTensors, state: TrainingState): Promise<void> {
  state.optimizer?.createSlots(state.variables.filter(({ trainable }) => trainable));
  const variables = named(state);
  const missing = [...variables.keys()].filter((name) => !checkpoint.has(name));
  if (missing.length > 0) {
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : '';
    throw new TrainingError('LookupError', `Key ${missing[0]} not found in checkpoint${more}`, { missing });
  }
  const values: [tf.Variable, NdArray][] = [];
  for (const [name, variable] of variables) values.push([variable, fitted(name, await checkpoint.get(name), variable)]);
  for (const [variable, { data, shape, dtype }] of values) {
    tf.tidy(() => variable.assign(tf.tensor(data as Float32Array, [...shape], dtype as 'float32')));
  }
}

function fitted(name: string, array: NdArray, variable: tf.Variable): NdArray {
  const details = { name, expected: variable.shape, actual: array.shape };
  if (!sameShape(array.shape, variable.shape)) {
    const shapes = `the checkpoint has ${formatShape(array.shape)}, the variable is ${formatShape(variable.shape)}`;
    throw new TrainingError(
      'InvalidArgument',
      `Assign requires shapes of both tensors to match: ${name}: ${shapes}`,
      details,
    );
  }
  if (array.dtype === variable.dtype) return array;
  if (array.dtype === 'int64' && variable.dtype === 'int32') {
    const data = Int32Array.from(array.data as BigInt64Array, Number);
    if (data.every((value, i) => BigInt(value) === (array.data as BigInt64Array)[i]))
      return { ...array, dtype: 'int32', data };
    throw new TrainingError('InvalidArgument', `${name}: ${array.data} does not fit into int32`, details);
  }
  throw new TrainingError(
    'InvalidArgument',
    `${name}: the checkpoint has ${array.dtype}, the variable is ${variable.dtype}`,
    details,
  );
}
