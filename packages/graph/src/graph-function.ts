// tf.function (python/eager/polymorphic_function/polymorphic_function.py, TF 2.21). Departures: the trace that makes
// variables is the one that runs, no second trace follows it; JavaScript's control flow is not rewritten.
import type * as tf from '@tensorflow/tfjs-core';
import { callSignature, type TensorSpec } from './call-signature.js';
import { FunctionTrace } from './function-trace.js';
import { GraphError } from './graph-error.js';
import type { OptimizerReport } from './optimize/optimizer.js';
import { currentGraph } from './recording.js';
import type { SessionOptions } from './session.js';

export type { TensorSpec } from './call-signature.js';

/** How a function is traced and run. */
export interface GraphFunctionOptions extends SessionOptions {
  /** What every call's tensors must be, in their order; with it sizes that are null need no new trace. */
  readonly inputSignature?: readonly TensorSpec[];
}

/** A function that runs as a graph; called as the function that it was made of. */
export interface GraphFunction<A extends readonly unknown[], R> extends Disposable {
  (...args: A): R;
  /** How often the body has been traced (`experimental_get_tracing_count`). */
  readonly tracingCount: number;
  /** What the optimizer did to the last call; undefined before the first, or without one. */
  readonly optimizerReport: OptimizerReport | undefined;
  /** Frees the graphs with the state of their random ops; variables that the body made stay. */
  dispose(): void;
}

/**
 * Makes a function whose body is traced into a graph once for each signature of its arguments, as `tf.function` does,
 * and computed by a session from then on.
 *
 * A signature is the dtypes and shapes of tensors, the values of numbers, strings and plain objects of them, and the
 * identity of variables and all other objects. Variables are read and assigned when a call runs; other tensors of
 * outside are constants of the trace. Variables may be made by the first trace only. Random ops keep their state from
 * call to call. Inside a graph, or another such function, the body is recorded as a part of it. Gradients are taken
 * inside the body, not around it.
 *
 * @throws {GraphError} when called: `VariableCreated` in TensorFlow's words, `WrongValue`, and what `Session.run` throws
 */
export function graphFunction<A extends readonly unknown[], R extends tf.TensorContainer>(
  body: (...args: A) => R,
  options: GraphFunctionOptions = {},
): GraphFunction<A, R> {
  const traces = new Map<string, FunctionTrace>();
  let tracingCount = 0;
  let closed = false;
  let last: FunctionTrace | undefined;
  const call = (...args: A): R => {
    if (closed) throw new GraphError('Closed', 'a graph function is called that was disposed of');
    if (currentGraph() !== undefined) return body(...args);
    const signature = callSignature(args, options.inputSignature);
    let trace = traces.get(signature.key);
    if (trace === undefined) {
      // A trace that fails is none: the next one may make the variables.
      trace = new FunctionTrace(body as (...args: never[]) => unknown, args, signature, tracingCount === 0, options);
      tracingCount += 1;
      traces.set(signature.key, trace);
    }
    last = trace;
    return trace.run(signature.tensors) as R;
  };
  const dispose = (): void => {
    for (const trace of traces.values()) trace.close();
    traces.clear();
    closed = true;
  };
  return Object.defineProperties(call, {
    tracingCount: { get: () => tracingCount },
    optimizerReport: { get: () => last?.optimizerReport },
    dispose: { value: dispose },
    [Symbol.dispose]: { value: dispose },
  }) as GraphFunction<A, R>;
}
