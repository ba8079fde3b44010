export { Collections } from './collections.js';
export {
  assign,
  createVariable,
  currentContext,
  EagerContext,
  GraphRulesContext,
  pushContext,
  type VariableContext,
} from './context.js';
export {
  assertNoVariableCreations,
  type CreatedVariable,
  type CreationCause,
  catchAndRaiseCreatedVariables,
} from './creation-guards.js';
export type {
  Aggregation,
  Constraint,
  CreatorScope,
  Synchronization,
  VariableCreator,
  VariableOptions,
} from './creator-chain.js';
export { type VariableArguments, variable, variableCreatorScope } from './creator-scope.js';
export { isVariablesError, VariablesError, type VariablesErrorCode } from './errors.js';
export { getLocalVariable, getVariable } from './get-variable.js';
export {
  addToCollection,
  addToCollections,
  clearCollection,
  getCollection,
  getCollectionRef,
  getRegularizationLosses,
  globalVariables,
  localVariables,
  modelVariables,
  trainableVariables,
} from './graph-collections.js';
export { GraphKeys } from './graph-keys.js';
export { getOrCreateLayer } from './layer-store.js';
export { Module } from './module.js';
export { type NameScopeHandle, nameScope } from './name-scope.js';
export { EagerNameScopes, GraphNameScopes, type NameScopes } from './name-scopes.js';
export { engineKeyOf } from './optimizer-names.js';
export { isPartitionedVariable, PartitionedVariable } from './partitioned-variable.js';
export { programScope } from './program-scope.js';
export { addRegularizationLoss } from './regularization.js';
export type { Body } from './scope-body.js';
export { AUTO_REUSE, type Reuse, ScopeState, VariableScope } from './scope-state.js';
export { type ShimDecorator, type ShimOptions, tf1VariableStore, trackTf1StyleVariables } from './shim.js';
export { layerVariables, regularizationLoss } from './shim-layer.js';
export { makeTemplate, type Template, type TemplateOptions } from './template.js';
export { type CallOptions, Tf1Layer } from './tf1-layer.js';
export type {
  CustomGetter,
  GetterArguments,
  GetVariableOptions,
  Initializer,
  InitializerLike,
  InitializerObject,
  Partitioner,
  Regularizer,
} from './variable-arguments.js';
export { variableConstraint, variableDType } from './variable-facts.js';
export {
  getVariableScope,
  VariableScopeManager,
  type VariableScopeOptions,
  variableScope,
} from './variable-scope.js';
export { VariableStore } from './variable-store.js';
export { formatVariable } from './variable-text.js';
