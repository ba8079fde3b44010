import * as tf from '@tensorflow/tfjs-core';
import { type IndexedSlices, variableGrads } from '@tfparity/training';
import type { TracedOutputs, TraceSide } from './trace-capture.js';

/** A loss, what it is differentiated by, and how it is run. */
export interface GradientSide extends Omit<TraceSide, 'run' | 'naming'> {
  /** Computes the loss in eager code, the same each time it is called. */
  readonly loss: () => tf.Scalar;
  /** Every trainable variable where left out; a function is asked after the loss, whose first call may make them. */
  readonly variables?: readonly tf.Variable[] | (() => readonly tf.Variable[]);
  /** Around the whole step: the scope of a test tool. */
  readonly around?: <R>(body: () => R) => R;
}

/**
 * A side that runs forward and backward: its end points are the loss and the gradients by variable, and its trace has the
 * kernels of the backward pass, each under the forward op whose gradient it computes.
 */
export function traceGradients({ loss, variables, around = (body) => body(), ...side }: GradientSide): TraceSide {
  return {
    ...side,
    run: () =>
      around((): TracedOutputs => {
        const { value, gradients } = variableGrads(loss, variables);
        const named = gradients.map(([gradient, { name }]) => {
          if (gradient === null || gradient instanceof tf.Tensor) return [name, gradient] as const;
          const { values, indices }: IndexedSlices = gradient;
          return [name, { values, indices }] as const;
        });
        return { loss: value, gradients: Object.fromEntries(named) };
      }),
  };
}
