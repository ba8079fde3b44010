import { TfparityError } from '@tfparity/array';

/**
 * Why the command line could not tell: `Usage` (the arguments), `NotFound` and `Io` (a file), `UnknownFormat` (a file or a
 * result of a kind that is not known), `TooLarge`, `NotAvailable` (a package or backend that the command needs).
 */
export type CliErrorCode = 'Usage' | 'NotFound' | 'Io' | 'UnknownFormat' | 'TooLarge' | 'NotAvailable';

/** An error of the command line or the report; its message is for the person who typed the command. */
export class CliError extends TfparityError<CliErrorCode> {
  override readonly name = 'CliError';
}

/** Whether `error` is this package's. */
export function isCliError(error: unknown): error is CliError {
  return error instanceof Error && error.name === 'CliError';
}
