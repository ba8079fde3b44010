import * as tf from '@tensorflow/tfjs-core';
import { formatShape, type NdArray, sameShape } from '@tfparity/array';
import type { Trace, TraceOp } from './trace.js';
import { copyOf, enterBackend, type TraceSide, tensorsOf } from './trace-capture.js';
import { observeKernels } from './trace-kernels.js';
import { ValidateError } from './validate-error.js';

/** What an ablation runs. */
export interface AblationOptions {
  /** Values put in the place of what these ops or end points compute, by name. */
  readonly inputs: Readonly<Record<string, NdArray>>;
  /** Ops or end points whose values are wanted. Default: everything that the side returns. */
  readonly outputs?: readonly string[];
}

/** The op that an op's or end point's name stands for. */
function opNamed(trace: Trace, name: string): TraceOp {
  const point = trace.endPoints.find((p) => p.name === name);
  const op = point === undefined ? trace.ops.find((o) => o.name === name) : trace.ops[point.op];
  if (op !== undefined) return op;
  throw new ValidateError('InvalidArgument', `${trace.name} has no op and no end point '${name}'`, { name });
}

function checkShape({ shape }: NdArray, op: TraceOp): void {
  const wanted = op.outputs[0]!.shape;
  if (sameShape(shape, wanted)) return;
  const message = `${op.name} computes ${formatShape(wanted)}; what is to stand for it is ${formatShape(shape)}`;
  throw new ValidateError('InvalidArgument', message, { op: op.name, shape, expected: wanted });
}

/** Thrown through a program that has computed all that is wanted of it. */
class Enough extends Error {}

/**
 * Runs only a part of a side: what lies between fixed intermediate values and the wanted outputs.
 *
 * `trace` is of the same side and tells its ops by their names. Ops that nothing wanted depends on are not computed:
 * zeros stand for them.
 * @throws {ValidateError} `InvalidArgument` for a name that the trace does not have, or values of another shape
 */
export async function ablate(
  side: TraceSide,
  trace: Trace,
  { inputs, outputs }: AblationOptions,
): Promise<Record<string, NdArray>> {
  const fixed = new Map<number, NdArray>();
  for (const [name, value] of Object.entries(inputs)) {
    const op = opNamed(trace, name);
    checkShape(value, op);
    fixed.set(op.index, value);
  }
  const wanted = new Map(outputs?.map((name) => [opNamed(trace, name).index, name]));
  const needed = neededOps(
    trace,
    fixed,
    outputs === undefined ? trace.endPoints.map(({ op }) => op) : [...wanted.keys()],
  );
  const last = outputs === undefined ? Number.POSITIVE_INFINITY : Math.max(...wanted.keys());
  const values: Record<string, NdArray> = {};
  let index = 0;
  await enterBackend(side);
  const done = (at: number, computed: readonly tf.Tensor[]) => {
    const name = wanted.get(at);
    if (name !== undefined) values[name] = copyOf(computed[0]!);
    if (at >= last) throw new Enough();
  };
  const program = observeKernels(
    {
      kernel: (call, run) => {
        if (call.kernel === 'Identity') return run();
        const op = trace.ops[index++]!;
        const value = fixed.get(op.index);
        const computed = needed.has(op.index) ? run() : standIns(op, run);
        if (value !== undefined)
          computed[0] = tf.tensor((value.data as Float32Array).slice(), [...value.shape], computed[0]!.dtype);
        done(op.index, computed);
        return computed;
      },
      assigned: () => {
        index++;
      },
    },
    async () => {
      const returned = await side.run();
      if (outputs === undefined) for (const [name, tensor] of tensorsOf(returned)) values[name] = copyOf(tensor);
    },
  );
  await program.catch((error: unknown) => {
    if (!(error instanceof Enough)) throw error;
  });
  return values;
}

/** What has to be computed for `outputs` when the fixed values are given. */
function neededOps(trace: Trace, fixed: ReadonlyMap<number, NdArray>, outputs: readonly number[]): ReadonlySet<number> {
  const needed = new Set<number>();
  const open = outputs.filter((op) => op >= 0 && !fixed.has(op));
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (needed.has(at)) continue;
    needed.add(at);
    for (const { origin } of trace.ops[at]!.inputs) {
      if (origin.kind === 'op' && !fixed.has(origin.op)) open.push(origin.op);
    }
  }
  return needed;
}

/** Zeros in the place of what nobody needs; a kernel whose hidden outputs are not known is computed after all. */
function standIns({ outputs, kernel }: TraceOp, run: () => tf.Tensor[]): tf.Tensor[] {
  if (kernel.startsWith('FusedBatchNorm') || kernel === 'Unpack' || kernel === 'SplitV') return run();
  return outputs.map(({ shape, dtype }) => tf.zeros([...shape], dtype as tf.DataType));
}
