import { TfparityError } from '@tfparity/array';

/** Codes of `InventoryError`. */
export type InventoryErrorCode = 'UnknownSource' | 'InvalidEntry' | 'Different';

/** A source without a list of variables, an entry that is none, or two inventories that differ. */
export class InventoryError extends TfparityError<InventoryErrorCode> {
  override readonly name = 'InventoryError';
}

/** Whether `error` is an `InventoryError`, of whichever copy of this package. */
export function isInventoryError(error: unknown): error is InventoryError {
  return error instanceof Error && error.name === 'InventoryError';
}
