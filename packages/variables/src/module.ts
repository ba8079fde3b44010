// Ports the variable listing of tf.Module (python/module/module.py, TF 2.21): attributes in sorted order.
import * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { VariableStore } from './variable-store.js';

/** Whether a value is a tf.layers layer or model, of whichever copy of tfjs-layers. */
export function isLayer(value: unknown): value is layers.Layer {
  return (
    typeof value === 'object' &&
    value !== null &&
    'addWeight' in value &&
    typeof value.addWeight === 'function' &&
    'computeOutputShape' in value &&
    'inboundNodes' in value
  );
}

/** Whether a value is a `Module`. */
export function isModule(value: unknown): value is Module {
  return value instanceof Module;
}

/** The variables of a store: of its layers, then its own, by key in code-unit order. */
export function storeVariables(store: VariableStore): tf.Variable[] {
  const byKey = <V>(map: Map<string, V>) => [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, v]) => v);
  return [...byKey(store.layers).flatMap(variablesOf), ...byKey(store.variables)];
}

/** The variables that a value holds: a variable, module, layer, store, or an array or plain object of them. */
export function variablesOf(value: unknown): tf.Variable[] {
  if (value instanceof tf.Variable) return [value];
  if (value instanceof VariableStore) return storeVariables(value);
  if (isModule(value)) return value.variables;
  if (isLayer(value)) return value.weights.map((weight) => weight.read() as tf.Variable);
  if (Array.isArray(value)) return value.flatMap(variablesOf);
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.values(value).flatMap(variablesOf);
  }
  return [];
}

/** A plain object that holds variables, modules and layers in its attributes, as `tf.Module` does. */
export abstract class Module {
  /** Every variable of the attributes, taken in the order of their names, each once. */
  get variables(): tf.Variable[] {
    const names = Object.keys(this).sort();
    return [...new Set(names.flatMap((name) => variablesOf((this as Record<string, unknown>)[name])))];
  }

  /** Those of `variables` that are trained. */
  get trainableVariables(): tf.Variable[] {
    return this.variables.filter((variable) => variable.trainable);
  }
}
