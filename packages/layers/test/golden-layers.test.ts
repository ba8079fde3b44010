import type * as tf from '@tensorflow/tfjs-core';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { camelCase, describeLayerCases } from '@tfparity/testing';
import { Module, tf1VariableStore, trackTf1StyleVariables, variableScope } from '@tfparity/variables';
import * as layers from '../src/index.js';

type LayerFunction = (x: tf.Tensor, args: Record<string, unknown>) => tf.Tensor;

class Owner extends Module {
  readonly call = trackTf1StyleVariables(function (this: Owner, body: () => tf.Tensor) {
    return variableScope('case', body);
  });
}

describeLayerCases('layers/layers.json', ({ kind, args }) => {
  const layer = (layers as unknown as Record<string, LayerFunction>)[camelCase(kind)] as LayerFunction;
  const options = Object.fromEntries(Object.entries(args).map(([key, value]) => [camelCase(key), value]));
  const owner = new Owner();
  return {
    call: (x) =>
      new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() => owner.call(() => layer(x, options))),
    variables: () => [...(tf1VariableStore(owner)?.variables.values() ?? [])],
  };
});
