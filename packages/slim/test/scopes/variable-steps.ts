import * as tf from '@tensorflow/tfjs-core';
import {
  currentContext,
  getLocalVariable,
  getVariable,
  getVariableScope,
  nameScope,
  type Reuse,
  type VariableScope,
  VariableScopeManager,
  variable,
  variableConstraint,
  variableCreatorScope,
  variableDType,
} from '@tfparity/variables';
import { constraintOf, constraintTag, getterOf, initializerOf, regularizerOf } from './arguments.js';
import { RaisedThrough, type RunState, type StepKind } from './run-state.js';
import type { Event, Step } from './scenario.js';

function scopeEvent(scope: VariableScope, step: number): Event {
  return { step, scope: scope.name, original_name_scope: scope.originalNameScope, reuse: scope.reuse };
}

function variableEvent(v: tf.Variable, step: number, state: RunState): Event {
  const event: Event = {
    step,
    name: v.name,
    shape: v.shape,
    dtype: variableDType(v),
    trainable: v.trainable,
    new: !state.seen.has(v),
  };
  const tag = constraintTag(variableConstraint(v));
  if (tag !== undefined) event['constraint'] = tag;
  state.seen.add(v);
  return event;
}

function scopeManager(step: Step, state: RunState): VariableScopeManager {
  if (step['cm_ref'] !== undefined) return state.managers.get(step['cm_ref'] as string) as VariableScopeManager;
  const given = step['scope_ref'] === undefined ? step['name'] : state.scopes.get(step['scope_ref'] as string);
  return new VariableScopeManager(given as string | VariableScope | null, {
    defaultName: step['default_name'] as string | undefined,
    reuse: step['reuse'] as Reuse | null,
    initializer: initializerOf(step['initializer']),
    regularizer: regularizerOf(step['regularizer']),
    dtype: step['dtype'] as string | undefined,
    constraint: constraintOf(step['constraint']),
    customGetter: getterOf(step['custom_getter'], state),
    cachingDevice: step['caching_device'] as string | undefined,
    auxiliaryNameScope: step['auxiliary_name_scope'] as boolean | undefined,
  });
}

const get: StepKind = (step, index, state) => {
  const options = {
    shape: step['shape'] as number[] | undefined,
    trainable: step['trainable'] as boolean | undefined,
    collections: step['collections'] as string[] | undefined,
    dtype: step['dtype'] as string | undefined,
    initializer: initializerOf(step['initializer']),
    regularizer: regularizerOf(step['regularizer']),
    constraint: constraintOf(step['constraint']),
    customGetter: getterOf(step['custom_getter'], state),
    synchronization: step['synchronization'] as 'AUTO' | undefined,
    aggregation: step['aggregation'] as 'NONE' | undefined,
  };
  const getter = step.op === 'get_variable' ? getVariable : getLocalVariable;
  const v = getter(step['name'] as string, options);
  const event = variableEvent(v, index, state);
  if (step['value']) state.wanted.push({ event, variable: v });
  state.events.push(event);
  if (step['save'] !== undefined) state.variables.set(step['save'] as string, v);
};

/** The steps that need nothing but `@tfparity/variables`. */
export const VARIABLE_STEPS: Readonly<Record<string, StepKind>> = {
  enter_scope(step, index, state) {
    const manager = scopeManager(step, state);
    const scope = manager.enter();
    state.open.push(() => manager.exit());
    if (step['save'] !== undefined) state.scopes.set(step['save'] as string, scope);
    if (step['save_cm'] !== undefined) state.managers.set(step['save_cm'] as string, manager);
    state.events.push(scopeEvent(scope, index));
  },
  new_scope_cm(step, _index, state) {
    state.managers.set(step['save'] as string, new VariableScopeManager(step['name'] as string));
  },
  current_scope(step, index, state) {
    const scope = getVariableScope();
    state.scopes.set(step['save'] as string, scope);
    state.events.push(scopeEvent(scope, index));
  },
  enter_name_scope(step, index, state) {
    const scope = state.scopes.get(step['original_name_scope_of'] as string);
    const opened = nameScope((step['name'] ?? scope?.originalNameScope) as string);
    state.open.push(() => opened[Symbol.dispose]());
    state.events.push({ step: index, name_scope: opened.name });
  },
  op_name(step, index, state) {
    if (state.mode !== 'graph') return;
    state.events.push({ step: index, op: currentContext().names.uniqueName(step['name'] as string) });
  },
  exit(_step, _index, state) {
    state.open.pop()?.();
  },
  exit_cm(step, _index, state) {
    state.managers.get(step['ref'] as string)?.exit();
  },
  get_variable: get,
  get_local_variable: get,
  tf_variable(step, index, state) {
    const made = variable(1, {
      name: step['name'] as string,
      dtype: 'float32',
      trainable: step['trainable'] as boolean | undefined,
    });
    state.events.push({ ...variableEvent(made, index, state), new: true });
  },
  assign(step, _index, state) {
    const v = state.variables.get(step['ref'] as string) as tf.Variable;
    if (state.mode !== 'graph') v.assign(tf.fill(v.shape, step['fill'] as number, v.dtype as 'float32'));
  },
  reuse_variables: () => getVariableScope().reuseVariables(),
  set_initializer: (step) => getVariableScope().setInitializer(initializerOf(step['initializer'])),
  set_regularizer: (step) => getVariableScope().setRegularizer(regularizerOf(step['regularizer'])),
  set_dtype: (step) => getVariableScope().setDtype(step['dtype'] as string),
  set_use_resource: (step) => getVariableScope().setUseResource(step['use_resource'] as boolean),
  enter_creator_scope(step, _index, state) {
    const scope = variableCreatorScope((next, options) => {
      state.log.push(['creator', step['id'], options.name]);
      const stop = state.variables.get(step['stop'] as string);
      if (stop !== undefined) return stop;
      const renamed = step['rename'] === undefined ? options : { ...options, name: step['rename'] as string };
      return next({ ...renamed, ...(step['set'] as object | undefined) });
    });
    state.open.push(() => scope[Symbol.dispose]());
  },
  raise(step) {
    throw new RaisedThrough(step['message'] as string);
  },
};
