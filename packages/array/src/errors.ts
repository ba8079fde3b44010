/** What an error says beside its message: fields that a program can act on. */
export interface ErrorDetails {
  readonly [field: string]: unknown;
}

/** What every error of tfparity bears; registered, so that copies of the packages know each other's errors. */
const BRAND = Symbol.for('@tfparity/error');

/**
 * The base of every error that tfparity throws: a `code` to switch on, `details` with the facts, and the `cause`.
 *
 * A package derives one class from it (`CheckpointError`, `GraphError`, …) and exports one guard.
 */
export class TfparityError<Code extends string = string> extends Error {
  override readonly name: string = 'TfparityError';

  /** On the prototype, so that no dump or comparison of an error shows it. */
  get [BRAND](): true {
    return true;
  }

  constructor(
    readonly code: Code,
    message: string,
    readonly details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  /** The error as plain data, for reports and `--json`. */
  toJSON(): { name: string; code: Code; message: string; details: ErrorDetails } {
    return { name: this.name, code: this.code, message: this.message, details: this.details };
  }
}

/**
 * Whether `error` is one of tfparity's own, of whichever package. Works across copies of the packages; another library's error
 * with a `code` and `details` is none.
 */
export function isTfparityError(error: unknown): error is TfparityError {
  return error instanceof Error && BRAND in error && error[BRAND] === true;
}

/** Codes of `ArrayError`. */
export type ArrayErrorCode = 'InvalidShape' | 'LengthMismatch' | 'UnknownDType' | 'WrongData' | 'OutOfRange';

/** An array, shape or dtype that cannot be. */
export class ArrayError extends TfparityError<ArrayErrorCode> {
  override readonly name = 'ArrayError';
}
