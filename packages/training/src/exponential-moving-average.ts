// Ports tf.compat.v1.train.ExponentialMovingAverage (python/training/moving_averages.py, TF 2.21) without zero debias.
import * as tf from '@tensorflow/tfjs-core';
import { addToCollection, assign, createVariable, currentContext, GraphKeys } from '@tfparity/variables';
import { tidyInEager } from './gradient.js';
import { askedNow } from './optimizer.js';
import { TrainingError, valueError } from './training-error.js';

/** Options of `ExponentialMovingAverage`. */
export interface ExponentialMovingAverageOptions {
  readonly decay: number;
  /** The number of updates so far: the decay is at most (1 + n) / (10 + n), so that averages move fast at first. */
  readonly numUpdates?: number | tf.Tensor | (() => number) | undefined;
  /** Names the averages; 'ExponentialMovingAverage' unless said. */
  readonly name?: string;
}

/** Keeps moving averages of variables: `average -= (1 - decay) * (average - variable)`. */
export class ExponentialMovingAverage {
  readonly name: string;
  private readonly averages = new Map<tf.Variable, tf.Variable>();

  constructor(private readonly options: ExponentialMovingAverageOptions) {
    this.name = options.name ?? 'ExponentialMovingAverage';
  }

  /**
   * Moves the average of each variable towards its value; makes it, equal to the variable, where it is missing.
   *
   * @returns the ops in a graph, nothing in eager code
   */
  apply(variables: readonly tf.Variable[]): unknown[] {
    if (variables.length === 0) throw valueError('There are no variables to average.');
    for (const variable of variables) {
      if (variable.dtype !== 'float32') {
        throw new TrainingError('TypeError', `The variables must be half, float, or double: ${variable.name}`, {
          variable: variable.name,
          dtype: variable.dtype,
        });
      }
      if (!this.averages.has(variable)) this.averages.set(variable, this.create(variable));
    }
    return tidyInEager(() => {
      const rest = this.rest();
      return variables
        .map((variable) => {
          const average = this.averages.get(variable)!;
          return assign(average, tf.sub(average, tf.mul(tf.sub(average, variable), rest)));
        })
        .filter((op) => op !== undefined);
    });
  }

  /** The average of a variable; null before `apply`. */
  average(variable: tf.Variable): tf.Variable | null {
    return this.averages.get(variable) ?? null;
  }

  /** The name of a variable's average, as checkpoints have it. */
  averageName(variable: tf.Variable): string {
    return this.averages.get(variable)?.name ?? `${variable.name}/${this.name}`;
  }

  /** What a checkpoint's names are to be restored into: averages into the variables, other variables as they are. */
  variablesToRestore(
    movingAverages: readonly tf.Variable[],
    others: readonly tf.Variable[] = [],
  ): Map<string, tf.Variable> {
    const averaged = new Set(movingAverages);
    return new Map([
      ...movingAverages.map((variable) => [this.averageName(variable), variable] as const),
      ...others.filter((variable) => !averaged.has(variable)).map((variable) => [variable.name, variable] as const),
    ]);
  }

  /** Frees the averages. */
  dispose(): void {
    for (const average of this.averages.values()) average.dispose();
    this.averages.clear();
  }

  /** 1 - decay, for this update. */
  private rest(): tf.Tensor {
    const { decay, numUpdates } = this.options;
    const one = tf.scalar(1);
    if (numUpdates === undefined) return tf.sub(one, tf.scalar(decay));
    const count = typeof numUpdates === 'function' ? askedNow('numUpdates', numUpdates) : numUpdates;
    const n = typeof count === 'number' ? tf.scalar(count) : tf.cast(count, 'float32');
    const limit = tf.div(tf.add(one, n), tf.add(tf.scalar(10), n));
    return tf.sub(one, tf.minimum(tf.scalar(decay), limit));
  }

  private create(variable: tf.Variable): tf.Variable {
    const context = currentContext();
    const outside = context.names.current;
    context.names.restore('');
    try {
      const initial = 'initialValue' in variable ? (variable.initialValue as tf.Tensor) : variable;
      const average = createVariable(context, {
        name: `${variable.name}/${this.name}`,
        initialValue: () => tf.clone(initial),
        shape: variable.shape,
        dtype: 'float32',
        trainable: false,
        collections: [GraphKeys.GLOBAL_VARIABLES],
        origin: 'getVariable',
      });
      if (context.kind === 'graph') addToCollection(GraphKeys.MOVING_AVERAGE_VARIABLES, variable);
      return average;
    } finally {
      context.names.restore(outside);
    }
  }
}
