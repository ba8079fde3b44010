import { DTYPES, type DType, type NumericData, type Shape, sizeOf } from '@tfparity/array';
import { RandomError } from './random-error.js';

/**
 * The zeroed data of a numeric array of this shape.
 *
 * @throws {RandomError} `InvalidShape` where it does not fit into memory
 */
export function allocate(op: string, dtype: DType, shape: Shape): NumericData {
  try {
    return new DTYPES[dtype].data!(sizeOf(shape));
  } catch (cause) {
    throw new RandomError(
      'InvalidShape',
      `${op}: OOM when allocating tensor with shape[${shape}] and type ${dtype}; draw it in parts`,
      { op, shape, dtype },
      { cause },
    );
  }
}
