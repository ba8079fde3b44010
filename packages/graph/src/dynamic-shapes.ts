import type * as tf from '@tensorflow/tfjs-core';
import type { Operation } from './operation.js';

/** Attributes that hold a shape, and so may hold a sample size that a placeholder was recorded with. */
const SHAPES = ['shape', 'inputShape', 'size', 'reps'];

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, axis) => size * axis, 1);

/**
 * The attributes of an op whose inputs have other sizes than were recorded.
 *
 * `Reshape` scales its leading axis by as much as the input grew; other shapes take over the leading size where they
 * held the one that was recorded. That serves unknown batch sizes; other unknown sizes end in the kernel's own error.
 */
export function adaptedAttrs(op: Operation, inputs: readonly tf.Tensor[]): Readonly<Record<string, unknown>> {
  const first = op.inputs[0];
  const actual = inputs[0]?.shape;
  if (first === undefined || actual === undefined) return op.attrs;
  const recorded = first.op.outputInfos[first.index]!.shape;
  if (actual.every((axis, i) => axis === recorded[i])) return op.attrs;
  const adapted: Record<string, unknown> = { ...op.attrs };
  for (const name of SHAPES) {
    const shape = op.attrs[name];
    if (!Array.isArray(shape) || shape.length === 0) continue;
    const sizes = shape as number[];
    const leading =
      op.type === 'Reshape'
        ? (sizes[0]! * sizeOf(actual)) / sizeOf(recorded)
        : sizes[0] === recorded[0]
          ? actual[0]!
          : sizes[0]!;
    if (Number.isInteger(leading)) adapted[name] = [leading, ...sizes.slice(1)];
  }
  return adapted;
}
