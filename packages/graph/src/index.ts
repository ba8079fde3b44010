export { GraphError, type GraphErrorCode, isGraphError } from './graph-error.js';
export type { Collection, ImportedVariable } from './import/collections.js';
export { GRAPH_LIMITS, type GraphLimits } from './import/graph-limits.js';
export { ImportedGraph } from './import/imported-graph.js';
export { type ImportOptions, importMetaGraph } from './import/meta-graph.js';
export type { FeedValue } from './native/feed-value.js';
export { type Feeds as TensorFlowFeeds, TensorFlowSession } from './native/tensorflow-session.js';
