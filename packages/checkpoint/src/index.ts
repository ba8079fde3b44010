export {
  type AssignFromOptions,
  assignFromCheckpoint,
  filterVariables,
  planAssignFromCheckpoint,
  type VariablesByName,
} from './assign-from-checkpoint.js';
export { BlobSource, type ByteSource, BytesSource, FileMap, type FileSet } from './byte-source.js';
export { castArray } from './cast.js';
export { Checkpoint } from './checkpoint.js';
export { type Conflict, type CoverageOptions, type CoverageReport, coverage, formatCoverage } from './coverage.js';
export type { UnusedKind } from './coverage-cause.js';
export { CheckpointError, type CheckpointErrorCode, isCheckpointError, type Where } from './errors.js';
export { type FileSink, MemorySink, type PendingFile } from './file-sink.js';
export {
  type AssignmentMap,
  type AssignmentTarget,
  initFromCheckpoint,
  planInitFromCheckpoint,
} from './init-from-checkpoint.js';
export { latestCheckpoint } from './latest-checkpoint.js';
export { invertLayouts, type LayoutRule, type MapOptions, mapCheckpoint, transposeArray } from './layout-rules.js';
export type { Assignment, AssignOptions, ModelVariable, ReadAssignment } from './model-variable.js';
export { type NameMap, nameMap, type RenameRule } from './name-map.js';
export type { ObjectAttribute, ObjectGraph, TrackedObject } from './object-graph.js';
export {
  type LayerLike,
  type LayerWeight,
  type ObjectTree,
  type OptimizerSlot,
  OptimizerState,
} from './object-tree.js';
export { type CheckpointSource, type FileLike, type OpenOptions, openCheckpoint } from './open-checkpoint.js';
export type { CheckpointEntry, CheckpointFormat, NamedArray, UnreadableEntry } from './store.js';
export type { TensorPiece } from './tensor-pieces.js';
export type { TensorSlice } from './tensor-slice.js';
export type { ShardOptions } from './write-bundle.js';
export {
  type NamedTensors,
  type PartitionedArray,
  type WriteFormat,
  type WriteOptions,
  writeCheckpoint,
  writeObjectCheckpoint,
} from './write-checkpoint.js';
