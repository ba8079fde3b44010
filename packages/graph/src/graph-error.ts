import { isTfparityError, TfparityError } from '@tfparity/array';

/** Codes of `GraphError`. */
export type GraphErrorCode =
  /** Bytes that are not the protobuf they should be. */
  | 'Malformed'
  /** A graph that TensorFlow would not accept: a cycle, a missing input, two nodes of one name, a wrong attribute. */
  | 'InvalidGraph'
  /** An op that TensorFlow does not register. */
  | 'UnknownOp'
  /** An op that touches files, sockets, processes or Python. */
  | 'UnsafeOp'
  /** More bytes, nodes or values than the limits allow. */
  | 'TooLarge'
  /** Something that was asked for by name and is not there. */
  | 'NotFound'
  /** A value that cannot be fed or fetched, by its dtype or shape. */
  | 'WrongValue'
  /** What TensorFlow said when it loaded or ran a graph. */
  | 'TensorFlow'
  /** The native backend, a file system or a child process is not there. */
  | 'Unavailable'
  /** A session, graph or scope that was closed is used. */
  | 'Closed'
  /** The child process crashed, took too long or too much memory. */
  | 'Isolated'
  /** A graph function makes variables after its first trace. */
  | 'VariableCreated'
  /** A graph that cannot be lowered to TensorFlow's. */
  | 'CannotLower'
  /** The values of a tensor are asked for that has none yet, because its graph is only being built. */
  | 'Symbolic'
  /** A tensor, op or variable of another graph is used. */
  | 'OtherGraph'
  /** Something is added to a graph that was finalized. */
  | 'Finalized'
  /** A variable is read before anything was assigned to it. */
  | 'FailedPrecondition'
  /** A step of a run failed, or gave another shape than was recorded. */
  | 'Failed'
  /** Scopes are closed out of order. */
  | 'ScopeOrder';

/** A graph, a session or a file of a graph that is not what it should be. */
export class GraphError extends TfparityError<GraphErrorCode> {
  override readonly name = 'GraphError';
}

/** Whether `error` is a `GraphError`. */
export function isGraphError(error: unknown): error is GraphError {
  return isTfparityError(error) && error.name === 'GraphError';
}
