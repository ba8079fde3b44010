import type * as tf from '@tensorflow/tfjs-core';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { camelCase, describeLayerCases } from '@tfparity/testing';
import { Module, tf1VariableStore, trackTf1StyleVariables, variableScope } from '@tfparity/variables';
import * as slim from '../src/index.js';

type LayerFunction = (x: tf.Tensor, ...args: unknown[]) => tf.Tensor;

class Owner extends Module {
  readonly call = trackTf1StyleVariables(function (this: Owner, body: () => tf.Tensor) {
    return variableScope('case', body);
  });
}

/** A case's argument, with a function in place of its name. */
const argumentOf = (value: unknown): unknown => (value === 'batch_norm' ? slim.batchNorm : value);

describeLayerCases('layers/slim.json', ({ kind, positional = [], args }) => {
  const layer = (slim as unknown as Record<string, LayerFunction>)[camelCase(kind)] as LayerFunction;
  const options = Object.fromEntries(Object.entries(args).map(([key, value]) => [camelCase(key), argumentOf(value)]));
  const owner = new Owner();
  return {
    call: (x) =>
      new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() =>
        owner.call(() => layer(x, ...positional, options)),
      ),
    variables: () => [...(tf1VariableStore(owner)?.variables.values() ?? [])],
  };
});
