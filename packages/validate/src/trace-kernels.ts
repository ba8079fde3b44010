import * as tf from '@tensorflow/tfjs-core';
import { programScope, variableCreatorScope } from '@tfparity/variables';
import { BackwardScopes } from './trace-backward.js';

/** A kernel's inputs as tfjs passes them: by name, or (Concat, AddN, Pack) in an array. */
export type KernelInputs = tf.NamedTensorMap | tf.Tensor[];

/** One outermost call of `engine().runKernel`. */
export interface KernelCall {
  readonly kernel: string;
  readonly inputs: KernelInputs;
  readonly attrs: Readonly<Record<string, unknown>>;
  /** Op name scope without its trailing slash. */
  readonly scope: string;
}

/** Computes a call with TensorFlow.js itself, with other inputs or attributes if they are given. Nobody observes it. */
export type RunCall = (changed?: Partial<Pick<KernelCall, 'kernel' | 'inputs' | 'attrs'>>) => tf.Tensor[];

/** Sees what a program computes, and may put something else in its place. */
export interface KernelObserver {
  /** Returns the call's outputs: those of `run()`, or others of the same number. */
  kernel(call: KernelCall, run: RunCall): tf.Tensor[];
  /** Called where TensorFlow.js keeps a copy for the backward pass: the same values under another tensor. */
  handedOn?(from: tf.Tensor, to: tf.Tensor): void;
  /** Called after a variable was assigned to. */
  assigned?(variable: tf.Variable, value: tf.Tensor, scope: string): void;
}

type RunKernel = ReturnType<typeof tf.engine>['runKernel'];

/** Inputs of a call in order, by name. */
export function namedInputs(inputs: KernelInputs): [string, tf.Tensor][] {
  return Object.entries(inputs as Record<string, tf.Tensor | undefined>).filter(
    (entry): entry is [string, tf.Tensor] => entry[1] instanceof tf.Tensor,
  );
}

/** The same inputs with tensors replaced, in the form that the kernel takes. */
export function replaceInputs(
  inputs: KernelInputs,
  replace: (tensor: tf.Tensor, name: string) => tf.Tensor,
): KernelInputs {
  if (Array.isArray(inputs)) return inputs.map((tensor, i) => replace(tensor, String(i)));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => [
      name,
      tensor instanceof tf.Tensor ? replace(tensor, name) : tensor,
    ]),
  ) as tf.NamedTensorMap;
}

/** Variables that a run assigned to, with the values from before. */
class Undo {
  private readonly before = new Map<tf.Variable, tf.Tensor>();

  note(variable: tf.Variable): void {
    if (!variable.isDisposed && !this.before.has(variable)) this.before.set(variable, tf.keep(tf.clone(variable)));
  }

  restore(): void {
    for (const [variable, value] of this.before) {
      if (!variable.isDisposed) variable.assign(value);
      value.dispose();
    }
    this.before.clear();
  }
}

/**
 * Runs `body` with `observer` in front of every outermost kernel call, and puts back the variables that it assigned to,
 * so that the next run computes the same.
 *
 * Kernels that make initial values of variables are not shown: they are no part of what a model computes.
 */
export async function observeKernels<T>(observer: KernelObserver, body: () => T | Promise<T>): Promise<T> {
  const engine = tf.engine();
  const next = engine.runKernel;
  const { assign } = tf.Variable.prototype;
  const undo = new Undo();
  let paused = 0;
  const unobserved = <R>(run: () => R): R => {
    paused++;
    try {
      return run();
    } finally {
      paused--;
    }
  };
  const backward = new BackwardScopes();
  const handOn = (kernel: string, inputs: tf.NamedTensorMap, output: tf.Tensor | tf.Tensor[]) => {
    if (open && kernel === 'Identity' && !Array.isArray(output)) observer.handedOn?.(inputs['x'] as tf.Tensor, output);
  };
  let open = true;
  const observed: RunKernel = <R extends tf.Tensor | tf.Tensor[]>(
    kernel: string,
    inputs: tf.NamedTensorMap,
    attrs?: tf.NamedAttrMap,
  ): R => {
    const pass = !open || paused > 0 || engine.backendName === 'tfparity-graph';
    if (pass) {
      const output = next.call(engine, kernel, inputs, attrs) as R;
      if (paused > 0) handOn(kernel, inputs, output);
      return output;
    }
    let single = true;
    const run: RunCall = (changed = {}) => {
      const { kernel: name = kernel, inputs: given = inputs, attrs: settings = attrs } = changed;
      const result = next.call(engine, name, given as tf.NamedTensorMap, settings as tf.NamedAttrMap);
      single = !Array.isArray(result);
      return [result].flat();
    };
    const call = { kernel, inputs, attrs: attrs ?? {}, scope: backward.scope() ?? programScope() };
    backward.called(kernel, call.scope);
    const outputs = unobserved(() => observer.kernel(call, run));
    return (single && outputs.length === 1 ? outputs[0] : outputs) as R;
  };
  engine.runKernel = observed;
  tf.Variable.prototype.assign = function (value: tf.Tensor): void {
    if (paused === 0) unobserved(() => undo.note(this));
    assign.call(this, value);
    if (paused === 0) unobserved(() => observer.assigned?.(this, value, programScope()));
  };
  const creators = variableCreatorScope((create, options) => unobserved(() => create(options)));
  engine.startScope('trace');
  try {
    return await body();
  } finally {
    open = false;
    engine.endScope();
    creators[Symbol.dispose]();
    backward[Symbol.dispose]();
    tf.Variable.prototype.assign = assign;
    // Something else may have been put in front meanwhile; then this stays behind it and passes everything on.
    if (engine.runKernel === observed) engine.runKernel = next;
    undo.restore();
  }
}
