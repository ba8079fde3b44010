// Faults put into a running program at the level of kernels: what a wrong line of a migration would have computed.
import * as tf from '@tensorflow/tfjs-core';
import { programScope } from '@tfparity/variables';
import { type KernelInputs, replaceInputs } from '../src/trace-kernels.js';

type Attrs = Record<string, unknown>;
type Compute = (kernel: string, inputs: KernelInputs, attrs?: Attrs) => tf.Tensor;

/** What to do in place of the kernel. */
export type Change = (
  call: { kernel: string; inputs: KernelInputs; attrs: Attrs },
  compute: Compute,
) => tf.Tensor | tf.Tensor[];

/** Runs `body`, in which the `nth` call of `kernel` whose scope ends in `scope` computes something else. */
export function withKernelFault<T>(scope: string, kernel: string, change: Change, body: () => T, nth = 0): T {
  const engine = tf.engine();
  const next = engine.runKernel;
  let seen = 0;
  engine.runKernel = (<R extends tf.Tensor | tf.Tensor[]>(
    name: string,
    inputs: tf.NamedTensorMap,
    attrs?: tf.NamedAttrMap,
  ): R => {
    const here = name === kernel && programScope().endsWith(scope) && seen++ === nth;
    if (!here) return next.call(engine, name, inputs, attrs) as R;
    const compute: Compute = (other, given, settings) =>
      next.call(engine, other, given as tf.NamedTensorMap, settings as tf.NamedAttrMap) as tf.Tensor;
    return change({ kernel: name, inputs, attrs: { ...attrs } as Attrs }, compute) as R;
  }) as typeof next;
  try {
    const result = body();
    if (seen <= nth) throw new Error(`the fault never happened: no ${kernel} in ${scope}`);
    return result;
  } finally {
    engine.runKernel = next;
  }
}

/** Runs `body`, in which the variable is never assigned to. */
export function withoutUpdate<T>(name: string, body: () => T): T {
  const { assign } = tf.Variable.prototype;
  let seen = false;
  tf.Variable.prototype.assign = function (value: tf.Tensor): void {
    if (this.name === name) seen = true;
    else assign.call(this, value);
  };
  try {
    const result = body();
    if (!seen) throw new Error(`the fault never happened: ${name} is not assigned to`);
    return result;
  } finally {
    tf.Variable.prototype.assign = assign;
  }
}

/** Puts another value into a variable until the result is called. */
export function changeVariable(variable: tf.Variable, change: (value: tf.Tensor) => tf.Tensor): () => void {
  const before = variable.clone();
  tf.tidy(() => variable.assign(change(before)));
  return () => {
    variable.assign(before);
    before.dispose();
  };
}

export const setAttrs =
  (changed: Attrs): Change =>
  ({ kernel, inputs, attrs }, compute) =>
    compute(kernel, inputs, { ...attrs, ...changed });

export const setInput =
  (name: string, change: (tensor: tf.Tensor) => tf.Tensor): Change =>
  ({ kernel, inputs, attrs }, compute) =>
    compute(
      kernel,
      replaceInputs(inputs, (tensor, at) => (at === name ? change(tensor) : tensor)),
      attrs,
    );

export const swapInputs =
  (a: string, b: string): Change =>
  ({ kernel, inputs, attrs }, compute) => {
    const given = inputs as Record<string, tf.Tensor>;
    return compute(
      kernel,
      replaceInputs(inputs, (tensor, at) => (at === a ? given[b]! : at === b ? given[a]! : tensor)),
      attrs,
    );
  };

export const otherKernel =
  (kernel: string, changed: Attrs = {}): Change =>
  ({ inputs, attrs }, compute) =>
    compute(kernel, inputs, { ...attrs, ...changed });

/** The kernel's first input in its place. */
export const skip: Change = ({ inputs }) => tf.clone(Object.values(inputs)[0] as tf.Tensor);
