import { type ErrorDetails, TfparityError } from '@tfparity/array';

/** Codes of `VariablesError`: the Python exception that TensorFlow raises in the same place. */
export type VariablesErrorCode = 'ValueError' | 'TypeError' | 'RuntimeError' | 'NotImplementedError';

/** A scope, variable or layer that TensorFlow's rules do not allow; the message begins with TensorFlow's own words. */
export class VariablesError extends TfparityError<VariablesErrorCode> {
  override readonly name = 'VariablesError';
}

/** Whether `error` comes from `@tfparity/variables`. Works across copies of the package. */
export function isVariablesError(error: unknown): error is VariablesError {
  return error instanceof Error && error.name === 'VariablesError' && 'code' in error;
}

/** A `ValueError` in TensorFlow's words. */
export function valueError(message: string, details: ErrorDetails = {}, cause?: unknown): VariablesError {
  return new VariablesError('ValueError', message, details, cause === undefined ? undefined : { cause });
}
