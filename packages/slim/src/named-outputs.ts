// Ports tf_slim/layers/utils.py's collections (tf_slim git 1287b1ef). Departures: in eager code the alias of a pool is its
// op name scope too (slim fails there), and membership is by identity.
import * as tf from '@tensorflow/tfjs-core';
import { addToCollection, addToCollections, clearCollection, currentContext, getCollection } from '@tfparity/variables';

/** A collection's name, or several. */
export type CollectionNames = string | readonly string[];

const aliases = new WeakMap<tf.Tensor, string[]>();

const listOf = (names: CollectionNames | null | undefined): readonly string[] =>
  names === null || names === undefined ? [] : typeof names === 'string' ? [names] : names;

/**
 * Adds a layer's output to collections under an alias, and returns it.
 *
 * In eager code the output is kept when the `tf.tidy` around it ends: it is the collection's from then on.
 */
export function collectNamedOutputs(
  collections: CollectionNames | null | undefined,
  alias: string,
  outputs: tf.Tensor,
): tf.Tensor {
  const names = listOf(collections);
  if (names.length === 0) return outputs;
  const known = aliases.get(outputs) ?? [];
  known.push(alias.endsWith('/') ? alias.slice(0, -1) : alias);
  aliases.set(outputs, known);
  addToCollections(names, outputs);
  return currentContext().kind === 'eager' ? tf.keep(outputs) : outputs;
}

/** The aliases under which layers collected a tensor. */
export function getTensorAliases(tensor: tf.Tensor): readonly string[] {
  return aliases.get(tensor) ?? [`tensor_${tensor.id}`];
}

/** A collection's tensors by alias, in order; of equal aliases the last one wins. */
export function convertCollectionToDict(
  collection: string,
  { clearCollection: clear = false } = {},
): Map<string, tf.Tensor> {
  const result = new Map<string, tf.Tensor>();
  for (const tensor of getCollection<tf.Tensor>(collection)) {
    for (const alias of getTensorAliases(tensor)) result.set(alias, tensor);
  }
  if (clear) clearCollection(collection);
  return result;
}

/** The collections of a layer's variables: one list for all, or one for each kind (`{weights: […], biases: […]}`). */
export type VariablesCollections = CollectionNames | Readonly<Record<string, CollectionNames | null>> | null;

/** The collections that variables of a kind go to. */
export function getVariableCollections(
  collections: VariablesCollections | undefined,
  kind: string,
): readonly string[] | undefined {
  if (collections === null || collections === undefined) return undefined;
  if (typeof collections === 'string' || Array.isArray(collections)) return listOf(collections as CollectionNames);
  return listOf((collections as Readonly<Record<string, CollectionNames | null>>)[kind]);
}

/** Adds a variable to the collections of its kind, to none of them twice. */
export function addVariableToCollections(
  variable: tf.Variable,
  collections: VariablesCollections | undefined,
  kind: string,
): void {
  for (const name of getVariableCollections(collections, kind) ?? []) {
    if (!getCollection(name).includes(variable)) addToCollection(name, variable);
  }
}

/**
 * In eager code `tf.tidy`; in a graph, whose tensors live as long as it does and stand in its collections, nothing.
 */
export function tidyEager<T extends tf.TensorContainer>(body: () => T): T {
  return currentContext().kind === 'eager' ? tf.tidy(body) : body();
}
