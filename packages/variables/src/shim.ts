// Ports tf.compat.v1.keras.utils.track_tf1_style_variables (tf_keras variable_scope_shim.py, 2.21).
// Departures: losses are read from the store, so that a call that throws loses none and a decorated method that calls
// another of the same object counts none twice; `strict` gives TF1's reuse rules within each call.
import type { layers } from '@tensorflow/tfjs-layers';
import { Collections } from './collections.js';
import { currentContext, type VariableContext } from './context.js';
import { VariablesError, valueError } from './errors.js';
import { isLayer, isModule } from './module.js';
import { runBody, trackScope } from './scope-body.js';
import { ScopeState, VariableScope } from './scope-state.js';
import { attachStore, type ShimOwner, STORE_PROPERTY } from './shim-layer.js';
import { VariableStore } from './variable-store.js';

/** How a decorated method shares variables. */
export interface ShimOptions {
  /** TF1's rules within each call: a variable must not be made twice, `reuse: true` must find it. */
  strict?: boolean;
  /**
   * Number default names at the root anew in each outermost call, so that unnamed layers there find their variables
   * again. TensorFlow numbers them on through all calls of the process. Implied by `strict`.
   */
  resetCounts?: boolean;
}

type Method<T, A extends unknown[], R> = (this: T, ...args: A) => R;

/** Decorates a method of a layer or `Module`, in decorator or function form. */
export type ShimDecorator = <T extends object, A extends unknown[], R>(
  method: Method<T, A, R>,
  context?: ClassMethodDecoratorContext<T, Method<T, A, R>>,
) => Method<T, A, R>;

function storeOf(owner: ShimOwner, strict: boolean): VariableStore {
  const present = owner[STORE_PROPERTY];
  if (present !== undefined) return present;
  const store = new VariableStore(strict ? 'strictShim' : 'shim');
  // An ordinary property: its place among the others is its place in the order of variables, as in Keras.
  owner[STORE_PROPERTY] = store;
  attachStore(owner);
  return store;
}

/** The variables, layers and losses that the shim keeps for an object; undefined before its first decorated call. */
export function tf1VariableStore(owner: object): VariableStore | undefined {
  return (owner as ShimOwner)[STORE_PROPERTY];
}

/** Under TF1's rules each outermost call begins as a fresh graph does: nothing seen, nothing numbered. */
function beginStrictCall(context: VariableContext, store: VariableStore): () => void {
  const { scopes } = context;
  const { seen } = store;
  const fresh = new ScopeState(false);
  const outer = scopes.current;
  fresh.current = new VariableScope(outer.name, false, outer.originalNameScope, outer, outer.constraint);
  context.scopes = fresh;
  store.seen = new Set();
  return () => {
    context.scopes = scopes;
    store.seen = seen;
  };
}

function withStore<R>(owner: ShimOwner, options: ShimOptions, body: () => R): R {
  const context = currentContext();
  const store = storeOf(owner, options.strict ?? false);
  const { store: outerStore, collections } = context;
  const outermost = outerStore === null || outerStore.kind === 'graph';
  const { scopes } = context;
  const { counts } = scopes;
  context.store = store;
  // Collections of eager code would grow from call to call; each outermost call of a decorated method has its own.
  if (outermost && context.kind === 'eager') context.collections = new Collections();
  if (outermost && options.resetCounts) scopes.counts = new Map();
  const strict = outerStore !== store && store.kind === 'strictShim';
  const endStrict = strict ? beginStrictCall(context, store) : undefined;
  const close = trackScope('decorated method', owner.constructor.name, () => {
    endStrict?.();
    if (outermost && options.resetCounts) scopes.counts = counts;
    context.store = outerStore;
    context.collections = collections;
  });
  return runBody(body, close);
}

function checkOwner(owner: unknown): asserts owner is ShimOwner {
  if (isLayer(owner) || isModule(owner)) return;
  throw valueError(
    '"`@tf.compat.v1.keras.utils.track_tf1_layers_and_variables` must be applied to a method of a subclassed ' +
      '`tf.Module`, `tf.keras.layers.Layer`, or `tf.keras.Model` and which takes `self` as the first argument. But, the ' +
      `first argument passed to the decorated method was ${String(owner)}, which does not extend Module, Layer, or Model."`,
  );
}

function decorate<T extends object, A extends unknown[], R>(
  method: Method<T, A, R>,
  options: ShimOptions,
  context?: ClassMethodDecoratorContext<T, Method<T, A, R>>,
): Method<T, A, R> {
  if (context !== undefined && (context.kind !== 'method' || context.static)) {
    throw new VariablesError('TypeError', `trackTf1StyleVariables decorates methods, not a ${context.kind}.`);
  }
  // Shape inference of functional models must be in place before the first call.
  context?.addInitializer(function (this: T) {
    if (isLayer(this)) attachStore(this as unknown as ShimOwner);
  });
  return function (this: T, ...args: A): R {
    checkOwner(this);
    return withStore(this, options, () => method.apply(this, args));
  };
}

const OPTIONS = ['strict', 'resetCounts'];

function checkOptions(options: unknown): asserts options is ShimOptions {
  const object = typeof options === 'object' && options !== null && !Array.isArray(options) && !isModule(options);
  const unknown = object ? Object.keys(options).filter((key) => !OPTIONS.includes(key)) : [];
  if (object && unknown.length === 0) return;
  const found = object ? `an object with ${unknown.join(', ')}` : isModule(options) ? 'a Module' : String(options);
  throw new VariablesError(
    'TypeError',
    `trackTf1StyleVariables takes a method, a layer, or options (${OPTIONS.join(', ')}), not ${found}.`,
    { found },
  );
}

function wrapLayer(layer: layers.Layer, options: ShimOptions = {}): layers.Layer {
  attachStore(layer as unknown as ShimOwner);
  const call = decorate(layer.call, options);
  Object.defineProperty(layer, 'call', { configurable: true, writable: true, value: call });
  return layer;
}

/**
 * Makes a method of a tf.layers layer or a `Module` keep the TF1-style variables that it gets: the first call makes
 * them, later calls find them again, and the layer's weights and losses include them.
 *
 * A standard decorator (`@trackTf1StyleVariables`, `@trackTf1StyleVariables({strict: true})`) or a function that wraps
 * a method (`call = trackTf1StyleVariables(function (x) {…})`) or a layer's `call` (`trackTf1StyleVariables(layer)`). The
 * wrapper throws for another `this`, in TF's words. A wrapped method of a plain `tf.layers.Layer` in a functional model
 * needs the decorator, the layer form or `Tf1Layer`: they infer the output shape before the first call.
 */
export function trackTf1StyleVariables<T extends object, A extends unknown[], R>(
  method: Method<T, A, R>,
  context: ClassMethodDecoratorContext<T, Method<T, A, R>>,
): Method<T, A, R>;
export function trackTf1StyleVariables<T extends object, A extends unknown[], R>(
  method: Method<T, A, R>,
  options?: ShimOptions,
): Method<T, A, R>;
/** Wraps the `call` of one layer, which is returned. */
export function trackTf1StyleVariables<L extends layers.Layer>(layer: L, options?: ShimOptions): L;
export function trackTf1StyleVariables(options: ShimOptions): ShimDecorator;
export function trackTf1StyleVariables<T extends object, A extends unknown[], R>(
  methodOrOptions: Method<T, A, R> | ShimOptions | layers.Layer,
  second?: ClassMethodDecoratorContext<T, Method<T, A, R>> | ShimOptions,
): Method<T, A, R> | ShimDecorator | layers.Layer {
  if (typeof methodOrOptions === 'function') {
    const isContext = second !== undefined && 'kind' in second;
    return isContext ? decorate(methodOrOptions, {}, second) : decorate(methodOrOptions, second ?? {});
  }
  if (isLayer(methodOrOptions)) return wrapLayer(methodOrOptions, second as ShimOptions | undefined);
  checkOptions(methodOrOptions);
  const decorator: ShimDecorator = (method, context) => decorate(method, methodOrOptions, context);
  return decorator;
}
