// Ports repeat and stack of tf_slim/layers/layers.py (tf_slim git 1287b1ef).
import type * as tf from '@tensorflow/tfjs-core';
import { type VariableScope, variableScope } from '@tfparity/variables';
import { functionName, positionalCount } from './arg-scope.js';
import { valueError } from './slim-error.js';

/** A layer: a function of an input, further arguments, and an object of keyword arguments with `scope`. */
export type LayerFunction = (inputs: tf.Tensor, ...args: never[]) => tf.Tensor;

type KeywordArguments = { scope?: string | VariableScope | null } & Record<string, unknown>;

function isKeywords(value: unknown): value is KeywordArguments {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Calls a layer; a decorated one gets its keyword arguments in their place, whatever is left out before. */
function callLayer(layer: LayerFunction, inputs: tf.Tensor, args: readonly unknown[], keywords: object): tf.Tensor {
  const padded = [inputs, ...args];
  const count = positionalCount(layer) ?? padded.length;
  while (padded.length < count) padded.push(undefined);
  return (layer as (...all: unknown[]) => tf.Tensor)(...padded, keywords);
}

function childScope(scope: string | VariableScope | null | undefined, layer: LayerFunction, fallback: string): string {
  if (scope === null || scope === undefined) return functionName(layer) || fallback;
  return typeof scope === 'string' ? scope : scope.name;
}

/**
 * Applies a layer again and again, each time to what it gave before, in scopes `<scope>/<scope>_1`, `…_2`, …; without a
 * scope in `Repeat/<name of the layer>_1`, ….
 *
 * @param args  further arguments of the layer; a last object of keyword arguments may have the `scope`
 */
export function repeat(inputs: tf.Tensor, repetitions: number, layer: LayerFunction, ...args: unknown[]): tf.Tensor {
  const last = args.at(-1);
  const { scope = null, ...keywords } = isKeywords(last) ? last : {};
  const positional = isKeywords(last) ? args.slice(0, -1) : args;
  return variableScope(scope, { defaultName: 'Repeat' }, () => {
    const name = childScope(scope, layer, 'repeat');
    let outputs = inputs;
    for (let i = 1; i <= repetitions; i++) {
      outputs = callLayer(layer, outputs, positional, { ...keywords, scope: `${name}_${i}` });
    }
    return outputs;
  });
}

/**
 * Applies a layer once for each item of a list of arguments, each time to what it gave before, in scopes
 * `<scope>/<scope>_1`, …; without a scope in `Stack/<name of the layer>_1`, ….
 *
 * @param stackArgs  for each application its arguments, or its one argument
 * @throws {SlimError} `ValueError` where `stackArgs` is not a list.
 */
export function stack(
  inputs: tf.Tensor,
  layer: LayerFunction,
  stackArgs: readonly unknown[],
  args: KeywordArguments = {},
): tf.Tensor {
  const { scope = null, ...keywords } = args;
  if (!Array.isArray(stackArgs)) throw valueError('stack_args need to be a list or tuple', { found: typeof stackArgs });
  return variableScope(scope, { defaultName: 'Stack' }, () => {
    const name = childScope(scope, layer, 'stack');
    let outputs = inputs;
    for (const [i, item] of stackArgs.entries()) {
      const positional: unknown[] = Array.isArray(item) ? item : [item];
      outputs = callLayer(layer, outputs, positional, { ...keywords, scope: `${name}_${i + 1}` });
    }
    return outputs;
  });
}
