import { RandomError } from './random-error.js';

/**
 * Checks the bounds of whole numbers to be drawn as int32.
 *
 * @throws {RandomError} `InvalidArgument` unless both are int32 and minval < maxval, in TensorFlow's words
 */
export function checkInt32Bounds(minval: number, maxval: number): void {
  for (const [name, bound] of Object.entries({ minval, maxval })) {
    if (bound !== (bound | 0)) {
      throw new RandomError('InvalidArgument', `${name} ${bound} is not an int32`, { [name]: bound });
    }
  }
  if (minval >= maxval) {
    throw new RandomError('InvalidArgument', `Need minval < maxval, got ${minval} >= ${maxval}`, { minval, maxval });
  }
}
