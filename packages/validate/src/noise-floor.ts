import * as tf from '@tensorflow/tfjs-core';
import type { Trace } from './trace.js';
import { copyOf, enterBackend, type TraceSide, tensorsOf } from './trace-capture.js';
import { observeKernels, replaceInputs } from './trace-kernels.js';

/** How noise runs are made. */
export interface NoiseOptions {
  /** How many perturbed runs. Default 3. */
  readonly runs?: number;
  /** Default 1. */
  readonly seed?: number;
}

/** Root mean square of what inputs and weights one ulp off change at each end point: the greatest of the runs, by name. */
export type NoiseFloor = ReadonlyMap<string, number>;

/** Marsaglia's xorshift32: a reproducible stream of words. */
function randomWords(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}

/** Moves each finite float32 that is not 0 one representable value up or down. */
export function perturb(values: Float32Array, next: () => number): Float32Array {
  const moved = values.slice();
  const bits = new Int32Array(moved.buffer);
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude === 0 || magnitude >= 0x7f7fffff) continue;
    bits[i]! += next() & 1 ? 1 : -1;
  }
  return moved;
}

/** A source of the program: a variable, or a value that no kernel of this run made. Single numbers are settings. */
class Perturbation {
  private readonly made = new Map<object, tf.Tensor>();
  private readonly computed = new WeakSet<object>();

  constructor(private readonly next: () => number) {}

  note(outputs: readonly tf.Tensor[]): void {
    for (const { dataId } of outputs) this.computed.add(dataId);
  }

  of(tensor: tf.Tensor): tf.Tensor {
    if (tensor.dtype !== 'float32' || tensor.size < 2 || this.computed.has(tensor.dataId)) return tensor;
    let moved = this.made.get(tensor.dataId);
    if (moved === undefined) {
      moved = tf.keep(tf.tensor(perturb(copyOf(tensor).data as Float32Array, this.next), tensor.shape, 'float32'));
      this.made.set(tensor.dataId, moved);
    }
    return moved.shape.join() === tensor.shape.join() ? moved : tf.reshape(moved, tensor.shape);
  }

  free(): void {
    for (const tensor of this.made.values()) tensor.dispose();
  }
}

function rmsDifference(a: Float32Array, b: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) {
    const distance = a[i]! - b[i]!;
    if (Number.isFinite(distance)) squares += distance * distance;
  }
  return Math.sqrt(squares / Math.max(1, a.length));
}

/**
 * Runs a side several times with every input and weight moved by one ulp, up or down at random (seeded), and measures
 * how far its end points move from `base`: what no implementation with other roundings can be expected to undercut.
 */
export async function noiseFloor(
  side: TraceSide,
  base: Trace,
  { runs = 3, seed = 1 }: NoiseOptions = {},
): Promise<NoiseFloor> {
  const floor = new Map<string, number>();
  const points = new Map(base.endPoints.map((point) => [point.name, point.value]));
  await enterBackend(side);
  for (let run = 0; run < runs; run++) {
    const perturbation = new Perturbation(randomWords(seed + run));
    await observeKernels(
      {
        kernel: (call, compute) => {
          const outputs = compute({ inputs: replaceInputs(call.inputs, (tensor) => perturbation.of(tensor)) });
          perturbation.note(outputs);
          return outputs;
        },
        assigned: (variable) => perturbation.note([variable]),
      },
      async () => {
        for (const [name, tensor] of tensorsOf(await side.run())) {
          const value = points.get(name);
          if (value === undefined) continue;
          const moved = rmsDifference(copyOf(tensor).data as Float32Array, value.data as Float32Array);
          floor.set(name, Math.max(floor.get(name) ?? 0, moved));
        }
      },
    );
    perturbation.free();
  }
  return floor;
}
