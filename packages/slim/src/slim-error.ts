import { type ErrorDetails, TfparityError } from '@tfparity/array';

/** Codes of `SlimError`: the Python exception that slim raises in the same place; `RuntimeError` for scopes out of order. */
export type SlimErrorCode = 'ValueError' | 'TypeError' | 'RuntimeError' | 'NotImplementedError';

/** What this package throws, in slim's words where slim has them; `details` has the function, argument and value. */
export class SlimError extends TfparityError<SlimErrorCode> {
  override readonly name = 'SlimError';
}

/** Whether `error` is a `SlimError`, of whichever copy of this package. */
export function isSlimError(error: unknown): error is SlimError {
  return error instanceof Error && error.name === 'SlimError' && 'code' in error;
}

/** A `ValueError`. */
export function valueError(message: string, details: ErrorDetails = {}): SlimError {
  return new SlimError('ValueError', message, details);
}

/** A `TypeError`. */
export function typeError(message: string, details: ErrorDetails = {}): SlimError {
  return new SlimError('TypeError', message, details);
}
