import * as tf from '@tensorflow/tfjs-core';
import { currentContext, getVariableScope, variableCreatorScope } from '@tfparity/variables';

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
  /** Called after a variable was assigned to. */
  assigned?(variable: tf.Variable, value: tf.Tensor, scope: string): void;
}

type RunKernel = ReturnType<typeof tf.engine>['runKernel'];

const withoutNumber = (scope: string) => scope.slice(scope.lastIndexOf('/') + 1).replace(/_\d+$/, '');

/**
 * Where the program is: its variable scope where the op name scope ends alike (those of eager code are not numbered, and
 * a scope that is opened again by its object is nested in itself), else the op name scope.
 */
export function scopeNow(): string {
  const names = currentContext().names.current.replace(/\/$/, '');
  const variables = getVariableScope().name;
  return variables !== '' && withoutNumber(names) === withoutNumber(variables) ? variables : names;
}

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
  let open = true;
  const observed: RunKernel = <R extends tf.Tensor | tf.Tensor[]>(
    kernel: string,
    inputs: tf.NamedTensorMap,
    attrs?: tf.NamedAttrMap,
  ): R => {
    const pass = !open || paused > 0 || engine.backendName === 'tfparity-graph';
    if (pass) return next.call(engine, kernel, inputs, attrs) as R;
    let single = true;
    const run: RunCall = (changed = {}) => {
      const { kernel: name = kernel, inputs: given = inputs, attrs: settings = attrs } = changed;
      const result = next.call(engine, name, given as tf.NamedTensorMap, settings as tf.NamedAttrMap);
      single = !Array.isArray(result);
      return [result].flat();
    };
    const call = { kernel, inputs, attrs: attrs ?? {}, scope: scopeNow() };
    const outputs = unobserved(() => observer.kernel(call, run));
    return (single && outputs.length === 1 ? outputs[0] : outputs) as R;
  };
  engine.runKernel = observed;
  tf.Variable.prototype.assign = function (value: tf.Tensor): void {
    if (paused === 0) unobserved(() => undo.note(this));
    assign.call(this, value);
    if (paused === 0) unobserved(() => observer.assigned?.(this, value, scopeNow()));
  };
  const creators = variableCreatorScope((create, options) => unobserved(() => create(options)));
  engine.startScope('trace');
  try {
    return await body();
  } finally {
    open = false;
    engine.endScope();
    creators[Symbol.dispose]();
    tf.Variable.prototype.assign = assign;
    // Something else may have been put in front meanwhile; then this stays behind it and passes everything on.
    if (engine.runKernel === observed) engine.runKernel = next;
    undo.restore();
  }
}
