import type * as tf from '@tensorflow/tfjs-core';
import {
  EagerContext,
  GraphKeys,
  GraphRulesContext,
  getCollection,
  globalVariables,
  layerVariables,
  localVariables,
  modelVariables,
  pushContext,
  tf1VariableStore,
  trainableVariables,
  type VariableStore,
  variableCreatorScope,
} from '@tfparity/variables';
import { RaisedThrough, RunState, type StepKind, StopScenario } from './run-state.js';
import type { Mode, Result, Scenario, Step } from './scenario.js';
import { ScenarioLayer } from './shim-steps.js';

type StepKinds = Readonly<Record<string, StepKind>>;

/** A graph to run a scenario in. */
export interface OpenGraph {
  readonly scope: Disposable;
  /** The values of tensors and variables after initialization. */
  values(tensors: readonly tf.Tensor[]): tf.Tensor[];
}

/** TF1's rules alone: tensors are eager ones, and have their values at once. */
function rulesOnly(): OpenGraph {
  return { scope: pushContext(new GraphRulesContext()), values: (tensors) => [...tensors] };
}

/** Python's name of an error's type. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error ? String(error.code) : error.name;
}

function stepRunner(kinds: StepKinds): RunState['runSteps'] {
  return (steps, state, base) => {
    for (const [i, step] of steps.entries()) {
      try {
        const kind = kinds[step.op];
        if (kind === undefined) throw new Error(`unknown step ${step.op}`);
        kind(step, base + i, state);
      } catch (error) {
        if (error instanceof RaisedThrough || error instanceof StopScenario) throw error;
        const failure = { step: base + i, type: typeOf(error), message: (error as Error).message };
        if (step.catch !== true) {
          state.error = failure;
          return false;
        }
        state.events.push({ ...failure, caught: true });
      }
    }
    return true;
  };
}

/** The calls of the decorated method that a scenario makes; elsewhere `new_call` means nothing. */
function calls(steps: readonly Step[]): { base: number; steps: Step[] }[] {
  const result = [{ base: 0, steps: [] as Step[] }];
  steps.forEach((step, i) => {
    if (step.op === 'new_call') result.push({ base: i + 1, steps: [] });
    else result.at(-1)?.steps.push(step);
  });
  return result;
}

const round = (value: tf.Tensor) => Math.round((value.dataSync()[0] ?? 0) * 1e6) / 1e6;

function runShim(scenario: Scenario, state: RunState, layer: ScenarioLayer): void {
  state.layer = layer;
  for (const call of calls(scenario.steps)) {
    try {
      if (!layer.forward(call.steps, state, call.base)) return;
    } catch (error) {
      if (error instanceof StopScenario) return;
      if (!(error instanceof RaisedThrough)) throw error;
      const step = scenario.steps.findIndex(({ op }) => op === 'raise');
      state.events.push({ step, raised_out_of_call: error.message });
    }
  }
}

function runPlain(scenario: Scenario, state: RunState): void {
  for (const call of calls(scenario.steps)) {
    const ok = state.runSteps(call.steps, state, call.base);
    state.unwind();
    if (!ok) return;
  }
}

function shimResult(state: RunState, layer: ScenarioLayer): Partial<Result> {
  const store = tf1VariableStore(layer) as VariableStore;
  const names = [...store.variables.values()].map((v) => state.nameOf(v));
  const keys = [...store.variables.keys()];
  const all = layerVariables(layer);
  return {
    store: keys,
    ...(names.join() === keys.join() ? {} : { store_variable_names: names }),
    layer_variables: all.map((v) => state.nameOf(v)),
    trainable_variables: layer.trainableWeights.map((w) => state.nameOf(w.read() as tf.Variable)),
    ...(store.regularizers.size > 0 ? { regularizer_keys: [...store.regularizers.keys()] } : {}),
    ...(store.regularizers.size > 0 || layer.losses.length > 0 ? { losses: layer.calculateLosses().map(round) } : {}),
  };
}

function graphResult(state: RunState, graph: OpenGraph): Partial<Result> {
  const names = (variables: readonly tf.Variable[]) => variables.map((v) => state.nameOf(v));
  const losses = graph.values(getCollection<tf.Tensor>(GraphKeys.REGULARIZATION_LOSSES)).map(round);
  const local = names(localVariables());
  const model = names(modelVariables());
  const updates = getCollection(GraphKeys.UPDATE_OPS).length;
  return {
    global_variables: names(globalVariables()),
    trainable_variables: names(trainableVariables()),
    ...(local.length > 0 ? { local_variables: local } : {}),
    ...(model.length > 0 ? { model_variables: model } : {}),
    ...(updates > 0 ? { update_ops: updates } : {}),
    ...(losses.length > 0 ? { regularization_losses: losses } : {}),
  };
}

function known(state: RunState): readonly tf.Variable[] {
  if (state.mode === 'graph') return globalVariables();
  if (state.mode === 'eager') return state.made;
  return [...(tf1VariableStore(state.layer as object)?.variables.values() ?? [])];
}

/** Runs a scenario in one mode and returns what TensorFlow's results say of it. */
export function runScenario(scenario: Scenario, mode: Mode, kinds: StepKinds, openGraph = rulesOnly): Result {
  const graph = mode === 'graph' ? openGraph() : undefined;
  const state = new RunState(mode, stepRunner(kinds), known, (layer) => tf1VariableStore(layer) as VariableStore);
  using _ = graph?.scope ?? pushContext(new EagerContext());
  let specific: Partial<Result>;
  if (mode === 'shim') {
    const layer = new ScenarioLayer({});
    runShim(scenario, state, layer);
    specific = shimResult(state, layer);
  } else if (graph !== undefined) {
    runPlain(scenario, state);
    specific = graphResult(state, graph);
  } else {
    const record = variableCreatorScope((next, options) => {
      const made = next(options);
      state.made.push(made);
      return made;
    });
    runPlain(scenario, state);
    record[Symbol.dispose]();
    specific = { all_created: state.made.map((v) => state.nameOf(v)) };
  }
  const wanted = state.wanted.map(({ variable }) => variable);
  const values = graph === undefined ? wanted : graph.values(wanted);
  state.wanted.forEach(({ event }, i) => {
    event['value'] = values[i]?.arraySync();
  });
  return {
    events: state.events,
    ...specific,
    ...(state.log.length > 0 ? { log: state.log } : {}),
    ...(state.error === null ? {} : { error: state.error }),
  };
}
