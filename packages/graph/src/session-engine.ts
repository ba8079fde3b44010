import type * as tf from '@tensorflow/tfjs-core';
import type { Operation, OutputRef } from './operation.js';

/** One run, with everything resolved: which outputs are wanted, which ops are run for their effect, what is fed. */
export interface RunRequest {
  readonly fetches: readonly OutputRef[];
  readonly targets: readonly Operation[];
  /** Values by the output that they take the place of; the engine does not dispose of them. */
  readonly feeds: ReadonlyMap<OutputRef, tf.Tensor>;
}

/** What computes a session's runs and keeps its state. */
export interface SessionEngine {
  /** The tensors of `fetches`, in their order, on the session's backend; they belong to the caller. */
  run(request: RunRequest): tf.Tensor[];
  /** Frees variables, constants and random streams. */
  close(): void;
}
