// Ports tf_keras/src/legacy_tf_layers/base.py (tf_keras 2.21, git dd0a7237). Departures: a kernel without initializer
// gets TF1's glorot uniform in every mode; in a shim, as in TensorFlow, a layer's activity regularizer is not kept.
import * as tf from '@tensorflow/tfjs-core';
import {
  type Aggregation,
  addToCollection,
  type Constraint,
  currentContext,
  GraphKeys,
  getCollectionRef,
  getVariable,
  type InitializerLike,
  nameScope,
  type Regularizer,
  type Reuse,
  type Synchronization,
  type VariableScope,
  variableScope,
} from '@tfparity/variables';
import { valueError } from './layers-error.js';
import { type RegularizerLike, regularizerOf } from './regularizer.js';

/** What every layer takes. */
export interface LayerOptions {
  /** A function's name is its variable scope, as it stands; a class's is numbered when it is taken. */
  name?: string | null;
  /** Whether the weights are trained. Default true. */
  trainable?: boolean;
  /** Whether the variables must, may or must not exist; see `variableScope`. */
  reuse?: Reuse | null;
  /** The scope of the variables, in place of one named after the layer (Python's `_scope`). */
  scope?: string | VariableScope | null;
}

/** What `addWeight` takes beside name and shape. */
export interface WeightOptions {
  initializer?: InitializerLike | null;
  regularizer?: RegularizerLike | null;
  constraint?: Constraint | null;
  trainable?: boolean;
  synchronization?: Synchronization;
  aggregation?: Aggregation;
}

const snakeCase = (name: string) =>
  name
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();

/**
 * A layer of `tf.compat.v1.layers`: it finds its variable scope at its first call, makes its variables there, and uses
 * them in every later call.
 */
export abstract class Layer<C extends object = object> {
  /** Whether new weights are trained. */
  trainable: boolean;
  /** All variables that the layer has made, in creation order. */
  readonly variables: tf.Variable[] = [];
  protected activityRegularizer: Regularizer | null = null;
  private readonly baseName: string;
  private readonly reuse: Reuse | null;
  private scope: VariableScope | null = null;
  private built = false;

  /** @param kind the class's name in TensorFlow, from which unnamed layers are named */
  constructor(kind: string, { name, trainable = true, reuse = null, scope }: LayerOptions) {
    this.baseName = name || snakeCase(kind);
    this.trainable = trainable;
    this.reuse = reuse;
    if (scope !== undefined && scope !== null && scope !== '') {
      this.scope = variableScope(scope, (captured) => captured);
    }
  }

  /** The name that was given, or that of the kind of layer; variables are under `scopeName`. */
  get name(): string {
    return this.baseName;
  }

  /**
   * The variable scope that the layer's variables are in.
   *
   * @throws {LayersError} `ValueError` before the first call, which decides it.
   */
  get scopeName(): string {
    if (this.scope === null) {
      throw valueError(
        `No name available for layer scope because the layer "${this.baseName}" has not been used yet. The scope name ` +
          ' is determined the first time the layer instance is called. You must therefore call the layer before ' +
          'querying `scope_name`.',
        { layer: this.baseName },
      );
    }
    return this.scope.name;
  }

  /** The variables that an optimizer changes. */
  get trainableVariables(): tf.Variable[] {
    return this.variables.filter((variable) => variable.trainable);
  }

  /** The variables that no optimizer changes: moving averages, and all of a layer that is not trainable. */
  get nonTrainableVariables(): tf.Variable[] {
    return this.variables.filter((variable) => !variable.trainable);
  }

  /** Computes the layer's output; the first call makes the variables. */
  apply(inputs: tf.Tensor, options: C = {} as C): tf.Tensor {
    const scope = this.takeScope();
    const reuse = this.built ? true : this.reuse;
    return variableScope(scope, { reuse, auxiliaryNameScope: false }, (current) =>
      nameScope(current.originalNameScope, () => {
        if (!this.built) {
          this.build(inputs.shape);
          this.built = true;
        }
        const outputs = this.call(inputs, options);
        this.regularizeActivity(outputs);
        return outputs;
      }),
    );
  }

  /** Makes the variables for inputs of this shape. */
  protected build(_inputShape: readonly number[]): void {}

  /** The computation itself. */
  protected abstract call(inputs: tf.Tensor, options: C): tf.Tensor;

  /** Makes or, by the rules of `getVariable`, finds a variable in the layer's scope, with its regularization loss. */
  protected addWeight(name: string, shape: readonly number[], options: WeightOptions = {}): tf.Variable {
    const { initializer, constraint, trainable = true, synchronization, aggregation } = options;
    const regularizer = regularizerOf(options.regularizer);
    const globals = getCollectionRef(GraphKeys.GLOBAL_VARIABLES);
    const before = globals.length;
    const variable = variableScope(this.takeScope(), { reuse: this.reuse, auxiliaryNameScope: false }, () =>
      getVariable(name, {
        shape,
        dtype: 'float32',
        initializer,
        constraint,
        trainable: trainable && this.trainable,
        synchronization,
        aggregation,
      }),
    );
    this.variables.push(variable);
    if (regularizer !== null)
      this.regularize(name, variable, regularizer, !globals.slice(0, before).includes(variable));
    return variable;
  }

  private takeScope(): VariableScope {
    if (this.scope === null) {
      this.scope = this.reuse
        ? variableScope(this.baseName, (captured) => captured)
        : variableScope(null, { defaultName: this.baseName }, (captured) => captured);
    }
    return this.scope;
  }

  /** A graph's losses are tensors, of new variables only; a shim's are functions, one per variable, the last one set. */
  private regularize(name: string, variable: tf.Variable, regularizer: Regularizer, isNew: boolean): void {
    const { kind, store } = currentContext();
    if (kind === 'graph') {
      if (!isNew) return;
      const loss = nameScope(`${name}/Regularizer`, () => regularizer(variable));
      if (loss !== null) addToCollection(GraphKeys.REGULARIZATION_LOSSES, loss);
    } else {
      store?.regularizers.set(`${variable.name}:0`, () => regularizer(variable));
    }
  }

  private regularizeActivity(outputs: tf.Tensor): void {
    const { activityRegularizer } = this;
    if (activityRegularizer === null || currentContext().kind !== 'graph') return;
    const loss = nameScope('ActivityRegularizer', () => activityRegularizer(outputs));
    if (loss !== null) addToCollection(GraphKeys.REGULARIZATION_LOSSES, tf.div(loss, outputs.shape[0] ?? 1));
  }
}
