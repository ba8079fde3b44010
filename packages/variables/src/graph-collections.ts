// Ports the functions over graph collections (tf.compat.v1.get_collection, global_variables, …; TF 2.21).
import type * as tf from '@tensorflow/tfjs-core';
import { currentContext } from './context.js';
import { GraphKeys } from './graph-keys.js';

/** Adds a value to a collection of the current context (a graph's, a shim call's, or eager code's). */
export function addToCollection(name: string, value: unknown): void {
  currentContext().collections.add(name, value);
}

/** Adds a value to several collections, to none of them twice. */
export function addToCollections(names: string | readonly string[], value: unknown): void {
  for (const name of new Set(typeof names === 'string' ? [names] : names)) addToCollection(name, value);
}

/** A copy of a collection; with `scope`, the items whose name matches that regular expression from its start. */
export function getCollection<T = unknown>(name: string, scope?: string): T[] {
  return currentContext().collections.get(name, scope) as T[];
}

/** The live list behind a collection. */
export function getCollectionRef<T = unknown>(name: string): T[] {
  return currentContext().collections.ref(name) as T[];
}

/** Empties a collection. */
export function clearCollection(name: string): void {
  currentContext().collections.clear(name);
}

/** The global variables of the current graph in creation order; empty in eager code, as in TensorFlow. */
export function globalVariables(scope?: string): tf.Variable[] {
  return getCollection(GraphKeys.GLOBAL_VARIABLES, scope);
}

/** The trainable variables of the current graph in creation order; empty in eager code. */
export function trainableVariables(scope?: string): tf.Variable[] {
  return getCollection(GraphKeys.TRAINABLE_VARIABLES, scope);
}

/** The local variables of the current graph; empty in eager code. */
export function localVariables(scope?: string): tf.Variable[] {
  return getCollection(GraphKeys.LOCAL_VARIABLES, scope);
}

/** The variables that layers marked as the model's. */
export function modelVariables(scope?: string): tf.Variable[] {
  return getCollection(GraphKeys.MODEL_VARIABLES, scope);
}

/** The regularization losses of the current graph, in creation order; a shim's are its layer's `losses`. */
export function getRegularizationLosses(scope?: string): tf.Tensor[] {
  return getCollection(GraphKeys.REGULARIZATION_LOSSES, scope);
}
