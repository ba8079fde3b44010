// Ports how a Keras layer tracks the shim's store: its weights, losses and output shape (tf_keras base_layer.py, 2.21).
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, LayerVariable, layers, Shape } from '@tensorflow/tfjs-layers';
import { VariablesError } from './errors.js';
import { childrenOf, isLayer, isModule, ownVariables, storeVariables } from './module.js';
import { traceOutputShape } from './shape-tracing.js';
import { layerWeight } from './shim-weight.js';
import { VariableStore } from './variable-store.js';

/** The attribute under which TensorFlow keeps the store, and by which its checkpoints name it. */
export const STORE_PROPERTY = '_tf1_style_var_store';

/** A layer or module whose decorated methods keep TF1-style variables. */
export interface ShimOwner {
  [STORE_PROPERTY]?: VariableStore;
}

const attached = new WeakSet<object>();

/** What tfjs-layers keeps in a layer that is no attribute of the user's. */
const INTERNAL = new Set([
  'inboundNodes',
  'outboundNodes',
  'inputSpec',
  'initialWeights',
  'activityRegularizer',
  '_trainableWeights',
  '_nonTrainableWeights',
  '_losses',
  '_updates',
]);

/** Whether a layer is a model, which lists the weights and losses of its layers itself. */
function isContainer(layer: object): boolean {
  return 'containerNodes' in layer;
}

/** The values of a layer's own attributes, in the order in which they were set; of a model the store alone. */
function attributes(layer: object): unknown[] {
  if (isContainer(layer)) return [(layer as ShimOwner)[STORE_PROPERTY]];
  return Object.entries(layer).flatMap(([name, value]) => (INTERNAL.has(name) ? [] : [value]));
}

/** The layers among a value's parts. */
function layersOf(value: unknown): layers.Layer[] {
  return childrenOf(value).filter(isLayer);
}

function inheritedGetter(layer: object, name: string): PropertyDescriptor {
  for (let p: unknown = Object.getPrototypeOf(layer); p !== null && p !== undefined; p = Object.getPrototypeOf(p)) {
    const descriptor = Object.getOwnPropertyDescriptor(p, name);
    if (descriptor !== undefined) return descriptor;
  }
  return {};
}

/** The weights of the attributes: the layer's own variables first, then those of what it holds, each by its place. */
function attributeWeights(layer: layers.Layer): LayerVariable[] {
  const values = attributes(layer);
  const own = values.flatMap(ownVariables).map((variable) => layerWeight(variable, layer.name));
  const held = values.flatMap(childrenOf).flatMap((child) => {
    if (isLayer(child)) return child.weights;
    if (!(child instanceof VariableStore)) return child.variables.map((v) => layerWeight(v, layer.name));
    const keys = new Map([...child.variables].map(([key, variable]) => [variable, key]));
    const inner = new Map(
      [...child.layers.values()].flatMap(layersOf).flatMap((l) => l.weights.map((x) => [x.read(), x])),
    );
    return storeVariables(child).map((v) => inner.get(v) ?? layerWeight(v, layer.name, keys.get(v)));
  });
  return [...own, ...held];
}

function withoutDuplicates(weights: readonly LayerVariable[]): LayerVariable[] {
  const seen = new Set<unknown>();
  return weights.filter((weight) => {
    const variable = weight.read();
    return seen.has(variable) ? false : seen.add(variable);
  });
}

/** The losses of a layer; of a model those of its layers, which it does not list itself. */
function lossesOf(layer: layers.Layer): (() => tf.Scalar)[] {
  return isContainer(layer)
    ? [...layer.losses, ...layersOf((layer as LayersModel).layers).flatMap(lossesOf)]
    : layer.losses;
}

/** The regularization losses of a layer's own store, then those of layers and modules in its attributes. */
function lossFunctions(layer: layers.Layer): (() => tf.Scalar | null)[] {
  const store = (layer as ShimOwner)[STORE_PROPERTY];
  const own = [...(store?.regularizers.values() ?? [])] as (() => tf.Scalar | null)[];
  const inner = attributes(layer).flatMap((value) => layersOf(value).flatMap(lossesOf));
  return [...own, ...inner];
}

function overrideWeights(layer: layers.Layer): void {
  const trainable = inheritedGetter(layer, 'trainableWeights');
  const other = inheritedGetter(layer, 'nonTrainableWeights');
  const own = (descriptor: PropertyDescriptor): LayerVariable[] => descriptor.get?.call(layer) ?? [];
  const all = () => attributeWeights(layer);
  Object.defineProperty(layer, 'trainableWeights', {
    configurable: true,
    get: () => (layer.trainable ? withoutDuplicates([...own(trainable), ...all().filter((w) => w.trainable)]) : []),
    set: (weights) => trainable.set?.call(layer, weights),
  });
  Object.defineProperty(layer, 'nonTrainableWeights', {
    configurable: true,
    get: () => {
      const inner = layer.trainable ? all().filter((w) => !w.trainable) : all();
      return withoutDuplicates([...own(other), ...inner]);
    },
    set: (weights) => other.set?.call(layer, weights),
  });
}

function overrideLosses(layer: layers.Layer): void {
  const own = inheritedGetter(layer, 'losses');
  Object.defineProperty(layer, 'losses', {
    configurable: true,
    get: () => [...(own.get?.call(layer) ?? []), ...lossFunctions(layer)],
  });
  const ofLayers = layer.calculateLosses;
  Object.defineProperty(layer, 'calculateLosses', {
    configurable: true,
    value: () => {
      const inner = isContainer(layer) ? ofLayers.call(layer) : [];
      return [...inner, ...layer.losses.map((loss) => loss() as tf.Scalar | null).filter((loss) => loss !== null)];
    },
  });
}

function overrideShapes(layer: layers.Layer): void {
  const { apply } = layer;
  let dtypes: tf.DataType[] = [];
  let kwargs: Record<string, unknown> = {};
  Object.defineProperty(layer, 'apply', {
    configurable: true,
    value: (inputs: tf.Tensor | tf.Tensor[], args?: Record<string, unknown>) => {
      dtypes = (Array.isArray(inputs) ? inputs : [inputs]).map((input) => input.dtype);
      kwargs = args ?? {};
      return apply.call(layer, inputs, args);
    },
  });
  Object.defineProperty(layer, 'computeOutputShape', {
    configurable: true,
    value: (inputShape: Shape | Shape[]) =>
      traceOutputShape((inputs) => layer.call(inputs, kwargs), inputShape, dtypes, layer.name),
  });
}

/** Makes a layer show the variables and losses of its attributes, and infer its output shape by tracing; once. */
export function attachStore(owner: ShimOwner): void {
  if (attached.has(owner) || isModule(owner) || !isLayer(owner)) return;
  attached.add(owner);
  overrideWeights(owner);
  overrideLosses(owner);
  const prototype: unknown = inheritedGetter(owner, 'computeOutputShape').value;
  // A class that computes its own output shape knows better.
  if (typeof prototype !== 'function' || isDefaultOutputShape(prototype)) overrideShapes(owner);
}

/** Whether `computeOutputShape` is the one of the base class `Layer`, which returns its argument. */
function isDefaultOutputShape(method: object): boolean {
  const probe = {};
  try {
    return (method as (shape: unknown) => unknown).call({}, probe) === probe;
  } catch {
    return false;
  }
}

/**
 * All variables of a layer in Keras's order: trainable, then not; each group in the order of the attributes, those of
 * one store by name. Use the store for the order of creation. An attribute's place is where it was first set, if only to
 * null, where Keras takes the time when it was set to a layer.
 */
export function layerVariables(layer: layers.Layer): tf.Variable[] {
  return layer.weights.map((weight) => weight.read() as tf.Variable);
}

/**
 * The sum of the losses of a layer or model with its variables' current values; 0 where there are none.
 *
 * @throws {VariablesError} `TypeError` for anything else.
 */
export function regularizationLoss(layer: layers.Layer): tf.Scalar {
  if (!isLayer(layer)) {
    const module = isModule(layer);
    const found = module ? 'a Module' : layer === null ? 'null' : typeof layer;
    const advice = module ? '; the losses of a Module are in tf1VariableStore(module).regularizers' : '';
    throw new VariablesError('TypeError', `regularizationLoss takes a layer or model, not ${found}${advice}.`, {
      found,
    });
  }
  return tf.tidy(() => {
    const losses = layer.calculateLosses();
    return losses.length === 0 ? tf.scalar(0) : (tf.addN(losses) as tf.Scalar);
  });
}
