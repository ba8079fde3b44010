import { type ErrorDetails, TfparityError } from '@tfparity/array';

/** Codes of `LayersError`: the Python exception that TensorFlow raises in the same place. */
export type LayersErrorCode = 'ValueError' | 'TypeError' | 'NotImplementedError';

/** What this package throws; `details` has the layer, the argument and what was found. */
export class LayersError extends TfparityError<LayersErrorCode> {
  override readonly name = 'LayersError';
}

/** Whether `error` is a `LayersError`, of whichever copy of this package. */
export function isLayersError(error: unknown): error is LayersError {
  return error instanceof Error && error.name === 'LayersError' && 'code' in error;
}

/** A `ValueError`: an argument or input that a layer cannot take. */
export function valueError(message: string, details: ErrorDetails = {}): LayersError {
  return new LayersError('ValueError', message, details);
}
