import { ArrayError } from './errors.js';

/** Sizes of an array's axes; `[]` is a scalar. */
export type Shape = readonly number[];

/**
 * How many elements an array of this shape has: 1 for a scalar, 0 where an axis is empty.
 *
 * @throws {ArrayError} `InvalidShape` for what is no list, where an axis is not a whole number of 0 or more, or where the product
 * is not exact
 */
export function sizeOf(shape: Shape): number {
  if (!Array.isArray(shape)) {
    throw new ArrayError('InvalidShape', `${String(shape)} is not a shape; give a list of sizes, [] for a scalar`, {
      shape,
    });
  }
  let size = 1;
  for (const axis of shape) {
    if (!Number.isSafeInteger(axis) || axis < 0) {
      throw new ArrayError('InvalidShape', `shape ${formatShape(shape)}: ${axis} is not the size of an axis`, {
        shape,
      });
    }
    size *= axis;
  }
  if (!Number.isSafeInteger(size)) {
    throw new ArrayError('InvalidShape', `shape ${formatShape(shape)} has more elements than a number can count`, {
      shape,
    });
  }
  return size;
}

/** Whether two shapes are equal, axis by axis. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}

/** A shape as Python prints it: `()`, `(2,)`, `(3, 4)`; an unknown axis (null, or below 0) is `None`. */
export function formatShape(shape: readonly (number | null)[]): string {
  const axes = shape.map((axis) => (axis === null || axis < 0 ? 'None' : String(axis)));
  return axes.length === 1 ? `(${axes[0]},)` : `(${axes.join(', ')})`;
}

/**
 * The row-major strides of a shape, in elements.
 */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/**
 * The index along each axis of the element at `offset` (row-major), as `numpy.unravel_index`.
 *
 * @throws {ArrayError} `OutOfRange`, in numpy's words, where the shape has no such element
 */
export function unravelIndex(offset: number, shape: Shape): number[] {
  const size = sizeOf(shape);
  if (!Number.isInteger(offset) || offset < 0 || offset >= size) {
    const dims = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
    throw new ArrayError(
      'OutOfRange',
      `index ${offset} is out of bounds for array with size ${size} and shape ${dims}`,
      {
        offset,
        shape,
      },
    );
  }
  const index = new Array<number>(shape.length);
  for (let axis = shape.length - 1, rest = offset; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}
