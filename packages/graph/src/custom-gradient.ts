// Ports the recording of tf.custom_gradient (python/ops/custom_gradient.py, TF 2.21: _graph_mode_decorator) for tfjs's tf.customGrad.
import * as tf from '@tensorflow/tfjs-core';
import type { Graph } from './graph.js';
import { type Operation, type OutputRef, symbolOf } from './operation.js';

/** A call of a function with a gradient of its own, as it was recorded. */
export interface CustomGradient {
  readonly inputs: readonly OutputRef[];
  readonly output: OutputRef;
  /** The ops that the function made, whose own gradients do not count. */
  readonly operations: readonly Operation[];
  /** Records the function's own gradient: one tensor per input. */
  gradient(dy: tf.Tensor): tf.Tensor[];
}

type Save = (tensors: tf.Tensor[]) => void;

/** How tfjs runs a function made by `tf.customGrad`; a kernel's call has its name in the place of the function. */
interface CustomCall {
  readonly forwardFunc?: (backend: tf.KernelBackend, save: Save) => tf.Tensor;
  readonly backwardsFunc?: (dy: tf.Tensor, saved: tf.Tensor[]) => Record<string, () => tf.Tensor>;
  readonly inputs: Record<string, tf.Tensor>;
}

/** The engine's function behind `tf.customGrad` and kernels, which its types keep to themselves. */
interface KernelEngine {
  runKernelFunc(call: CustomCall): tf.Tensor;
}

const recorded = new WeakMap<Graph, CustomGradient[]>();

/** The calls of functions made by `tf.customGrad` in a graph, inner ones before those that they are part of. */
export function customGradientsOf(graph: Graph): readonly CustomGradient[] {
  return recorded.get(graph) ?? [];
}

let recordingRun: KernelEngine['runKernelFunc'] | undefined;

/** Puts this package in front of the engine's `runKernelFunc`; kernels and eager code pass straight on. */
export function wrapCustomGradients(currentGraph: () => Graph | undefined): void {
  const engine = tf.engine() as unknown as KernelEngine;
  if (engine.runKernelFunc === recordingRun) return;
  const next = engine.runKernelFunc;
  recordingRun = (call) => {
    const graph = call.forwardFunc === undefined ? undefined : currentGraph();
    if (graph === undefined) return next.call(engine, call);
    return recordCall(graph, call, (own) => next.call(engine, own));
  };
  engine.runKernelFunc = recordingRun;
}

function recordCall(graph: Graph, call: CustomCall, run: (call: CustomCall) => tf.Tensor): tf.Tensor {
  const { forwardFunc, backwardsFunc, inputs } = call;
  const refs = Object.values(inputs).map((input) => graph.symbolize(input));
  const first = graph.operations.length;
  let saved: tf.Tensor[] = [];
  const value = run({
    ...call,
    forwardFunc: (backend, save) => {
      const made = forwardFunc!(backend, (tensors) => {
        saved = tensors;
        save(tensors);
      });
      return ownOutput(graph, made, first, refs);
    },
  });
  const output = symbolOf(value);
  if (output !== undefined && backwardsFunc !== undefined) {
    const calls = recorded.get(graph) ?? [];
    recorded.set(graph, calls);
    const operations = graph.operations.slice(first);
    const gradient = (dy: tf.Tensor) => Object.values(backwardsFunc(dy, saved)).map((compute) => compute());
    calls.push({ inputs: refs, output, operations, gradient });
  }
  return value;
}

/** The value as the output of an op of the call's own: a function may return its input, with another gradient. */
function ownOutput(graph: Graph, value: tf.Tensor, first: number, inputs: readonly OutputRef[]): tf.Tensor {
  const symbol = symbolOf(value);
  if ((symbol !== undefined && symbol.op.id >= first) || inputs.length === 0) return value;
  // A clone is an op of its own only where it has ops to wait for.
  const leave = graph.enterControlDependencies([inputs[0]!.op]);
  try {
    return tf.clone(value);
  } finally {
    leave();
  }
}
