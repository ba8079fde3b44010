// The QR of compat.v1's orthogonal initializers: Householder reflections as LAPACK's geqrf takes them, in double precision.
import * as tf from '@tensorflow/tfjs-core';

/**
 * The Q of a tall (or square) matrix's reduced QR decomposition, its columns multiplied by the signs of R's diagonal,
 * which makes it unique: so it agrees with TensorFlow's `qr` and `sign(diag_part(r))` up to float32 rounding.
 */
export function orthogonalMatrix(matrix: tf.Tensor): tf.Tensor2D {
  const [rows, columns] = matrix.shape as [number, number];
  const a = Float64Array.from(matrix.dataSync());
  const tau = new Float64Array(columns);
  const signs = new Float64Array(columns);
  for (let k = 0; k < columns; k++) {
    const alpha = a[k * columns + k] as number;
    const norm = Math.sqrt(sumOfSquares(a, rows, columns, k, k));
    const beta = alpha <= 0 ? norm : -norm;
    // A last row with nothing below it is left as it is: H = I, R's diagonal keeps its sign.
    const reflects = k < rows - 1 && sumOfSquares(a, rows, columns, k + 1, k) > 0;
    signs[k] = Math.sign(reflects ? beta : alpha);
    if (!reflects) continue;
    tau[k] = (beta - alpha) / beta;
    for (let i = k + 1; i < rows; i++) a[i * columns + k] = (a[i * columns + k] as number) / (alpha - beta);
    a[k * columns + k] = 1;
    for (let j = k + 1; j < columns; j++) reflect(a, a, rows, columns, k, j, tau[k] as number);
  }
  const q = new Float64Array(rows * columns);
  for (let k = 0; k < columns; k++) q[k * columns + k] = 1;
  for (let k = columns - 1; k >= 0; k--) {
    for (let j = k; j < columns; j++) reflect(a, q, rows, columns, k, j, tau[k] as number);
  }
  const values = new Float32Array(q.length);
  for (let i = 0; i < q.length; i++) values[i] = (q[i] as number) * (signs[i % columns] as number);
  return tf.tensor2d(values, [rows, columns]);
}

/** Applies the reflection kept in column k of `a` (from row k on) to column j of `target`. */
function reflect(
  a: Float64Array,
  target: Float64Array,
  rows: number,
  columns: number,
  k: number,
  j: number,
  tau: number,
): void {
  if (tau === 0) return;
  let dot = 0;
  for (let i = k; i < rows; i++) dot += (a[i * columns + k] as number) * (target[i * columns + j] as number);
  dot *= tau;
  for (let i = k; i < rows; i++) {
    target[i * columns + j] = (target[i * columns + j] as number) - dot * (a[i * columns + k] as number);
  }
}

function sumOfSquares(a: Float64Array, rows: number, columns: number, from: number, column: number): number {
  let sum = 0;
  for (let i = from; i < rows; i++) sum += (a[i * columns + column] as number) ** 2;
  return sum;
}
