import * as tf from '@tensorflow/tfjs-core';
import { type ArrayLike, type NdArray, toNdArray } from '@tfparity/array';
import type { Tree } from '@tfparity/numerics';
import { tensorOf } from './fill.js';
import type { ModelInputs, TensorTree } from './model-side.js';
import { ValidateError } from './validate-error.js';

/** The values of a tensor in memory of their own: on some backends what a tensor gives is the backend's, and goes with it. */
export function downloadTensor(tensor: ArrayLike): NdArray {
  const array = toNdArray(tensor);
  return { ...array, shape: [...array.shape], data: array.data.slice() as NdArray['data'] };
}

/** The tree with every tensor in it replaced by what `leaf` makes of it. */
export function mapTensors(tree: TensorTree, leaf: (tensor: tf.Tensor) => Tree): Tree {
  if (tree instanceof tf.Tensor) return leaf(tree);
  if (typeof tree !== 'object' || tree === null) return tree;
  if (Array.isArray(tree)) return (tree as readonly TensorTree[]).map((item) => mapTensors(item, leaf));
  const entries: Iterable<[string, TensorTree]> =
    tree instanceof Map ? (tree as Map<string, TensorTree>) : Object.entries(tree as Record<string, TensorTree>);
  return Object.fromEntries([...entries].map(([name, item]) => [name, mapTensors(item, leaf)]));
}

/** The tensors of a tree, in order. */
export function tensorsOf(tree: TensorTree): tf.Tensor[] {
  const found: tf.Tensor[] = [];
  mapTensors(tree, (tensor) => {
    found.push(tensor);
    return null;
  });
  return found;
}

/** Downloads every tensor of a tree and frees it. */
export function downloadTree(tree: TensorTree): Tree {
  const arrays = mapTensors(tree, downloadTensor);
  tf.dispose(tensorsOf(tree));
  return arrays;
}

const isArray = (value: unknown): value is ArrayLike =>
  typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value;

/** The inputs with every item replaced. */
export function mapInputs<A extends object, B>(
  inputs: ModelInputs<A>,
  change: (item: A, name: string) => B,
): ModelInputs<B> {
  if (isArray(inputs)) return change(inputs as A, 'input');
  if (Array.isArray(inputs)) return (inputs as readonly A[]).map((item, i) => change(item, `input_${i}`));
  return Object.fromEntries(Object.entries(inputs).map(([name, item]) => [name, change(item as A, name)]));
}

/** The inputs one by one. */
export function inputItems<A extends object>(inputs: ModelInputs<A>): { name: string; value: A }[] {
  const items: { name: string; value: A }[] = [];
  mapInputs(inputs, (value, name) => items.push({ name, value }));
  return items;
}

/** @throws {ValidateError} `InvalidInputs` where something in them is no array */
export function downloadInputs(inputs: ModelInputs<ArrayLike>): ModelInputs<NdArray> {
  return mapInputs(inputs, (item, name) => {
    if (isArray(item)) return downloadTensor(item);
    throw new ValidateError(
      'InvalidInputs',
      `${name} is ${String(item)}; inputs are tensors or {dtype, shape, data}, a list of them, or an object`,
      { name },
    );
  });
}

/** Tensors for the inputs, which the caller disposes of. */
export function uploadInputs(inputs: ModelInputs<NdArray>): ModelInputs<tf.Tensor> {
  return mapInputs(inputs, (array) => tensorOf(array));
}
