// Ports tf.compat.v1.train.Optimizer (python/training/optimizer.py, TF 2.21). Departure: it is a tf.Optimizer, so eager code and model.compile take it.
import * as tf from '@tensorflow/tfjs-core';
import { assign, currentContext, engineKeyOf, variableConstraint } from '@tfparity/variables';
import { type Gradient, type GradientAndVariable, tidyInEager } from './gradient.js';
import { toDense } from './gradients/indexed-slices-sum.js';
import { variableGrads } from './gradients/variable-grads.js';
import { IndexedSlices } from './indexed-slices.js';
import { createNonSlot, createSlot } from './slot-variables.js';
import { TrainingError, valueError } from './training-error.js';
import { runUpdate } from './update-kernel.js';
import type { RuleAttributes, UpdateRule } from './update-rule.js';

/**
 * A number that may change from step to step: itself, a tensor (a graph's schedule), or, in eager code, what a function
 * returns at each step. A graph would ask the function once and for all, and so refuses it.
 */
export type Hyperparameter = number | tf.Scalar | (() => number | tf.Scalar);

/** A tensor and the name of its variable, as TensorFlow.js's optimizers pass them. */
export interface NamedTensor {
  name: string;
  tensor: tf.Tensor;
}

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

  protected constructor(name: string) {
    super();
    if (name === '') throw valueError('Must specify the optimizer name');
    this.optimizerName = name;
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
    this.slots.clear();
    this.nonSlots.clear();
    this.slotNames.clear();
  }

  /** The step count, then the optimizer's variables by name. */
  override async getWeights(): Promise<NamedTensor[]> {
    return [
      await this.saveIterations(),
      ...this.variables().map((variable) => ({ name: variable.name, tensor: variable as tf.Tensor })),
    ];
  }

  /**
   * Puts back what `getWeights` gave; the slots must be there (`createSlots`).
   *
   * @throws {TrainingError} `LookupError` for a name that the optimizer has no variable of
   */
  override async setWeights(weights: NamedTensor[]): Promise<void> {
    const values = await this.extractIterations(weights);
    const byName = new Map(this.variables().map((variable) => [variable.name, variable]));
    for (const { name, tensor } of values) {
      const variable = byName.get(name);
      if (variable === undefined) {
        throw new TrainingError(
          'LookupError',
          `${this.optimizerName} has no variable '${name}' to put a weight into; make its slots first (createSlots)`,
          { name, known: [...byName.keys()] },
        );
      }
      variable.assign(tensor as tf.Tensor);
    }
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
