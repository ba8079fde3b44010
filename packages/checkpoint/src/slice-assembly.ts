import { DTYPES, type DType, formatShape, type NdArray, type NumericData, type Shape, zeros } from '@tfparity/array';
import { CheckpointError, corrupt, type Where } from './errors.js';
import { elementCount } from './store.js';
import { checkCover, type TensorSlice } from './tensor-slice.js';

/** A tensor that is stored in slices, and how many bytes its values may take at most, by what is there to read. */
export interface SlicedTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly slices: readonly TensorSlice[];
  readonly available: number;
}

/**
 * A tensor put together from its slices, which are read one after the other.
 *
 * @throws {CheckpointError} `Corrupt` where slices overlap, do not cover the tensor, or cannot be in files of that size
 */
export async function assembleSlices(
  { dtype, shape, slices, available }: SlicedTensor,
  where: Where,
  read: (index: number) => Promise<NdArray>,
): Promise<NdArray> {
  checkCover(slices, shape, where);
  // Covered without overlap, a tensor is no larger than what holds its slices: a forged shape allocates nothing.
  const least = elementCount(shape, where.file, where.tensor ?? '') * (DTYPES[dtype].itemSize || 1);
  if (least > available) {
    throw corrupt(`its slices make ${least} bytes, but no more than ${available} are there`, where);
  }
  const whole = wholeOf(dtype, shape, where);
  for (let i = 0; i < slices.length; i++) {
    if (slices[i]!.length.every((count) => count > 0)) copySlice(whole, slices[i]!, await read(i));
  }
  return whole;
}

function wholeOf(dtype: DType, shape: Shape, where: Where): NdArray {
  try {
    return zeros(dtype, shape);
  } catch (cause) {
    const message = `a tensor of shape ${formatShape(shape)} does not fit in one array here; read its slices`;
    throw new CheckpointError('Unsupported', message, where, {}, { cause });
  }
}

/** Copies a slice's values to their place in the whole tensor, in runs as long as the layout allows. */
export function copySlice(whole: NdArray, slice: TensorSlice, part: NdArray): void {
  moveSlice(whole, slice, part, true);
}

/** The values of a box of a tensor, as an array of their own. */
export function cutSlice(whole: NdArray, slice: TensorSlice): NdArray {
  const part = zeros(whole.dtype, slice.length);
  moveSlice(whole, slice, part, false);
  return part;
}

function moveSlice(whole: NdArray, slice: TensorSlice, part: NdArray, intoWhole: boolean): void {
  const { shape } = whole;
  const { lanes } = DTYPES[whole.dtype];
  // Axes that the slice covers wholly, counted from the last, join into one run with the axis before them.
  let inner = shape.length;
  let run = lanes as number;
  while (inner > 0) {
    inner--;
    run *= slice.length[inner]!;
    if (slice.length[inner] !== shape[inner]) break;
  }
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = lanes as number; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  const base = slice.start.reduce((sum, from, axis) => sum + from * strides[axis]!, 0);
  const index = new Array<number>(inner).fill(0);
  const total = part.data.length;
  for (let at = 0; at < total; at += run) {
    let to = base;
    for (let axis = 0; axis < inner; axis++) to += index[axis]! * strides[axis]!;
    if (intoWhole) copyRun(part.data, at, whole.data, to, run);
    else copyRun(whole.data, to, part.data, at, run);
    for (let axis = inner - 1; axis >= 0; axis--) {
      if (++index[axis]! < slice.length[axis]!) break;
      index[axis] = 0;
    }
  }
}

function copyRun(source: NdArray['data'], from: number, target: NdArray['data'], to: number, count: number): void {
  if (Array.isArray(source)) {
    for (let i = 0; i < count; i++) (target as Uint8Array[])[to + i] = source[from + i]!;
  } else {
    (target as Float32Array).set((source as NumericData).subarray(from, from + count) as Float32Array, to);
  }
}
