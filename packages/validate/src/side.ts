import type * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { ImportedGraph } from '@tfparity/graph';
import { type RenameRule, renamer } from '@tfparity/inventory';
import type { Tf1Layer } from '@tfparity/variables';
import { type EagerModel, EagerSide, functionModel, layerModel } from './eager-side.js';
import { GoldenBundle } from './golden-bundle.js';
import { type GraphModel, GraphSide, type TracedModel } from './graph-side.js';
import { type ImportedModel, ImportedSide } from './imported-side.js';
import type { ModelFunction, ModelInputs, ModelSide, TensorTree } from './model-side.js';
import { ValidateError } from './validate-error.js';

/** A tf.layers layer or model. */
export type LayerLike = layers.Layer | Tf1Layer<TensorTree>;

/** An eager model that is neither a layer nor keeps its variables in a shim: its call, and a list of its variables. */
export interface CallableModel {
  readonly call: ModelFunction;
  readonly variables: () => readonly tf.Variable[];
}

/**
 * One side of a migration:
 * - `(inputs, {training}) => outputs`: eager code, with or without TF1-style variables, which each run makes anew;
 * - `() => layer`: makes a layer for each run; a layer itself: runs with the values that it is given, then gets its own back;
 * - `{call, variables}`: an eager model that exists;
 * - `{trace: function}`: TF1 code, built into a graph and run by a session;
 * - `{graph, inputs, outputs}`: a `Graph` or an imported TensorFlow graph;
 * - a `GoldenBundle`: a recording (the legacy side only).
 */
export type Side =
  | ModelFunction
  | (() => LayerLike)
  | LayerLike
  | CallableModel
  | TracedModel
  | GraphModel
  | ImportedModel
  | GoldenBundle;

const has = (value: object, ...fields: string[]): boolean => fields.every((field) => field in value);
const isLayer = (value: unknown): value is layers.Layer =>
  typeof value === 'object' && value !== null && has(value, 'addWeight', 'computeOutputShape', 'apply');

function layerOf(make: () => unknown): layers.Layer {
  const made = make();
  if (isLayer(made)) return made;
  throw new ValidateError(
    'InvalidSide',
    'a function without parameters is taken to make a layer, and this one did not; a model is a function of (inputs, {training})',
  );
}

/**
 * A side as eager code that can be traced op by op, with what turns its variables' names into the other side's; undefined for
 * graphs and recordings. TF1 code (`trace`) is eager code too, when no graph is built around it.
 */
export function eagerModelOf(
  side: Side,
  rename?: RenameRule | readonly RenameRule[],
): { readonly model: EagerModel; readonly isFresh: boolean; readonly nameOf: (name: string) => string } | undefined {
  const nameOf = renamer(rename);
  const of = (model: EagerModel, isFresh: boolean) => ({ model, isFresh, nameOf });
  if (typeof side === 'function')
    return of(
      side.length === 0 ? layerModel(layerOf(side as () => unknown)) : functionModel(side as ModelFunction),
      true,
    );
  if (isLayer(side)) return of(layerModel(side), false);
  if (has(side, 'trace')) return of(functionModel((side as TracedModel).trace), true);
  if (!has(side, 'call', 'variables')) return undefined;
  return of(callableModel(side as CallableModel), false);
}

const callableModel = ({ call, variables }: CallableModel): EagerModel => ({
  call: (inputs: ModelInputs<tf.Tensor>, training: boolean) => call(inputs, { training }),
  variables,
  losses: () => [],
});

/**
 * A side as the steps use it; a golden bundle is itself.
 *
 * @param rename  rules that turn this side's variable names into the other side's
 * @throws {ValidateError} `InvalidSide` for anything that is none of the kinds
 */
export function openSide(side: Side, rename?: RenameRule | readonly RenameRule[]): ModelSide | GoldenBundle {
  const nameOf = renamer(rename);
  if (side instanceof GoldenBundle) return side;
  if (typeof side === 'function') {
    return side.length === 0
      ? new EagerSide('a layer', () => layerModel(layerOf(side as () => unknown)), true, nameOf)
      : new EagerSide('a function', () => functionModel(side as ModelFunction), true, nameOf);
  }
  if (isLayer(side)) return new EagerSide('a layer', () => layerModel(side), false, nameOf);
  if (typeof side === 'object' && side !== null) {
    if (has(side, 'trace')) return GraphSide.traced(side as TracedModel, nameOf);
    if (has(side, 'graph', 'inputs', 'outputs')) {
      const { graph } = side as GraphModel | ImportedModel;
      return graph instanceof ImportedGraph
        ? new ImportedSide(side as ImportedModel, nameOf)
        : GraphSide.of(side as GraphModel, nameOf);
    }
    if (has(side, 'call', 'variables')) {
      const model = callableModel(side as CallableModel);
      return new EagerSide('a model', () => model, false, nameOf);
    }
  }
  throw new ValidateError(
    'InvalidSide',
    `${String(side)} is no side of a migration; give a function, a layer, {trace}, {graph, inputs, outputs}, {call, variables} or a golden bundle`,
  );
}
