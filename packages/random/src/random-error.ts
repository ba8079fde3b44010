import { TfparityError } from '@tfparity/array';

/**
 * Codes of `RandomError`: `InvalidSeed` (not a 64-bit integer, or the pair (0, 0) that TensorFlow draws from entropy),
 * `SeedReuse` (the test tool's operation seed was used before), `InvalidShape`, `InvalidDType`, `InvalidArgument`,
 * `UnknownOp`, `ScopeOrder` (scopes closed out of order).
 */
export type RandomErrorCode =
  | 'InvalidSeed'
  | 'SeedReuse'
  | 'InvalidShape'
  | 'InvalidDType'
  | 'InvalidArgument'
  | 'UnknownOp'
  | 'ScopeOrder';

/** What this package throws; `details` has the op, the argument and what was found. */
export class RandomError extends TfparityError<RandomErrorCode> {
  override readonly name = 'RandomError';
}

/** Whether `error` is a `RandomError`, of whichever copy of this package. */
export function isRandomError(error: unknown): error is RandomError {
  return error instanceof Error && error.name === 'RandomError' && 'code' in error;
}
