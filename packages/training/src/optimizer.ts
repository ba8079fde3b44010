// Ports tf.compat.v1.train.Optimizer (python/training/optimizer.py, TF 2.21). Departure: it is a tf.Optimizer, so eager code and model.compile take it.
import * as tf from '@tensorflow/tfjs-core';
import { assign, currentContext, engineKeyOf, variableConstraint } from '@tfparity/variables';
import { type Gradient, type GradientAndVariable, tidyInEager } from './gradient.js';
import { toDense } from './gradients/indexed-slices-sum.js';
import { variableGrads } from './gradients/variable-grads.js';
import { IndexedSlices } from './indexed-slices.js';
import { type OptimizerClass, registerOptimizerClass } from './optimizer-classes.js';
import { type NamedTensor, weightsByName, weightsByOrder } from './optimizer-weights.js';
import { createNonSlot, createSlot } from './slot-variables.js';
import { TrainingError, valueError } from './training-error.js';
import { runUpdate } from './update-kernel.js';
import type { RuleAttributes, UpdateRule } from './update-rule.js';

/**
 * A number that may change from step to step: itself, a tensor (a graph's schedule), or, in eager code, what a function
 * returns at each step. A graph would ask the function once and for all, and so refuses it.
 */
export type Hyperparameter = number | tf.Scalar | (() => number | tf.Scalar);

/** Options of `applyGradients`. */
export interface ApplyOptions {
  /** An int32 variable that counts the steps. */
  readonly globalStep?: tf.Variable | undefined;
}

/** A slot of an optimizer: its key, and the value that it starts with. */
export interface SlotDefinition {
  readonly name: string;
  readonly initialValue: number;
}

type Scalars = Readonly<Record<string, tf.Tensor>>;

/**
 * The base of TF1's optimizers: slots with TF1's names and initial values, dense and sparse updates.
 *
 * In eager code `applyGradients` changes the variables at once; in a graph it records the update and returns its op.
 */
export abstract class Tf1Optimizer extends tf.Optimizer {
  /** TensorFlow's name of the optimizer, which names its slots. */
  readonly optimizerName: string;
  private readonly slots = new Map<string, Map<tf.Variable, tf.Variable>>();
  private readonly nonSlots = new Map<string, tf.Variable>();
  private readonly slotNames = new Set<string>();
  /** Weights that wait for the slots which they are of. */
  private pending: NamedTensor[] = [];

  protected constructor(name: string) {
    super();
    if (name === '') throw valueError('Must specify the optimizer name');
    this.optimizerName = name;
    registerOptimizerClass(new.target as unknown as OptimizerClass);
  }

  /** Makes an optimizer of what its `getConfig` gave. */
  static override fromConfig<T extends tf.serialization.Serializable>(
    type: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    // TensorFlow.js adds the objects that a file's names stand for, of which an optimizer has none.
    const { customObjects: _, ...options } = config;
    return new type(options);
  }

  /** The slots of every variable, in the order of their creation. */
  protected abstract slotDefinitions(): readonly SlotDefinition[];
  /** The update. */
  protected abstract rule(): UpdateRule;
  /** The update's scalars for this step. */
  protected abstract hyperparameters(): Readonly<Record<string, Hyperparameter>>;

  /** Booleans of the update's op. */
  protected attributes(): RuleAttributes {
    return {};
  }

  /** Scalars that the optimizer keeps (`beta1_power`) with their initial values. */
  protected nonSlotDefinitions(): Readonly<Record<string, number>> {
    return {};
  }

  /** What happens once all variables are updated; returns the ops in a graph. */
  protected finish(_scalars: Scalars): unknown[] {
    return [];
  }

  /** The slot of a variable, or null where there is none (yet). */
  getSlot(variable: tf.Variable, name: string): tf.Variable | null {
    return this.slots.get(name)?.get(variable) ?? null;
  }

  /** The keys of the slots: `['momentum']`. */
  getSlotNames(): string[] {
    return this.slotDefinitions()
      .map(({ name }) => name)
      .sort();
  }

  /** A scalar of the optimizer's own (`beta1_power`), or null where there is none (yet). */
  getNonSlotVariable(name: string): tf.Variable | null {
    return this.nonSlots.get(name) ?? null;
  }

  /** Every variable that the optimizer made, scalars first, slots in the order of creation. */
  variables(): tf.Variable[] {
    return [...this.nonSlots.values(), ...[...this.slots.values()].flatMap((slots) => [...slots.values()])];
  }

  /** Makes the slots of these variables, where they are missing: before values are put into them, or saved. */
  createSlots(variables: readonly tf.Variable[]): void {
    const before = new Set(this.variables());
    for (const [name, value] of Object.entries(this.nonSlotDefinitions())) {
      if (!this.nonSlots.has(name)) this.nonSlots.set(name, createNonSlot(name, value));
    }
    for (const variable of variables) {
      for (const { name, initialValue } of this.slotDefinitions()) {
        const slots = this.slots.get(name) ?? new Map<tf.Variable, tf.Variable>();
        this.slots.set(name, slots);
        if (slots.has(variable)) continue;
        slots.set(variable, createSlot(variable, this.optimizerName, initialValue, this.slotNames));
      }
    }
    this.takePending(this.variables().filter((variable) => !before.has(variable)));
  }

  /**
   * Updates the variables, then counts the step; variables without a gradient are left alone.
   *
   * @param gradients  pairs, or TensorFlow.js's lists and maps of gradients by variable name
   * @returns undefined in eager code; in a graph the ops of the step, to be grouped and run
   * @throws {TrainingError} `ValueError` where no variable has a gradient, in TensorFlow's words
   */
  override applyGradients(
    gradients: readonly GradientAndVariable[] | tf.NamedTensorMap | NamedTensor[],
    options: ApplyOptions = {},
  ): unknown[] {
    const pairs = pairsOf(gradients);
    const given = pairs.filter(([gradient]) => gradient !== null) as [tf.Tensor | IndexedSlices, tf.Variable][];
    if (pairs.length === 0) throw valueError('No variables provided.');
    if (given.length === 0) {
      const names = pairs.map(([, variable]) => `'${variable.name}'`).join(', ');
      throw valueError(`No gradients provided for any variable: [${names}].`, {
        variables: pairs.map(([, variable]) => variable.name),
      });
    }
    for (const [gradient, variable] of given) checkGradient(gradient, variable);
    this.createSlots(given.map(([, variable]) => variable));
    const ops = tidyInEager(() => {
      const scalars = scalarsOf(this.hyperparameters());
      const updates = given.flatMap(([gradient, variable]) => this.update(gradient, variable, scalars));
      return [...updates, ...this.finish(scalars), ...countStep(options.globalStep)];
    });
    this.incrementIterations();
    return ops.filter((op) => op !== undefined);
  }

  /**
   * Runs a loss in eager code and returns it with its gradients by variable, as TensorFlow.js has them (rows made dense).
   *
   * `variableGrads` gives them as TF1 does; in a graph `gradients` does.
   */
  override computeGradients(
    loss: () => tf.Scalar,
    varList?: tf.Variable[],
  ): { value: tf.Scalar; grads: tf.NamedTensorMap } {
    const { value, gradients } = variableGrads(loss, varList);
    const grads: tf.NamedTensorMap = {};
    for (const [gradient, variable] of gradients) {
      if (gradient instanceof IndexedSlices) {
        grads[engineKeyOf(variable)] = toDense(gradient);
        gradient.dispose();
      } else if (gradient !== null) grads[engineKeyOf(variable)] = gradient;
    }
    return { value, grads };
  }

  /**
   * One step in eager code: the loss, its gradients, and their application.
   *
   * @param varList  every trainable variable where left out
   * @returns the loss before the step if `returnCost`, else null
   * @throws {TrainingError} `RuntimeError` in a graph, where TF1 would return the op to run: that is `createTrainOp`
   */
  override minimize(
    loss: () => tf.Scalar,
    returnCost = false,
    varList?: tf.Variable[],
    options: ApplyOptions = {},
  ): tf.Scalar | null {
    if (currentContext().kind === 'graph') {
      const advice = 'in a graph use createTrainOp, or gradients and applyGradients, whose ops a session runs';
      throw new TrainingError('RuntimeError', `minimize takes a step in eager code; ${advice}`);
    }
    const { value, gradients } = variableGrads(loss, varList);
    this.applyGradients(gradients, options);
    for (const [gradient] of gradients) gradient?.dispose();
    if (returnCost) return value;
    value.dispose();
    return null;
  }

  private update(gradient: tf.Tensor | IndexedSlices, variable: tf.Variable, scalars: Scalars): unknown[] {
    const targets = [variable];
    for (const { name } of this.slotDefinitions()) targets.push(this.slots.get(name)!.get(variable)!);
    const parts =
      gradient instanceof IndexedSlices ? { grad: gradient.values, indices: gradient.indices } : { grad: gradient };
    const updated = runUpdate(this.rule(), targets, parts, scalars, this.attributes());
    const constraint = variableConstraint(variable);
    return targets.map((target, i) => {
      const value = i === 0 && constraint !== undefined ? constraint(updated[0]!) : updated[i]!;
      return assign(target, value);
    });
  }

  /** Frees the slots and scalars; the variables that were trained stay. */
  override dispose(): void {
    for (const variable of this.variables()) variable.dispose();
    this.dropPending();
    this.slots.clear();
    this.nonSlots.clear();
    this.slotNames.clear();
  }

  /**
   * The step count, then the optimizer's variables by name, as they are now: copies, which later steps leave alone, and
   * which the caller frees.
   */
  override async getWeights(): Promise<NamedTensor[]> {
    const iterations = await this.saveIterations();
    return [iterations, ...this.variables().map((variable) => ({ name: variable.name, tensor: tf.clone(variable) }))];
  }

  /**
   * Puts back what `getWeights` gave, all of it or, where something does not fit, nothing.
   *
   * Before there are any slots the weights are kept until the first step makes them, as a model that is loaded needs it.
   * They are found by their names, and where a loaded model's variables have others, by their order.
   *
   * @throws {TrainingError} `LookupError` for a name that the optimizer has no variable of, or a variable without a weight
   */
  override async setWeights(weights: NamedTensor[]): Promise<void> {
    const given = weights.slice(1).map(({ name, tensor }) => ({ name, tensor: tf.keep(tf.clone(tensor)) }));
    await this.extractIterations(weights);
    this.dropPending();
    this.pending = given;
    const variables = this.variables();
    if (variables.length === 0) return;
    try {
      const values = weightsByName(this.optimizerName, variables, given);
      for (const [i, variable] of variables.entries()) variable.assign(values[i]!);
    } finally {
      this.dropPending();
    }
  }

  private dropPending(): void {
    for (const { tensor } of this.pending) tensor.dispose();
    this.pending = [];
  }

  /** Puts the weights that waited for slots into the ones that were just made. */
  private takePending(made: readonly tf.Variable[]): void {
    if (this.pending.length === 0 || made.length === 0) return;
    const names = new Set(made.map(({ name }) => name));
    const named = this.pending.filter(({ name }) => names.has(name));
    // Scalars (beta1_power) have their names whatever the variables are called.
    const areSlotsNamed = named.some(({ name }) => !this.nonSlots.has(name));
    const taken = areSlotsNamed ? named : this.pending;
    const find = areSlotsNamed ? weightsByName : weightsByOrder;
    const values = find(this.optimizerName, made, taken);
    for (const [i, variable] of made.entries()) variable.assign(values[i]!);
    for (const { tensor } of taken) tensor.dispose();
    this.pending = this.pending.filter((weight) => !taken.includes(weight));
  }
}

/** The pairs of any of the forms that `applyGradients` takes; names are the engine's. */
function pairsOf(
  gradients: readonly GradientAndVariable[] | tf.NamedTensorMap | NamedTensor[],
): readonly GradientAndVariable[] {
  const byName = (name: string, tensor: Gradient): GradientAndVariable => {
    const variable = tf.engine().registeredVariables[name];
    if (variable === undefined) {
      throw new TrainingError('LookupError', `there is no variable '${name}' for this gradient`, { name });
    }
    return [tensor, variable];
  };
  if (!Array.isArray(gradients)) {
    return Object.entries(gradients as tf.NamedTensorMap).map(([name, tensor]) => byName(name, tensor));
  }
  return (gradients as readonly (GradientAndVariable | NamedTensor)[]).map((item) =>
    'name' in item ? byName(item.name, (item.tensor as tf.Tensor | null | undefined) ?? null) : item,
  );
}

function checkGradient(gradient: tf.Tensor | IndexedSlices, variable: tf.Variable): void {
  const shape = gradient instanceof IndexedSlices ? gradient.denseShape : gradient.shape;
  if (tf.util.arraysEqual([...shape], variable.shape)) return;
  throw new TrainingError(
    'InvalidArgument',
    `var and grad do not have the same shape[${variable.shape}] [${shape}]: ${variable.name}`,
    { variable: variable.name, expected: variable.shape, actual: shape },
  );
}

function scalarsOf(values: Readonly<Record<string, Hyperparameter>>): Record<string, tf.Tensor> {
  const scalars: Record<string, tf.Tensor> = {};
  for (const [name, value] of Object.entries(values)) {
    const given = typeof value === 'function' ? askedNow(name, value) : value;
    scalars[name] = typeof given === 'number' ? tf.scalar(given, name === 'global_step' ? 'int32' : 'float32') : given;
  }
  return scalars;
}

/** What a function gives for this step of eager code. */
export function askedNow<T>(name: string, value: () => T): T {
  if (currentContext().kind === 'eager') return value();
  const message = `${name} is a function, which a graph would ask once, when it is built; give a tensor of the graph`;
  throw new TrainingError('ValueError', message, { name });
}

function countStep(globalStep: tf.Variable | undefined): unknown[] {
  return globalStep === undefined
    ? []
    : [assign(globalStep, tf.add(globalStep, tf.scalar(1, globalStep.dtype as 'int32')))];
}
