import type * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';

/**
 * A variable that was made by `getVariable`, as a weight of a tf.layers layer.
 *
 * tfjs-layers's own class makes a variable of its own in its constructor; this one holds one that is there already.
 * `originalName`, by which models are saved, begins with the layer's name, for two layers may have equal variable names.
 */
class ShimWeight {
  readonly dtype: tf.DataType;
  readonly shape: number[];
  readonly id: number;
  readonly originalName: string;
  readonly name: string;
  readonly constraint = null;
  private readonly val: tf.Variable;

  constructor(variable: tf.Variable, layerName: string, key: string) {
    this.val = variable;
    this.dtype = variable.dtype;
    this.shape = variable.shape;
    this.id = variable.id;
    this.originalName = `${layerName}/${key}`;
    this.name = this.originalName;
  }

  get trainable(): boolean {
    return this.val.trainable;
  }

  set trainable(trainable: boolean) {
    this.val.trainable = trainable;
  }

  read(): tf.Variable {
    return this.val;
  }

  /** @throws {Error} for a value of another shape, as tf.Variable.assign does. */
  write(value: tf.Tensor): this {
    if (this.val.id !== value.id) this.val.assign(value);
    return this;
  }

  dispose(): void {
    this.val.dispose();
  }
}

const weights = new WeakMap<tf.Variable, LayerVariable>();

/** The weight that stands for a variable; the same one each time. */
export function layerWeight(variable: tf.Variable, layerName: string, key = variable.name): LayerVariable {
  const present = weights.get(variable);
  if (present !== undefined) return present;
  const weight = new ShimWeight(variable, layerName, key) as unknown as LayerVariable;
  weights.set(variable, weight);
  return weight;
}
