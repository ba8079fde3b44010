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

const byKey = <V>(entries: Iterable<[string, V]>): V[] =>
  [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => value);

/** The variables of a store: its own, then those of its layers, each by key in code-unit order. */
export function storeVariables(store: VariableStore): tf.Variable[] {
  return [...byKey(store.variables), ...byKey(store.layers).flatMap(variablesOf)];
}

/** The parts of an array or plain object (in the order of its keys); anything else by itself. */
function partsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(partsOf);
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return byKey(Object.entries(value)).flatMap(partsOf);
  }
  return [value];
}

/** The variables in a value itself or in arrays and plain objects of it. */
export function ownVariables(value: unknown): tf.Variable[] {
  return partsOf(value).filter((part): part is tf.Variable => part instanceof tf.Variable);
}

/** The modules, layers and stores in a value itself or in arrays and plain objects of it. */
export function childrenOf(value: unknown): (Module | layers.Layer | VariableStore)[] {
  return partsOf(value).filter(
    (part): part is Module | layers.Layer | VariableStore =>
      part instanceof VariableStore || isModule(part) || isLayer(part),
  );
}

/** The variables that a value holds: a variable, module, layer, store, or an array or plain object of them. */
export function variablesOf(value: unknown): tf.Variable[] {
  const children = childrenOf(value).flatMap((child) => {
    if (child instanceof VariableStore) return storeVariables(child);
    return isModule(child) ? child.variables : child.weights.map((weight) => weight.read() as tf.Variable);
  });
  return [...ownVariables(value), ...children];
}

/** A plain object that holds variables, modules and layers in its attributes, as `tf.Module` does. */
export abstract class Module {
  /** Every variable, each once: its own, then those of what it holds, by the names of its attributes. */
  get variables(): tf.Variable[] {
    const attributes = byKey(Object.entries(this) as [string, unknown][]);
    return [...new Set([...attributes.flatMap(ownVariables), ...attributes.flatMap(childrenOf).flatMap(variablesOf)])];
  }

  /** Those of `variables` that are trained. */
  get trainableVariables(): tf.Variable[] {
    return this.variables.filter((variable) => variable.trainable);
  }
}
