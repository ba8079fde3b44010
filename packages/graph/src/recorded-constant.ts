import * as tf from '@tensorflow/tfjs-core';
import type { Graph } from './graph.js';
import { GraphError } from './graph-error.js';
import { type GraphTensor, symbolOf } from './operation.js';

/** Longer constants are data, and are not searched for sizes. */
const LONGEST_SHAPE = 8;

/** Half the distance between float32 numbers, relatively. */
const HALF_ULP = 2 ** -24;

/**
 * Records values that a program wrote while a graph is open: a constant; or, where they were worked out from an unknown
 * size (`tf.scalar(x.shape[0])`, `tf.ones(x.shape)`), an op that fills a shape when the session runs.
 *
 * @throws {GraphError} `Symbolic` for values that were worked out from an unknown size in another way
 */
export function recordConstant(
  graph: Graph,
  values: tf.BackendValues,
  shape: readonly number[],
  dtype: tf.DataType,
): GraphTensor {
  if (graph.unknowns.none) return graph.constant(values, shape, dtype);
  if (shape.some((size) => graph.unknowns.parts(size) !== undefined)) {
    const first = (values as Float32Array)[0];
    if (typeof first !== 'number' || (values as Float32Array).some((value) => !Object.is(value, first))) {
      throw derived(`a constant of ${values.length} different values`);
    }
    return fill(shape, first, dtype);
  }
  if (dtype === 'string' || dtype === 'complex64' || values.length > LONGEST_SHAPE) {
    return graph.constant(values, shape, dtype);
  }
  const numbers = Array.from(values as Float32Array);
  const sizes = numbers.map((value) => sizeIn(graph, value, dtype));
  if (shape.length === 0 && sizes[0] !== undefined) return fill([], sizes[0], dtype);
  const index = sizes.findIndex((size) => size !== undefined);
  if (index >= 0) throw derived(`a constant that holds ${numbers[index]}`);
  const inverse = numbers.find((value) => value !== 0 && isInverse(graph, value));
  if (inverse !== undefined) throw derived(`a constant that holds ${inverse}, one over a size`);
  return graph.constant(values, shape, dtype);
}

/** The number that a program worked out, before float32 rounded it. */
function sizeIn(graph: Graph, value: number, dtype: tf.DataType): number | undefined {
  if (graph.unknowns.parts(value) !== undefined) return value;
  if (dtype !== 'float32' || value < 1 / HALF_ULP) return undefined;
  for (const { recorded } of graph.unknowns.noted) {
    const exact = Math.round(value / recorded) * recorded;
    if (Math.fround(exact) !== value || exact / recorded >= 2 ** 22) continue;
    // Float32 numbers this large lie so far apart that a round one may be a multiple by chance.
    if (value > 2 ** 32) throw derived(`the number ${value} looks as if it`);
    return exact;
  }
  return undefined;
}

function isInverse(graph: Graph, value: number): boolean {
  for (const { recorded } of graph.unknowns.noted) {
    const multiple = Math.round(1 / value / recorded);
    if (multiple < 1 || multiple > 4096) continue;
    if (Math.abs(value * recorded * multiple - 1) <= 2 * HALF_ULP) return true;
  }
  return false;
}

/** An op that fills a shape with a number; where sizes in them are unknown, when the session runs. */
export function fill(shape: readonly number[], value: number, dtype: tf.DataType): GraphTensor {
  const filled = tf.engine().runKernel('Fill', {}, { shape: [...shape], value, dtype }) as tf.Tensor;
  const ref = symbolOf(filled)!;
  return ref.op.output(ref.index);
}

function derived(what: string): GraphError {
  return new GraphError(
    'Symbolic',
    `${what} was worked out from a size that is unknown while the graph is built; work it out with ops from the tensor (tf.onesLike, tf.sum, …), or give the placeholder its sizes`,
  );
}
