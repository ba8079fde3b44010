import type * as tf from '@tensorflow/tfjs-core';
import type { NdArray } from '@tfparity/array';
import { roundingBound } from './rounding-bounds.js';
import type { RoundingFloor } from './rounding-floor.js';
import { type ShadowArray, shadowOf } from './shadow-array.js';
import { shadowKernel } from './shadow-kernels.js';
import type { Trace, TraceOp } from './trace.js';
import { copyOf, enterBackend, type TraceSide, tensorsOf } from './trace-capture.js';
import { type KernelCall, namedInputs, observeKernels } from './trace-kernels.js';
import { judgeIsolated } from './triage-difference.js';
import { tidied } from './triage-isolation.js';
import type { IsolatedDifference } from './triage-report.js';

const isNumeric = ({ dtype }: tf.Tensor) => dtype === 'float32' || dtype === 'int32' || dtype === 'bool';

const rounded = ({ shape, data }: ShadowArray, { dtype }: NdArray): NdArray => ({
  dtype,
  shape,
  data:
    dtype === 'float32' ? Float32Array.from(data) : dtype === 'int32' ? Int32Array.from(data) : Uint8Array.from(data),
});

function compute(call: KernelCall, inputs: Readonly<Record<string, ShadowArray>>, outputs: readonly tf.Tensor[]) {
  return shadowKernel(call.kernel, call.attrs)?.(inputs, call.attrs, outputs[0]!.shape);
}

/** An op held against the same arithmetic in double precision. */
export interface ShadowCheck {
  readonly op: TraceOp;
  readonly isolated: IsolatedDifference;
}

/**
 * Runs a side, and each of its ops once more in double precision on the inputs that it had: what no rounding explains is
 * a fault of the kernel itself. Ops that have no double-precision version are left out.
 *
 * @param floor  is shown every op on the way
 */
export async function checkAgainstShadow(
  side: TraceSide,
  trace: Trace,
  floor?: Pick<RoundingFloor, 'note'>,
): Promise<ShadowCheck[]> {
  const checks: ShadowCheck[] = [];
  let index = 0;
  await enterBackend(side);
  await observeKernels(
    {
      kernel: (call, run) => {
        const outputs = run();
        if (call.kernel === 'Identity') return outputs;
        const op = trace.ops[index++];
        if (op !== undefined) floor?.note(op, call, outputs, run);
        const entries = namedInputs(call.inputs);
        if (op === undefined || !entries.every(([, tensor]) => isNumeric(tensor)) || !outputs.every(isNumeric))
          return outputs;
        const inputs = Object.fromEntries(entries.map(([name, tensor]) => [name, shadowOf(copyOf(tensor))]));
        const exact = compute(call, inputs, outputs);
        if (exact === undefined) return outputs;
        const computed = outputs.slice(0, exact.length).map(copyOf);
        const references = exact.map((shadow, k) => rounded(shadow, computed[k]!));
        const bound = () => tidied(() => roundingBound(call, outputs, run));
        checks.push({ op, isolated: judgeIsolated(computed, references, bound) });
        return outputs;
      },
      assigned: () => {
        index++;
      },
    },
    async () => {
      await side.run();
    },
  );
  return checks;
}

/**
 * Runs a side with every op computed in double precision beside it, from the same inputs and weights, and gives the end
 * points as they would be without rounding. Kernels that have no double-precision version are taken as they are.
 */
export async function shadowRun(side: TraceSide): Promise<ReadonlyMap<string, ShadowArray>> {
  const shadows = new WeakMap<object, Float64Array>();
  const of = (tensor: tf.Tensor): ShadowArray => {
    const data = shadows.get(tensor.dataId);
    return data === undefined ? shadowOf(copyOf(tensor)) : { shape: tensor.shape, data };
  };
  const points = new Map<string, ShadowArray>();
  await enterBackend(side);
  await observeKernels(
    {
      kernel: (call, run) => {
        const outputs = run();
        const entries = namedInputs(call.inputs);
        if (!entries.every(([, tensor]) => isNumeric(tensor)) || !outputs.every(isNumeric)) return outputs;
        const exact = compute(call, Object.fromEntries(entries.map(([name, tensor]) => [name, of(tensor)])), outputs);
        exact?.forEach((shadow, k) => {
          const output = outputs[k];
          if (output !== undefined) shadows.set(output.dataId, shadow.data);
        });
        return outputs;
      },
    },
    async () => {
      for (const [name, tensor] of tensorsOf(await side.run())) points.set(name, of(tensor));
    },
  );
  return points;
}
