import * as tf from '@tensorflow/tfjs-core';
import type { Gradient } from '../gradient.js';

/** A forward op, as its gradient sees it. */
export interface ForwardOp {
  readonly kernel: string;
  readonly inputNames: readonly string[];
  readonly inputShapes: readonly (readonly number[])[];
  readonly attrs: Readonly<Record<string, unknown>>;
  /** Whether sizes that were recorded may be others when a session runs. */
  readonly isDynamic: boolean;
  /** Whether the input is a variable. */
  readonly isVariable: readonly boolean[];
  /** An input's value; only where it is saved or of a graph. */
  input(name: string): tf.Tensor | undefined;
  /** An output's value; only where it is saved or of a graph. */
  output(index: number): tf.Tensor | undefined;
  /** The outputs as they were computed, whatever is left of their values. */
  readonly outputs: readonly { readonly shape: readonly number[]; readonly dtype: tf.DataType }[];
}

/** The gradients by input, or undefined where tfjs's own do. */
export type GradientFunction = (
  op: ForwardOp,
  dys: readonly (tf.Tensor | null)[],
) => Readonly<Record<string, () => Gradient>> | undefined;

/** The gradient of an output that nothing depends on; by the output itself where it is there: its sizes may not be known yet. */
export function zerosOf(op: ForwardOp, output: number): tf.Tensor {
  const { shape, dtype } = op.outputs[output]!;
  const value = op.output(output);
  return value === undefined ? tf.zeros([...shape], dtype as 'float32') : tf.zerosLike(value);
}
