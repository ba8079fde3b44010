import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tfparity/layers';
import { initializerOf, regularizerOf } from './arguments.js';
import type { LayerObject, RunState, StepKind } from './run-state.js';
import type { Step } from './scenario.js';

type LayerFunction = (inputs: tf.Tensor, options: Record<string, unknown>) => tf.Tensor;

const KINDS: Readonly<Record<string, LayerFunction>> = {
  dense: (x, o) => layers.dense(x, { units: 2, ...o } as Parameters<typeof layers.dense>[1]),
  conv1d: (x, o) => layers.conv1d(x, { filters: 2, kernelSize: 3, ...o } as Parameters<typeof layers.conv1d>[1]),
  conv2d: (x, o) => layers.conv2d(x, { filters: 2, kernelSize: 3, ...o } as Parameters<typeof layers.conv2d>[1]),
  conv2d_transpose: (x, o) =>
    layers.conv2dTranspose(x, { filters: 2, kernelSize: 3, ...o } as Parameters<typeof layers.conv2dTranspose>[1]),
  separable_conv2d: (x, o) =>
    layers.separableConv2d(x, { filters: 2, kernelSize: 3, ...o } as Parameters<typeof layers.separableConv2d>[1]),
  batch_normalization: (x, o) => layers.batchNormalization(x, o),
  dropout: (x, o) => layers.dropout(x, o),
  flatten: (x, o) => layers.flatten(x, o),
  max_pooling2d: (x, o) => layers.maxPooling2d(x, { ...o, poolSize: 2, strides: 2 }),
  average_pooling2d: (x, o) => layers.averagePooling2d(x, { ...o, poolSize: 2, strides: 2 }),
};

function optionsOf(step: Step): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const plain: Readonly<Record<string, string>> = {
    name: 'name',
    reuse: 'reuse',
    use_bias: 'useBias',
    trainable: 'trainable',
    padding: 'padding',
    strides: 'strides',
    scale: 'scale',
    center: 'center',
    units: 'units',
    filters: 'filters',
    kernel_size: 'kernelSize',
    training: 'training',
  };
  for (const [python, ours] of Object.entries(plain)) if (step[python] !== undefined) options[ours] = step[python];
  for (const part of ['kernel', 'bias', 'gamma', 'beta']) {
    const regularizer = step[`${part}_regularizer`];
    const initializer = step[`${part}_initializer`];
    if (regularizer !== undefined) options[`${part}Regularizer`] = regularizerOf(regularizer);
    if (initializer !== undefined) options[`${part}Initializer`] = initializerOf(initializer);
  }
  return options;
}

/** Names of the variables that `run` created, in creation order. */
export function createdBy(state: RunState, run: () => void): string[] {
  const before = new Set(state.known(state));
  run();
  return state
    .known(state)
    .filter((v) => !before.has(v))
    .map((v) => state.nameOf(v));
}

/** The steps that use `@tfparity/layers`. */
export const LAYER_STEPS: Readonly<Record<string, StepKind>> = {
  layer(step, index, state) {
    const run = KINDS[step['kind'] as string];
    if (run === undefined) throw new Error(`unknown layer ${step['kind']}`);
    let shape: number[] = [];
    const created = createdBy(state, () => {
      shape = run(tf.ones((step['input'] as number[] | undefined) ?? [1, 2]), optionsOf(step)).shape;
    });
    state.events.push({ step: index, created, output_shape: shape });
  },
  layer_object(step, index, state) {
    const layer = new layers.Dense({ units: 2, ...optionsOf(step) } as ConstructorParameters<typeof layers.Dense>[0]);
    state.layerObjects.set(step['save'] as string, layer);
    state.events.push({ step: index });
  },
  call_layer_object(step, index, state) {
    const layer = state.layerObjects.get(step['ref'] as string) as LayerObject;
    const created = createdBy(state, () => layer.apply(tf.ones((step['input'] as number[] | undefined) ?? [1, 2])));
    state.events.push({ step: index, created, scope_name: layer.scopeName });
  },
};
