import * as tf from '@tensorflow/tfjs-core';
import { type RoundingBound, roundingBound } from './rounding-bounds.js';
import type { Trace, TraceOp } from './trace.js';
import { copyOf } from './trace-capture.js';
import { type KernelCall, namedInputs, type RunCall, replaceInputs } from './trace-kernels.js';
import { tidied } from './triage-isolation.js';

/** Kernels of one input that move no two values further apart, element by element: a bound holds behind them too. */
const KEEPS_BOUND = new Set('Identity Relu Relu6 Abs Neg ClipByValue LeakyRelu'.split(' '));

/** Kernels that move or choose values, so that they do with bounds what they do with values. */
const MOVES_BOUND = new Set(
  (
    'Reshape Concat Transpose Slice StridedSlice SplitV Pack Unpack Tile Reverse ExpandDims Squeeze PadV2 MaxPool ' +
    'MaxPool3D Max Maximum'
  ).split(' '),
);

const carries = (kernel: string) => KEEPS_BOUND.has(kernel) || MOVES_BOUND.has(kernel);

/** The ops whose own rounding reaches an end point through nothing but ops that round nothing. */
function opsBefore({ ops, endPoints }: Trace): ReadonlySet<number> {
  const wanted = new Set<number>();
  const open = endPoints.flatMap(({ op }) => (op >= 0 ? [op] : []));
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (wanted.has(at)) continue;
    wanted.add(at);
    const { kernel, inputs } = ops[at]!;
    if (!carries(kernel)) continue;
    for (const { origin } of inputs) if (origin.kind === 'op') open.push(origin.op);
  }
  return wanted;
}

const valuesOf = (bound: Float64Array | number, size: number): Float32Array =>
  typeof bound === 'number' ? new Float32Array(size).fill(bound) : Float32Array.from(bound);

const rmsOf = (values: Float32Array) =>
  Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / Math.max(1, values.length));

/**
 * What the rounding of one op alone can move at each end point: of the op that computed it or, behind an activation, a
 * pool or a concatenation, of the ops before that. Errors of earlier ops are not in it, so it is a floor: no two right
 * implementations need be nearer to each other. It matters where an op cancels nearly all of its input: the mean of a
 * constant, subtracted from it, leaves nothing but the error of the mean.
 */
export class RoundingFloor {
  private readonly wanted: ReadonlySet<number>;
  private readonly bounds = new Map<number, Float32Array[]>();

  constructor(private readonly trace: Trace) {
    this.wanted = opsBefore(trace);
  }

  /** Takes an op as it is computed. */
  note(op: TraceOp, call: KernelCall, outputs: readonly tf.Tensor[], run: RunCall): void {
    if (!this.wanted.has(op.index) || outputs[0]?.dtype !== 'float32') return;
    const bounds = carries(op.kernel)
      ? this.carried(op, call, outputs, run)
      : tidied((): RoundingBound => roundingBound(call, outputs, run)).outputs.map((bound, k) =>
          valuesOf(bound, outputs[k]?.size ?? 0),
        );
    this.bounds.set(op.index, bounds);
  }

  private carried(op: TraceOp, call: KernelCall, outputs: readonly tf.Tensor[], run: RunCall): Float32Array[] {
    const before = op.inputs.map(({ origin }) =>
      origin.kind === 'op' ? this.bounds.get(origin.op)?.[origin.output] : undefined,
    );
    if (KEEPS_BOUND.has(op.kernel)) return [before[0] ?? new Float32Array(outputs[0]!.size)];
    return tidied(() => {
      const names = namedInputs(call.inputs).map(([name]) => name);
      const inputs = replaceInputs(call.inputs, (tensor, at) => {
        const bound = before[names.indexOf(at)];
        if (tensor.dtype !== 'float32') return tensor;
        return bound === undefined ? tf.zerosLike(tensor) : tf.tensor(bound, tensor.shape, 'float32');
      });
      const attrs = 'constantValue' in call.attrs ? { ...call.attrs, constantValue: 0 } : call.attrs;
      return run({ inputs, attrs }).map((tensor) => copyOf(tensor).data as Float32Array);
    });
  }

  /** Root mean square of the bound at each end point, by name; those that no float op computed are left out. */
  atEndPoints(): ReadonlyMap<string, number> {
    const floor = new Map<string, number>();
    for (const { name, op } of this.trace.endPoints) {
      const bound = this.bounds.get(op)?.[0];
      if (bound !== undefined) floor.set(name, rmsOf(bound));
    }
    return floor;
  }
}
