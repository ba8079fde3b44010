import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { VariablesError } from './errors.js';

/** Two sizes for a dimension that is not known: where they give different outputs, the output is not known either. */
const UNKNOWN_SIZES = [96, 128] as const;

function isShapeList(shape: Shape | Shape[]): shape is Shape[] {
  return Array.isArray(shape[0]);
}

/** Runs `body` while no variable changes: tracing must leave moving averages and the like as they are. */
export function withoutAssignments<R>(body: () => R): R {
  const prototype = tf.Variable.prototype;
  const { assign } = prototype;
  prototype.assign = () => {};
  try {
    return body();
  } finally {
    prototype.assign = assign;
  }
}

function shapesOf(output: unknown, layerName: string): number[][] {
  const list = Array.isArray(output) ? output : [output];
  return list.map((value: unknown) => {
    if (value instanceof tf.Tensor) return [...value.shape];
    throw new VariablesError(
      'TypeError',
      `Layer ${layerName} returned ${typeof value === 'object' ? 'an object' : typeof value} from call(); in a ` +
        'functional model it must return a tensor or an array of tensors, for tf.model knows no others.',
      { layer: layerName },
    );
  });
}

/**
 * The output shape of a forward pass, found by running it on zeros: with batch 1 where the batch is not known.
 *
 * Variables that the forward pass makes stay, at their initial values; nothing is assigned.
 */
export function traceOutputShape(
  call: (inputs: tf.Tensor | tf.Tensor[]) => unknown,
  inputShape: Shape | Shape[],
  dtypes: readonly tf.DataType[],
  layerName: string,
): Shape | Shape[] {
  const many = isShapeList(inputShape);
  const shapes = many ? inputShape : [inputShape];
  const run = (unknown: number): { list: boolean; shapes: number[][] } =>
    tf.tidy(() =>
      withoutAssignments(() => {
        const inputs = shapes.map((shape, i) =>
          tf.zeros(
            shape.map((size, axis) => size ?? (axis === 0 ? 1 : unknown)),
            dtypes[i] ?? 'float32',
          ),
        );
        const output = call(many ? inputs : (inputs[0] as tf.Tensor));
        return { list: Array.isArray(output), shapes: shapesOf(output, layerName) };
      }),
    );
  const first = run(UNKNOWN_SIZES[0]);
  const open = shapes.some((shape) => shape.some((size, axis) => axis > 0 && size === null));
  const second = open ? run(UNKNOWN_SIZES[1]) : first;
  const batchUnknown = shapes.some((shape) => shape[0] === null);
  const outputs: Shape[] = first.shapes.map((shape, i) =>
    shape.map((size, axis) => {
      if (axis === 0 && batchUnknown) return null;
      return second.shapes[i]?.[axis] === size ? size : null;
    }),
  );
  return first.list && outputs.length !== 1 ? outputs : (outputs[0] as Shape);
}
