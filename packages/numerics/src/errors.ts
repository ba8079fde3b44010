import { TfparityError } from '@tfparity/array';

/** Codes of `NumericsError`. */
export type NumericsErrorCode =
  | 'NotClose'
  | 'Different'
  | 'NotBroadcastable'
  | 'NotNumeric'
  | 'NotAnArray'
  | 'InvalidTolerance'
  | 'InvalidOption'
  | 'InvalidPiece'
  | 'InvalidGolden';

/** A comparison that failed (`NotClose`, `Different`), or one that could not be made. */
export class NumericsError extends TfparityError<NumericsErrorCode> {
  override readonly name = 'NumericsError';
}

/** Whether `error` is a `NumericsError`, of whichever copy of this package. */
export function isNumericsError(error: unknown): error is NumericsError {
  return error instanceof Error && error.name === 'NumericsError';
}
