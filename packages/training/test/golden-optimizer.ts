import * as tf from '@tensorflow/tfjs-core';
import {
  AdadeltaOptimizer,
  AdagradOptimizer,
  AdamOptimizer,
  FtrlOptimizer,
  GradientDescentOptimizer,
  MomentumOptimizer,
  ProximalAdagradOptimizer,
  ProximalGradientDescentOptimizer,
  RMSPropOptimizer,
  type Tf1Optimizer,
} from '../src/index.js';

/** An array of the golden file: little-endian float32, row-major. */
export interface GoldenArray {
  readonly shape: number[];
  readonly hex: string;
}

const MAKERS: Readonly<Record<string, (options: never) => Tf1Optimizer>> = {
  GradientDescent: (options) => new GradientDescentOptimizer(options),
  Momentum: (options) => new MomentumOptimizer(options),
  Adam: (options) => new AdamOptimizer(options),
  RMSProp: (options) => new RMSPropOptimizer(options),
  Adagrad: (options) => new AdagradOptimizer(options),
  Adadelta: (options) => new AdadeltaOptimizer(options),
  Ftrl: (options) => new FtrlOptimizer(options),
  ProximalGradientDescent: (options) => new ProximalGradientDescentOptimizer(options),
  ProximalAdagrad: (options) => new ProximalAdagradOptimizer(options),
};

/** Python's keyword arguments in camelCase. */
export function camelCase<T>(args: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()), value]),
  );
}

/** The optimizer that a golden case names; a suffix of the name says which setting it is. */
export function makeOptimizer(name: string, args: Readonly<Record<string, unknown>>): Tf1Optimizer {
  const kinds = Object.keys(MAKERS).filter((kind) => name.startsWith(kind));
  const kind = kinds.sort((a, b) => b.length - a.length)[0]!;
  return MAKERS[kind]!(camelCase(args) as never);
}

/** The values of a golden array. */
export function floatsOf({ hex }: GoldenArray): Float32Array {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return new Float32Array(bytes.buffer);
}

/** A golden array as a tensor. */
export function tensorOf(array: GoldenArray): tf.Tensor {
  return tf.tensor(floatsOf(array), array.shape, 'float32');
}

/** The values of a tensor. */
export function valuesOf(tensor: tf.Tensor): ArrayLike<number> {
  return tensor.dataSync() as unknown as ArrayLike<number>;
}

/** A float32 as an integer that grows by one from each to the next; both zeros are 0. */
function ordinal(value: number): number {
  const bits = new Int32Array(Float32Array.of(value).buffer)[0]!;
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

/** The largest distance, in floats that lie between, of any two values; infinite where lengths or NaN differ. */
export function ulpsApart(found: tf.Tensor, expected: GoldenArray): number {
  const [a, b] = [valuesOf(found), floatsOf(expected)];
  if (a.length !== b.length || found.shape.join() !== expected.shape.join()) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    if (Number.isNaN(a[i]!) !== Number.isNaN(b[i]!)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, Math.abs(ordinal(a[i]!) - ordinal(b[i]!)));
  }
  return worst;
}
