import * as tf from '@tensorflow/tfjs-core';
import { formatShape, type NdArray, sameShape, toNdArray } from '@tfparity/array';
import { type GraphVariable, type Operation, placeholder, type Session } from '@tfparity/graph';
import { assign, nameScope } from '@tfparity/variables';
import type { Tf1Optimizer } from './optimizer.js';
import { TrainingError } from './training-error.js';

/** What a training goes on with: variables, their slots, and how many steps were taken. */
export interface TrainingState {
  /** Of the model: weights, moving averages. */
  readonly variables: readonly tf.Variable[];
  readonly optimizer?: Tf1Optimizer;
  readonly globalStep?: tf.Variable;
  /** Of variables of a graph: the session that has their values. */
  readonly session?: Session;
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

/** Copies that later steps leave alone. */
function valuesOf(variables: readonly tf.Variable[], session: Session | undefined): NdArray[] {
  if (session !== undefined) return session.runArrays(variables as tf.Variable[]) as unknown as NdArray[];
  return variables.map((variable) => {
    checkEager(variable);
    const array = toNdArray(variable);
    return { ...array, data: array.data.slice() as NdArray['data'] };
  });
}

function checkEager(variable: tf.Variable): void {
  // `instanceof` tells nothing: tfjs takes every variable for one of every subclass.
  if (!('handle' in variable)) return;
  const { name } = variable;
  throw new TrainingError('ValueError', `${name} is a variable of a graph; give the session that has its value`, {
    name,
  });
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
  const variables = [...named(state)];
  const values = valuesOf(
    variables.map(([, variable]) => variable),
    state.session,
  );
  for (const [i, [name, variable]] of variables.entries()) {
    const array = values[i]!;
    const isStep = variable === state.globalStep && array.dtype === 'int32';
    arrays[name] = isStep
      ? { ...array, dtype: 'int64', data: BigInt64Array.from(array.data as Int32Array, BigInt) }
      : array;
  }
  return arrays;
}

/**
 * Puts a checkpoint's values into variables, slots and `global_step`, so that the next step is the one that the saved
 * training would have taken. In eager code slots that are missing are made first, for the trainable variables; a graph has
 * them from `applyGradients`.
 *
 * All is read and checked before the first variable changes.
 *
 * @throws {TrainingError} `LookupError` for a name that the checkpoint lacks, `InvalidArgument` for another shape, a dtype
 * or a step that does not fit
 */
export async function restoreTraining(checkpoint: SavedTensors, state: TrainingState): Promise<void> {
  const { session } = state;
  if (session === undefined) {
    for (const variable of state.variables) checkEager(variable);
    state.optimizer?.createSlots(state.variables.filter(({ trainable }) => trainable));
  }
  const variables = named(state);
  const missing = [...variables.keys()].filter((name) => !checkpoint.has(name));
  if (missing.length > 0) {
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : '';
    throw new TrainingError('LookupError', `Key ${missing[0]} not found in checkpoint${more}`, { missing });
  }
  const values: [tf.Variable, NdArray][] = [];
  for (const [name, variable] of variables) values.push([variable, fitted(name, await checkpoint.get(name), variable)]);
  if (session !== undefined) {
    session.run(
      values.map(([variable]) => restoreOp(variable).op),
      values.map(([variable, array]) => [restoreOp(variable).input, array] as const),
    );
    return;
  }
  for (const [variable, { data, shape, dtype }] of values) {
    tf.tidy(() => variable.assign(tf.tensor(data as Float32Array, [...shape], dtype as 'float32')));
  }
}

interface RestoreOp {
  readonly input: tf.Tensor;
  readonly op: Operation;
}

const restoreOps = new WeakMap<tf.Variable, RestoreOp>();

/** The op that assigns what is fed to a graph's variable; recorded once. */
function restoreOp(variable: tf.Variable): RestoreOp {
  const known = restoreOps.get(variable);
  if (known !== undefined) return known;
  using _ = (variable as GraphVariable).graph.asDefault();
  const made = nameScope('save/', () => {
    const input = placeholder(variable.dtype as 'float32', variable.shape);
    return { input, op: assign(variable, input) as Operation };
  });
  restoreOps.set(variable, made);
  return made;
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
