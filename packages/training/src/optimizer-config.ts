import * as tf from '@tensorflow/tfjs-core';
import type { Hyperparameter } from './optimizer.js';
import { TrainingError, valueError } from './training-error.js';

/**
 * The options with the defaults in the place of what was left out.
 *
 * @throws {TrainingError} `TypeError` where an option that has no default was left out
 */
export function withDefaults<T extends object>(
  given: Partial<T>,
  defaults: Partial<T>,
  required: readonly (keyof T & string)[] = [],
): T {
  const said = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  const options = { ...defaults, ...Object.fromEntries(said) } as T;
  const missing = required.filter((name) => options[name] === undefined).map((name) => `'${name}'`);
  if (missing.length > 0) {
    throw new TrainingError('TypeError', `missing ${missing.length} required option(s): ${missing.join(' and ')}`, {
      missing,
    });
  }
  return options;
}

/** The value that a hyperparameter has before any step. */
export function initialNumber(value: Hyperparameter): number {
  const given = typeof value === 'function' ? value() : value;
  return typeof given === 'number' ? given : (given.dataSync()[0] as number);
}

/**
 * An optimizer's options as plain data, for saving a model.
 *
 * @throws {TrainingError} `ValueError` for a tensor of a graph, which has no number; a function gives its current one
 */
export function configOf(settings: object): tf.serialization.ConfigDict {
  const config: tf.serialization.ConfigDict = {};
  for (const [name, value] of Object.entries(settings)) {
    if (value instanceof tf.Variable) throw valueError(`${name} is a variable, which a configuration cannot hold`);
    config[name] =
      typeof value === 'function' || value instanceof tf.Tensor
        ? initialNumber(value as Hyperparameter)
        : (value as tf.serialization.ConfigDictValue);
  }
  return config;
}
