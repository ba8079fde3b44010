import { type ErrorDetails, TfparityError } from '@tfparity/array';

/** Codes of `TrainingError`: the Python exception that TensorFlow raises in the same place, or what this package adds. */
export type TrainingErrorCode =
  | 'ValueError'
  | 'TypeError'
  | 'RuntimeError'
  | 'LookupError'
  | 'InvalidArgument'
  | 'NotImplemented';

/** What this package throws; `details` has the optimizer, the variable or the op, and what was found. */
export class TrainingError extends TfparityError<TrainingErrorCode> {
  override readonly name = 'TrainingError';
}

/** Whether `error` is a `TrainingError`, of whichever copy of this package. */
export function isTrainingError(error: unknown): error is TrainingError {
  return error instanceof Error && error.name === 'TrainingError' && 'code' in error;
}

/** A `ValueError` in TensorFlow's words. */
export function valueError(message: string, details: ErrorDetails = {}): TrainingError {
  return new TrainingError('ValueError', message, details);
}
