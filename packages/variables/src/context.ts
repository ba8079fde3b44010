import * as tf from '@tensorflow/tfjs-core';
import { Collections } from './collections.js';
import { type CreatorScope, createThroughCreators, type VariableOptions } from './creator-chain.js';
import { retainEngineHook } from './engine-hook.js';
import { createEagerVariable } from './engine-variable.js';
import { GraphKeys } from './graph-keys.js';
import { EagerNameScopes, GraphNameScopes, type NameScopes } from './name-scopes.js';
import { trackScope } from './scope-body.js';
import { ScopeState } from './scope-state.js';
import { recordFacts } from './variable-facts.js';
import { VariableStore } from './variable-store.js';

/**
 * Where code runs as far as variables are concerned: eager code, or a graph.
 *
 * A graph pushes its own (`pushContext`), and everything in this package asks `currentContext()`.
 */
export interface VariableContext {
  readonly kind: 'eager' | 'graph';
  /** The current variable scope and the counts that number default names. */
  scopes: ScopeState;
  /** The op name scopes, and what makes names unique. */
  readonly names: NameScopes;
  /** The open creator scopes, outermost first. */
  readonly creators: CreatorScope[];
  /** Where `getVariable` keeps variables: a graph's own, or that of the shim whose method is running; else null. */
  store: VariableStore | null;
  collections: Collections;
  /**
   * The bottom of the creator chain: makes the variable under `names.uniqueName(options.name)`; in a graph it also puts
   * it into the collections.
   */
  createVariable(options: VariableOptions): tf.Variable;
  /** Eager: assigns at once and returns undefined. Graph: records an Assign op and returns its handle. */
  assign(variable: tf.Variable, value: tf.Tensor): unknown;
  /** `tensor`, computed after what `assign` returned handles of. Eager code has done all that already. */
  withDependencies(tensor: tf.Tensor, after: readonly unknown[]): tf.Tensor;
}

/** The context of code that is not inside a graph. */
export class EagerContext implements VariableContext {
  readonly kind = 'eager';
  scopes = new ScopeState(true);
  readonly names = new EagerNameScopes();
  readonly creators: CreatorScope[] = [];
  store: VariableStore | null = null;
  collections = new Collections();

  createVariable(options: VariableOptions): tf.Variable {
    const name =
      options.origin === 'engine' || options.name === undefined ? options.name : this.names.uniqueName(options.name);
    return createEagerVariable({ ...options, name });
  }

  assign(variable: tf.Variable, value: tf.Tensor): undefined {
    variable.assign(value);
  }

  withDependencies(tensor: tf.Tensor): tf.Tensor {
    return tensor;
  }
}

/**
 * A context with TF1's rules (strict reuse, one store, collections, validated and unique names).
 *
 * As it stands its variables are eager ones, so that code can be checked against TF1's rules without a session; a
 * graph derives from it and overrides `createVariable`, `assign` and `withDependencies`.
 */
export class GraphRulesContext implements VariableContext {
  readonly kind = 'graph';
  scopes = new ScopeState(false);
  readonly names: NameScopes = new GraphNameScopes();
  readonly creators: CreatorScope[] = [];
  store: VariableStore | null = new VariableStore('graph');
  collections = new Collections();

  createVariable(options: VariableOptions): tf.Variable {
    const variable = createEagerVariable({ ...options, name: this.names.uniqueName(options.name ?? 'Variable') });
    const collections = new Set<string>(options.collections ?? [GraphKeys.GLOBAL_VARIABLES]);
    if (options.trainable) collections.add(GraphKeys.TRAINABLE_VARIABLES);
    for (const name of collections) this.collections.add(name, variable);
    return variable;
  }

  assign(variable: tf.Variable, value: tf.Tensor): unknown {
    variable.assign(value);
    return undefined;
  }

  withDependencies(tensor: tf.Tensor, _after: readonly unknown[]): tf.Tensor {
    return tensor;
  }
}

const eager = new EagerContext();
const stack: VariableContext[] = [eager];

/** The innermost context that is open; eager code's where none is. */
export function currentContext(): VariableContext {
  return stack[stack.length - 1] ?? eager;
}

/**
 * Makes `context` the current one until the result is disposed. The same context may be pushed again and again.
 *
 * @throws {VariablesError} `RuntimeError` when contexts are closed out of order.
 */
export function pushContext(context: VariableContext): Disposable {
  stack.push(context);
  const release = retainMakeVariable();
  const end = trackScope('context', context.kind, () => {
    stack.pop();
    release();
  });
  return { [Symbol.dispose]: end };
}

/**
 * Lets the current context see every variable that tfjs makes (`tf.variable`, weights of tf.layers) until released.
 *
 * Calls nest; tfjs's own function is back when the last one is released.
 */
export function retainMakeVariable(): () => void {
  return retainEngineHook((options) => createVariable(currentContext(), options));
}

/** Makes a variable in a context, asking the open creators first. */
export function createVariable(context: VariableContext, options: VariableOptions): tf.Variable {
  return createThroughCreators(context.creators, options, (asked) => {
    const variable = context.createVariable(asked);
    recordFacts(variable, { dtype: asked.dtype, constraint: asked.constraint });
    return variable;
  });
}

/** Assigns a value to a variable: at once in eager code; in a graph it records the op and returns its handle. */
export function assign(variable: tf.Variable, value: tf.TensorLike | tf.Tensor): unknown {
  const context = currentContext();
  if (value instanceof tf.Tensor) return context.assign(variable, value);
  const made = tf.tensor(value, undefined, variable.dtype);
  let handle: unknown;
  try {
    handle = context.assign(variable, made);
    return handle;
  } finally {
    // Without a handle the value was assigned at once (or not at all), and nothing else knows the tensor.
    if (handle === undefined) made.dispose();
  }
}
