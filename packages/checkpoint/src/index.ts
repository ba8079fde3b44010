export { BlobSource, type ByteSource, BytesSource, FileMap, type FileSet } from './byte-source.js';
export { Checkpoint } from './checkpoint.js';
export { CheckpointError, type CheckpointErrorCode, isCheckpointError, type Where } from './errors.js';
export { type FileSink, MemorySink, type PendingFile } from './file-sink.js';
export { latestCheckpoint } from './latest-checkpoint.js';
export type { ObjectAttribute, ObjectGraph, TrackedObject } from './object-graph.js';
export type { LayerLike, LayerWeight, ObjectTree } from './object-tree.js';
export { type CheckpointSource, type FileLike, type OpenOptions, openCheckpoint } from './open-checkpoint.js';
export type { CheckpointEntry, CheckpointFormat, NamedArray } from './store.js';
export type { TensorSlice } from './tensor-slice.js';
export type { ShardOptions } from './write-bundle.js';
export {
  type NamedTensors,
  type WriteFormat,
  type WriteOptions,
  writeCheckpoint,
  writeObjectCheckpoint,
} from './write-checkpoint.js';
