import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { currentContext, getOrCreateLayer, trackTf1StyleVariables } from '@tfparity/variables';
import { type RunState, type StepKind, StopScenario } from './run-state.js';
import type { Step } from './scenario.js';

/** A layer with two decorated methods, both of which run steps. */
export class ScenarioLayer extends tfl.layers.Layer {
  static className = 'ScenarioLayer';

  @trackTf1StyleVariables
  runInner(steps: readonly Step[], state: RunState, base: number): boolean {
    return state.runSteps(steps, state, base);
  }

  @trackTf1StyleVariables
  forward(steps: readonly Step[], state: RunState, base: number): boolean {
    try {
      return state.runSteps(steps, state, base);
    } finally {
      state.unwind();
    }
  }
}

/** The steps of the shim: decorated methods in decorated methods, and `getOrCreateLayer`. */
export const SHIM_STEPS: Readonly<Record<string, StepKind>> = {
  get_or_create_layer(step, index, state) {
    let made = 0;
    const layer = getOrCreateLayer(step['name'] as string, () => {
      made += 1;
      const l2 = (step['kernel_regularizer'] as { l2: number } | undefined)?.l2;
      const dense = tfl.layers.dense({
        units: (step['units'] as number | undefined) ?? 2,
        name: 'dense',
        kernelInitializer: 'ones',
        kernelRegularizer: l2 === undefined ? undefined : tfl.regularizers.l2({ l2 }),
      });
      const input = tfl.input({ shape: [2] });
      const model = tfl.model({ inputs: input, outputs: dense.apply(input) as tfl.SymbolicTensor });
      for (const weight of model.weights) {
        const inner = weight.read() as tf.Variable;
        // tfjs-layers numbers the names of weights through all models of the process (`dense/kernel_1`).
        state.layerNames.set(inner, inner.name.replace(/_\d+$/, ''));
      }
      return model;
    });
    layer.apply(tf.ones([1, 2]));
    const keys = state.mode === 'shim' ? [...(currentContext().store?.layers.keys() ?? [])] : null;
    state.events.push({ step: index, made: made === 1, keys });
  },
  inner_shim(step, index, state) {
    const key = step['ref'] as string;
    const inner = (state.inner.get(key) as ScenarioLayer | undefined) ?? new ScenarioLayer({ name: key });
    state.inner.set(key, inner);
    const outer = state.layer as ScenarioLayer & Record<string, unknown>;
    if (step['attach']) outer[`sub_${key}`] ??= inner;
    const { open } = state;
    state.open = [];
    state.layer = inner;
    try {
      inner.forward(step.steps ?? [], state, index * 100);
    } finally {
      state.layer = outer;
      state.open = open;
    }
    if (state.error !== null) throw new StopScenario();
    state.events.push({ step: index, inner_store: [...state.storeOf(inner).variables.keys()] });
  },
  self_decorated(step, index, state) {
    (state.layer as ScenarioLayer).runInner(step.steps ?? [], state, index * 100);
  },
};
