import type * as tf from '@tensorflow/tfjs-core';
import type { InitializerLike, Regularizer, Reuse, VariableScope } from '@tfparity/variables';
import { type CollectionNames, collectNamedOutputs, type VariablesCollections } from './named-outputs.js';

/** What a layer does to its output. */
export type ActivationFn = (x: tf.Tensor) => tf.Tensor;

/** A function that normalizes a layer's output, like `batchNorm`; it is given `normalizerParams`. */
export type NormalizerFn = (x: tf.Tensor, params?: Record<string, unknown>) => tf.Tensor;

/** What every layer takes. */
export interface ScopeArguments {
  /** The variable scope (for pools, `flatten` and `oneHotEncoding`: the op name scope); default: one named after the layer. */
  scope?: string | VariableScope | null;
  /** Collections that the output is added to, under the scope's name. */
  outputsCollections?: CollectionNames | null;
}

/** What every layer with variables takes. */
export interface VariableArguments extends ScopeArguments {
  reuse?: Reuse | null;
  variablesCollections?: VariablesCollections;
  /** Default true. */
  trainable?: boolean;
}

/** What every layer with weights takes. */
export interface WeightArguments extends VariableArguments {
  /** Default relu; null for none. */
  activationFn?: ActivationFn | null;
  /** In place of biases. */
  normalizerFn?: NormalizerFn | null;
  normalizerParams?: object | null;
  /** Default xavier (glorot uniform). */
  weightsInitializer?: InitializerLike | null;
  weightsRegularizer?: Regularizer | null;
  /** Default zeros; null for no biases. */
  biasesInitializer?: InitializerLike | null;
  biasesRegularizer?: Regularizer | null;
}

const SCOPE_KEYWORDS = ['outputsCollections', 'scope'];

/** Names of `VariableArguments`. */
export const VARIABLE_KEYWORDS: readonly string[] = ['reuse', 'variablesCollections', ...SCOPE_KEYWORDS, 'trainable'];

/** Names of `WeightArguments`. */
export const WEIGHT_KEYWORDS: readonly string[] = [
  'activationFn',
  'normalizerFn',
  'normalizerParams',
  'weightsInitializer',
  'weightsRegularizer',
  'biasesInitializer',
  'biasesRegularizer',
  ...VARIABLE_KEYWORDS,
];

/** Names of `ScopeArguments`, with a layer's own. */
export const withScopeKeywords = (...own: string[]): readonly string[] => [...own, ...SCOPE_KEYWORDS];

/** Normalizes, activates and collects a layer's output. */
export function finish(
  outputs: tf.Tensor,
  alias: string,
  { normalizerFn, normalizerParams, activationFn, outputsCollections }: WeightArguments,
): tf.Tensor {
  let y = outputs;
  if (normalizerFn) y = normalizerFn(y, { ...normalizerParams });
  if (activationFn) y = activationFn(y);
  return collectNamedOutputs(outputsCollections, alias, y);
}
