export type { CallSite } from './call-site.js';
export { type CustomGradient, customGradientsOf } from './custom-gradient.js';
export type { Fetches, FetchResult } from './fetch.js';
export { Graph, getDefaultGraph, type OpenGraphScope } from './graph.js';
export { GraphError, type GraphErrorCode, isGraphError } from './graph-error.js';
export { type GraphFunction, type GraphFunctionOptions, graphFunction, type TensorSpec } from './graph-function.js';
export {
  assign,
  assignAdd,
  assignSub,
  controlDependencies,
  globalVariablesInitializer,
  group,
  identity,
  localVariablesInitializer,
  noOp,
  type OperationLike,
  type PlaceholderOptions,
  placeholder,
  placeholderWithDefault,
  variablesInitializer,
} from './graph-ops.js';
export { type AssignType, GraphVariable } from './graph-variable.js';
export type { Collection, ImportedVariable } from './import/collections.js';
export { type ImportGraphDefOptions, importGraphDef } from './import/frozen-graph.js';
export { GRAPH_LIMITS, type GraphLimits } from './import/graph-limits.js';
export { ImportedGraph } from './import/imported-graph.js';
export { type GraphInspection, type GraphTensorInfo, inspectGraph, type RandomNode } from './import/inspect-graph.js';
export { type ImportOptions, importMetaGraph } from './import/meta-graph.js';
export { type ImportSavedModelOptions, importSavedModel } from './import/saved-model.js';
export type { VariableValues } from './lower/given-variables.js';
export { type LoweredGraph, lowerGraph } from './lower/lower-graph.js';
export {
  encodeGraphDef,
  type Signature,
  type WritableGraph,
  type WriteOptions,
  writeGraphDef,
  writeSavedModel,
} from './lower/write-graph.js';
export type { FeedValue } from './native/feed-value.js';
export type { Fetched, Fetches as ImportedFetches } from './native/fetches.js';
export { GRAPPLER_OPTIONS, type GrapplerOptions } from './native/grappler-options.js';
export { ISOLATION_LIMITS, type IsolationLimits } from './native/isolated-run.js';
export { type TensorFlowFeeds, TensorFlowSession, type TensorFlowSessionOptions } from './native/tensorflow-session.js';
export { type Attributes, GraphTensor, Operation, type OutputInfo, type OutputRef } from './operation.js';
export {
  OPTIMIZER_PASSES,
  type OptimizerChange,
  type OptimizerOptions,
  type OptimizerPass,
  type OptimizerReport,
} from './optimize/optimizer.js';
export {
  type RunnableGraph,
  Session,
  type SessionArrays,
  type SessionFeeds,
  type SessionFetches,
  type SessionOptions,
  type SessionResult,
} from './session.js';
export type { Feeds } from './session-feeds.js';
