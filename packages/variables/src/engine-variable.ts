import * as tf from '@tensorflow/tfjs-core';
import type { VariableOptions } from './creator-chain.js';
import { makeVariableUnhooked } from './engine-hook.js';
import { nameVariablesForOptimizers } from './optimizer-names.js';

/** The tfjs dtype that holds a TensorFlow dtype which tfjs lacks. */
const HELD_AS: Readonly<Record<string, tf.DataType>> = {
  float16: 'float32',
  bfloat16: 'float32',
  float64: 'float32',
  int8: 'int32',
  int16: 'int32',
  int64: 'int32',
  uint8: 'int32',
  uint16: 'int32',
  uint32: 'int32',
  uint64: 'int32',
};

/** The tfjs dtype of a TensorFlow dtype: its own, or the one that holds it (`float64` is held in `float32`). */
export function heldDType(dtype: string): tf.DataType {
  return HELD_AS[dtype] ?? (dtype as tf.DataType);
}

/** A name under which the engine has no variable yet: `name`, or `name#2`, `name#3`, …. */
function freeEngineKey(name: string): string {
  const registered = tf.engine().registeredVariables;
  let key = name;
  for (let count = 2; registered[key] !== undefined; count += 1) key = `${name}#${count}`;
  return key;
}

/**
 * Makes a tfjs variable with TensorFlow's name, whether or not another model has a variable of that name.
 *
 * tfjs registers variables under their names and refuses a second one. Here `.name` is TensorFlow's name, and where it
 * is taken the engine knows the variable under another key, which tfjs's optimizers are shown instead.
 */
export function createEagerVariable(options: VariableOptions): tf.Variable {
  return tf.tidy(() => {
    const value = options.initialValue();
    const dtype = heldDType(options.dtype);
    const typed = value.dtype === dtype ? value : tf.cast(value, dtype);
    if (options.name === undefined) return makeVariableUnhooked(typed, options.trainable, undefined, dtype);
    const key = freeEngineKey(options.name);
    const made = makeVariableUnhooked(typed, options.trainable, key, dtype);
    if (key !== options.name) nameVariablesForOptimizers(made, options.name, key);
    return made;
  });
}
