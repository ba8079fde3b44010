import * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { roundingBound } from './rounding-bounds.js';
import type { TraceOp } from './trace.js';
import { copyOf } from './trace-capture.js';
import { type KernelCall, type KernelInputs, namedInputs, type RunCall } from './trace-kernels.js';
import { judgeIsolated } from './triage-difference.js';
import type { IsolatedDifference } from './triage-report.js';

/** `tf.tidy` around a body that returns no tensors. */
export function tidied<T>(body: () => T): T {
  const engine = tf.engine();
  engine.startScope();
  try {
    return body();
  } finally {
    engine.endScope();
  }
}

interface Current {
  backendName: string;
  backendInstance: tf.KernelBackend;
}

/** Runs `body` on a backend that was set up before, and goes back. */
export function onBackend<T>(name: string | null, body: () => T): T {
  const engine = tf.engine() as unknown as Current;
  const { backendName, backendInstance } = engine;
  if (name === null || name === backendName) return body();
  engine.backendName = name;
  engine.backendInstance = tf.findBackend(name);
  try {
    return body();
  } finally {
    engine.backendName = backendName;
    engine.backendInstance = backendInstance;
  }
}

const toTensor = ({ data, shape, dtype }: NdArray): tf.Tensor =>
  tf.tensor((data as Float32Array).slice(), [...shape], dtype as tf.DataType);

/**
 * The inputs of a migrated op as the reference has them: its values where both ops take the same ones, the migrated
 * side's where a variable, constant or input is not the reference's.
 *
 * @param order  which of the reference op's inputs each one is
 * @param own    inputs whose values are the migrated side's
 */
function inputsFor(
  op: TraceOp,
  call: KernelCall,
  order: readonly number[],
  own: ReadonlySet<number>,
  elsewhere: boolean,
): KernelInputs | null {
  const reference = namedInputs(call.inputs).map(([, tensor]) => tensor);
  const tensors: tf.Tensor[] = [];
  for (const [j, input] of op.inputs.entries()) {
    if (own.has(j)) {
      if (input.value === undefined) return null;
      tensors.push(toTensor(input.value));
      continue;
    }
    const from = reference[order[j]!];
    if (from === undefined) return null;
    tensors.push(elsewhere ? toTensor(copyOf(from)) : from);
  }
  if (op.inputs.every(({ name }) => /^\d+$/.test(name))) return tensors;
  return Object.fromEntries(op.inputs.map(({ name }, j) => [name, tensors[j]!])) as tf.NamedTensorMap;
}

/** What is needed to run a migrated op alone. */
export interface IsolationRequest {
  readonly op: TraceOp;
  readonly order: readonly number[];
  readonly own: ReadonlySet<number>;
  readonly backend: string | null;
}

/**
 * Runs the migrated side's op on the reference's inputs and judges what it gives against what the reference computed.
 * null: it cannot be run alone, for a value that it needs was not kept.
 */
export function isolate(
  { op, order, own, backend }: IsolationRequest,
  call: KernelCall,
  outputs: readonly tf.Tensor[],
  run: RunCall,
): IsolatedDifference | null {
  const elsewhere = backend !== null && backend !== tf.getBackend();
  const count = op.outputs.length;
  const references = outputs.slice(0, count).map(copyOf);
  const others = onBackend(backend, () =>
    tidied(() => {
      const inputs = inputsFor(op, call, order, own, elsewhere);
      if (inputs === null) return null;
      try {
        return run({ kernel: op.kernel, inputs, attrs: op.attrs }).slice(0, count).map(copyOf);
      } catch (error) {
        return (error as Error).message;
      }
    }),
  );
  if (others === null) return null;
  if (typeof others === 'string') {
    const none = { maxAbsolute: 0, relativeL2: null, nonFinite: 0, sampled: false };
    const reason = `cannot take the reference's inputs: ${others}`;
    return { ...none, verdict: 'different', shareOfBound: null, bound: '', reason };
  }
  return judgeIsolated(others, references, () => tidied(() => roundingBound(call, outputs, run)));
}
