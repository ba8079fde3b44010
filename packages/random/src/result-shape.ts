import { RandomError } from './random-error.js';

/** TensorFlow's shape tensors, as TensorFlow.js makes them, are int32; a larger axis would wrap to another shape. */
const LARGEST = 2 ** 31 - 1;

/**
 * Checks the shape of a draw before anything is drawn or a seed is taken.
 *
 * @throws {RandomError} `InvalidShape` where an axis is not a whole number of 0 to 2^31 - 1, or the product is above that
 */
export function checkResultShape(op: string, shape: readonly number[]): void {
  const refuse = (what: string) => {
    throw new RandomError('InvalidShape', `${op}: ${what}, shape [${shape}]`, { op, shape });
  };
  if (!Array.isArray(shape)) {
    throw new RandomError('InvalidShape', `${op}: ${String(shape)} is not a shape; give a list of sizes`, {
      op,
      shape,
    });
  }
  let size = 1;
  for (const axis of shape) {
    if (!Number.isInteger(axis)) refuse(`${String(axis)} is not the size of an axis`);
    if (axis < 0) refuse(`Dimension ${axis} must be >= 0`);
    if (axis > LARGEST) refuse(`Dimension ${axis} must be <= ${LARGEST}; draw it in parts`);
    size *= axis;
  }
  if (size > LARGEST) refuse(`${size} elements are more than ${LARGEST}; draw it in parts`);
}
