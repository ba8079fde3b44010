import { TfparityError } from '@tfparity/array';

/** Codes of `ValidateError`. */
export type ValidateErrorCode =
  | 'InvalidSide'
  | 'InvalidInputs'
  | 'InvalidArgument'
  | 'InvalidBundle'
  | 'UnknownStep'
  | 'Different';

/** A validation that could not be made, or (`Different`) one that was asserted and failed. */
export class ValidateError extends TfparityError<ValidateErrorCode> {
  override readonly name = 'ValidateError';
}

/** Whether `error` is a `ValidateError`, of whichever copy of this package. */
export function isValidateError(error: unknown): error is ValidateError {
  return error instanceof Error && error.name === 'ValidateError';
}
