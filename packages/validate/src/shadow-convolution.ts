import { backend_util } from '@tensorflow/tfjs-core';
import type { ShadowArray } from './shadow-array.js';

type Pad = 'same' | 'valid' | number | backend_util.ExplicitPadding;
type Attrs = Readonly<Record<string, unknown>>;
type Shape4 = [number, number, number, number];

/**
 * out[m, n] = sum over k of a[m, k] * b[k, n], in double precision; rows of `a` two by two and products four by four, so
 * that what is loaded is used several times.
 */
export function multiply(
  a: Float64Array,
  b: Float64Array,
  rows: number,
  inner: number,
  columns: number,
  out: Float64Array,
  at = 0,
): void {
  for (let m = 0; m < rows; m += 2) {
    const pair = m + 1 < rows;
    const o0 = at + m * columns;
    const o1 = pair ? o0 + columns : o0;
    const r0 = m * inner;
    const r1 = pair ? r0 + inner : r0;
    let k = 0;
    for (; k + 4 <= inner; k += 4) multiplyFour(a, b, out, r0 + k, r1 + k, k * columns, columns, o0, o1, pair);
    for (; k < inner; k++) {
      const [x, y, w] = [a[r0 + k]!, a[r1 + k]!, k * columns];
      for (let n = 0; n < columns; n++) out[o0 + n]! += x * b[w + n]!;
      if (pair) for (let n = 0; n < columns; n++) out[o1 + n]! += y * b[w + n]!;
    }
  }
}

function multiplyFour(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  r0: number,
  r1: number,
  w: number,
  columns: number,
  o0: number,
  o1: number,
  pair: boolean,
): void {
  const x0 = a[r0]!;
  const x1 = a[r0 + 1]!;
  const x2 = a[r0 + 2]!;
  const x3 = a[r0 + 3]!;
  const w1 = w + columns;
  const w2 = w1 + columns;
  const w3 = w2 + columns;
  if (!pair) {
    for (let n = 0; n < columns; n++)
      out[o0 + n]! += x0 * b[w + n]! + x1 * b[w1 + n]! + x2 * b[w2 + n]! + x3 * b[w3 + n]!;
    return;
  }
  const y0 = a[r1]!;
  const y1 = a[r1 + 1]!;
  const y2 = a[r1 + 2]!;
  const y3 = a[r1 + 3]!;
  for (let n = 0; n < columns; n++) {
    const b0 = b[w + n]!;
    const b1 = b[w1 + n]!;
    const b2 = b[w2 + n]!;
    const b3 = b[w3 + n]!;
    out[o0 + n]! += x0 * b0 + x1 * b1 + x2 * b2 + x3 * b3;
    out[o1 + n]! += y0 * b0 + y1 * b1 + y2 * b2 + y3 * b3;
  }
}

function info(x: ShadowArray, filter: ShadowArray, attrs: Attrs, depthwise: boolean): backend_util.Conv2DInfo {
  const { strides = 1, pad = 'valid', dilations = 1, dimRoundingMode } = attrs;
  return backend_util.computeConv2DInfo(
    [...x.shape] as Shape4,
    [...filter.shape] as Shape4,
    strides as number,
    dilations as number,
    pad as Pad,
    dimRoundingMode as undefined,
    depthwise,
  );
}

/** Copies the patch of every output pixel of one row of one image into `patches`, zeros where it is padded. */
function rowPatches(
  x: ShadowArray,
  conv: backend_util.Conv2DInfo,
  image: number,
  row: number,
  patches: Float64Array,
): void {
  const { filterHeight, filterWidth, inChannels, inHeight, inWidth, outWidth, padInfo } = conv;
  patches.fill(0);
  let at = 0;
  for (let column = 0; column < outWidth; column++) {
    for (let fy = 0; fy < filterHeight; fy++) {
      const y = row * conv.strideHeight - padInfo.top + fy * conv.dilationHeight;
      for (let fx = 0; fx < filterWidth; fx++, at += inChannels) {
        const left = column * conv.strideWidth - padInfo.left + fx * conv.dilationWidth;
        if (y < 0 || y >= inHeight || left < 0 || left >= inWidth) continue;
        const from = ((image * inHeight + y) * inWidth + left) * inChannels;
        for (let c = 0; c < inChannels; c++) patches[at + c] = x.data[from + c]!;
      }
    }
  }
}

/** `Conv2D`, channels last. */
export function conv2d(x: ShadowArray, filter: ShadowArray, attrs: Attrs): ShadowArray {
  const conv = info(x, filter, attrs, false);
  const { batchSize, outHeight, outWidth, outChannels } = conv;
  const inner = conv.filterHeight * conv.filterWidth * conv.inChannels;
  const data = new Float64Array(batchSize * outHeight * outWidth * outChannels);
  const patches = new Float64Array(outWidth * inner);
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < outHeight; row++) {
      rowPatches(x, conv, image, row, patches);
      multiply(
        patches,
        filter.data,
        outWidth,
        inner,
        outChannels,
        data,
        (image * outHeight + row) * outWidth * outChannels,
      );
    }
  }
  return { shape: conv.outShape, data };
}

/** `DepthwiseConv2dNative`, channels last. */
export function depthwiseConv2d(x: ShadowArray, filter: ShadowArray, attrs: Attrs): ShadowArray {
  const conv = info(x, filter, attrs, true);
  const { batchSize, outHeight, outWidth, inChannels, outChannels, inHeight, inWidth, padInfo } = conv;
  const factor = outChannels / inChannels;
  const data = new Float64Array(batchSize * outHeight * outWidth * outChannels);
  let at = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < outHeight; row++) {
      for (let column = 0; column < outWidth; column++, at += outChannels) {
        for (let fy = 0; fy < conv.filterHeight; fy++) {
          const y = row * conv.strideHeight - padInfo.top + fy * conv.dilationHeight;
          for (let fx = 0; fx < conv.filterWidth; fx++) {
            const left = column * conv.strideWidth - padInfo.left + fx * conv.dilationWidth;
            if (y < 0 || y >= inHeight || left < 0 || left >= inWidth) continue;
            const from = ((image * inHeight + y) * inWidth + left) * inChannels;
            const weights = (fy * conv.filterWidth + fx) * outChannels;
            for (let c = 0; c < outChannels; c++) {
              data[at + c]! += x.data[from + Math.floor(c / factor)]! * filter.data[weights + c]!;
            }
          }
        }
      }
    }
  }
  return { shape: conv.outShape, data };
}

/** `MaxPool` and `AvgPool`, channels last; padding counts in neither. */
export function pool2d(x: ShadowArray, attrs: Attrs, kind: 'max' | 'avg'): ShadowArray {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const pool = backend_util.computePool2DInfo(
    [...x.shape] as Shape4,
    filterSize as number,
    strides as number,
    1,
    pad as Pad,
    dimRoundingMode as undefined,
  );
  const { batchSize, outHeight, outWidth, inChannels, inHeight, inWidth, padInfo } = pool;
  const data = new Float64Array(batchSize * outHeight * outWidth * inChannels).fill(
    kind === 'max' ? Number.NEGATIVE_INFINITY : 0,
  );
  let at = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < outHeight; row++) {
      const top = row * pool.strideHeight - padInfo.top;
      for (let column = 0; column < outWidth; column++, at += inChannels) {
        const left = column * pool.strideWidth - padInfo.left;
        let count = 0;
        for (let y = Math.max(0, top); y < Math.min(inHeight, top + pool.effectiveFilterHeight); y++) {
          for (let z = Math.max(0, left); z < Math.min(inWidth, left + pool.effectiveFilterWidth); z++, count++) {
            const from = ((image * inHeight + y) * inWidth + z) * inChannels;
            for (let c = 0; c < inChannels; c++) {
              const value = x.data[from + c]!;
              if (kind === 'avg') data[at + c]! += value;
              else if (value > data[at + c]! || Number.isNaN(value)) data[at + c] = value;
            }
          }
        }
        if (kind === 'avg') for (let c = 0; c < inChannels; c++) data[at + c]! /= count;
      }
    }
  }
  return { shape: pool.outShape, data };
}

/** `BatchMatMul` of [..., m, k] and [..., k, n]; batches must be of one size, or absent on one side. */
export function matMul(a: ShadowArray, b: ShadowArray, { transposeA, transposeB }: Attrs): ShadowArray {
  const left = transposeA === true ? swapLast(a) : a;
  const right = transposeB === true ? swapLast(b) : b;
  const [rows, inner] = left.shape.slice(-2) as [number, number];
  const columns = right.shape.at(-1)!;
  const batches = Math.max(left.data.length / (rows * inner), right.data.length / (inner * columns));
  const data = new Float64Array(batches * rows * columns);
  for (let batch = 0; batch < batches; batch++) {
    const rowsOf = (x: ShadowArray, size: number) =>
      x.data.length === size ? x.data : x.data.subarray(batch * size, (batch + 1) * size);
    multiply(
      rowsOf(left, rows * inner),
      rowsOf(right, inner * columns),
      rows,
      inner,
      columns,
      data,
      batch * rows * columns,
    );
  }
  const lead = left.shape.length >= right.shape.length ? left.shape : right.shape;
  return { shape: [...lead.slice(0, -2), rows, columns], data };
}

function swapLast(x: ShadowArray): ShadowArray {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const data = new Float64Array(x.data.length);
  for (let i = 0; i < data.length; i++) {
    const within = i % (rows * columns);
    data[i - within + (within % columns) * rows + Math.floor(within / columns)] = x.data[i]!;
  }
  return { shape: [...x.shape.slice(0, -2), columns, rows], data };
}
