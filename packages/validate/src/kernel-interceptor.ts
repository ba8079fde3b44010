import * as tf from '@tensorflow/tfjs-core';
import { variableCreatorScope } from '@tfparity/variables';

/** A kernel's inputs as TensorFlow.js passes them: by name, or (Concat, AddN, Pack) in an array. */
export type CallInputs = Readonly<Record<string, tf.Tensor>> | readonly tf.Tensor[];

/** One outermost call of a kernel by a model's own code. */
export interface InterceptedCall {
  readonly kernel: string;
  readonly inputs: CallInputs;
  readonly attrs: Readonly<Record<string, unknown>>;
}

/** Computes the call, with other inputs or attributes where they are given. */
export type Proceed = (changed?: Partial<InterceptedCall>) => tf.Tensor | tf.Tensor[];

/** What stands in front of the kernels and of assignments to variables while a model runs. */
export interface Interceptor {
  kernel?(call: InterceptedCall, proceed: Proceed): tf.Tensor | tf.Tensor[];
  /** Returns the value to assign, or `undefined` for no assignment at all. */
  assign?(variable: tf.Variable, value: tf.Tensor): tf.Tensor | undefined;
}

type RunKernel = ReturnType<typeof tf.engine>['runKernel'];

/**
 * Runs `body` with `interceptor` in front of TensorFlow.js's kernels. Kernels that a kernel, the interceptor itself or the
 * initializer of a variable calls pass straight on.
 */
export function interceptKernels<T>(interceptor: Interceptor, body: () => T): T {
  const engine = tf.engine();
  const next = engine.runKernel;
  const { assign } = tf.Variable.prototype;
  let inside = 0;
  let open = true;
  const within = <R>(run: () => R): R => {
    inside++;
    try {
      return run();
    } finally {
      inside--;
    }
  };
  const intercepted: RunKernel = <R extends tf.Tensor | tf.Tensor[]>(
    kernel: string,
    inputs: tf.NamedTensorMap,
    attrs?: tf.NamedAttrMap,
  ): R => {
    const pass: Proceed = (changed = {}) =>
      next.call(
        engine,
        changed.kernel ?? kernel,
        (changed.inputs ?? inputs) as tf.NamedTensorMap,
        (changed.attrs ?? attrs) as tf.NamedAttrMap,
      ) as tf.Tensor | tf.Tensor[];
    if (!open || inside > 0 || interceptor.kernel === undefined) return pass() as R;
    return within(() => interceptor.kernel!({ kernel, inputs, attrs: attrs ?? {} }, pass)) as R;
  };
  const creators = variableCreatorScope((create, options) => within(() => create(options)));
  engine.runKernel = intercepted;
  tf.Variable.prototype.assign = function (this: tf.Variable, value: tf.Tensor): void {
    const given = open && inside === 0 && interceptor.assign ? within(() => interceptor.assign!(this, value)) : value;
    if (given !== undefined) within(() => assign.call(this, given));
  };
  try {
    return body();
  } finally {
    open = false;
    tf.Variable.prototype.assign = assign;
    // A graph may have put itself in front meanwhile; then this stays behind it and passes everything on.
    if (engine.runKernel === intercepted) engine.runKernel = next;
    creators[Symbol.dispose]();
  }
}
