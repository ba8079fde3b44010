import { TfparityError } from '@tfparity/array';

/** Codes of `BackendError`. */
export type BackendErrorCode = 'UnknownBackend' | 'NotAvailable' | 'NotInstalled';

/** A TensorFlow.js backend that cannot be had; the message is one paragraph that says why and what to do. */
export class BackendError extends TfparityError<BackendErrorCode> {
  override readonly name = 'BackendError';
}

/** Whether `error` is a `BackendError`. */
export function isBackendError(error: unknown): error is BackendError {
  return error instanceof BackendError;
}
