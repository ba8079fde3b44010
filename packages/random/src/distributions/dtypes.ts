import type { DType } from '@tfparity/array';
import { RandomError } from '../random-error.js';

/** The error for a dtype that an op has no kernel for. */
export function wrongDType(op: string, dtype: DType, allowed: readonly DType[]): RandomError {
  return new RandomError(
    'InvalidDType',
    `${op}: Value for attr 'dtype' of ${dtype} is not in the list of allowed values: ${allowed.join(', ')}`,
    { op, dtype, allowed },
  );
}
