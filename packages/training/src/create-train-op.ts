// Ports slim.learning.create_train_op (tf_slim/training/training.py, tf_slim 1.1): update ops, clipping, multipliers, the check of numbers.
import * as tf from '@tensorflow/tfjs-core';
import { controlDependencies, group, type Operation, type OperationLike } from '@tfparity/graph';
import { addToCollection, currentContext, GraphKeys, getCollection, trainableVariables } from '@tfparity/variables';
import { checkNumerics } from './check-numerics.js';
import { clipGradientNorms } from './clip.js';
import { getOrCreateGlobalStep } from './global-step.js';
import type { GradientAndVariable } from './gradient.js';
import { type GradientsOptions, gradients } from './gradients/graph-gradients.js';
import { IndexedSlices } from './indexed-slices.js';
import type { Tf1Optimizer } from './optimizer.js';
import { valueError } from './training-error.js';

/** Options of `createTrainOp`. */
export interface CreateTrainOpOptions {
  /** The variable that counts the steps; null for none. The graph's own where left out. */
  readonly globalStep?: tf.Variable | null;
  /** What has to run before a step; the collection `UPDATE_OPS` where left out. */
  readonly updateOps?: readonly OperationLike[];
  /** Every trainable variable where left out. */
  readonly variablesToTrain?: readonly tf.Variable[];
  /** The norm to which each gradient is clipped; 0, the default, for none. */
  readonly clipGradientNorm?: number;
  /** Factors of gradients, by variable or by name. */
  readonly gradientMultipliers?: ReadonlyMap<tf.Variable | string, number>;
  /** What is done to the gradients after multipliers and clipping. */
  readonly transformGradients?: (gradients: GradientAndVariable[]) => GradientAndVariable[];
  /** In which order contributions to one tensor are summed, as `gradients` has it. */
  readonly order?: GradientsOptions['order'];
  /** Whether a loss that is not finite fails the run; true unless said. */
  readonly checkNumerics?: boolean;
}

/** A step of training. */
export interface TrainOp {
  /** The loss, computed after the step; run it to train. */
  readonly loss: tf.Tensor;
  readonly op: Operation;
  readonly gradients: readonly GradientAndVariable[];
  /** The update ops that are no part of the step though the graph has them: averages that would never move. */
  readonly missedUpdateOps: readonly OperationLike[];
}

/** Gradients times the factors that their variables have. */
export function multiplyGradients(
  pairs: readonly GradientAndVariable[],
  multipliers: ReadonlyMap<tf.Variable | string, number>,
): GradientAndVariable[] {
  return pairs.map(([gradient, variable]) => {
    const factor = multipliers.get(variable) ?? multipliers.get(variable.name);
    if (factor === undefined) return [gradient, variable];
    if (gradient === null) throw valueError('Requested multiple of `None` gradient.', { variable: variable.name });
    if (gradient instanceof IndexedSlices) {
      const values = tf.mul(gradient.values, tf.scalar(factor));
      return [new IndexedSlices(values, gradient.indices, gradient.denseShape), variable];
    }
    return [tf.mul(gradient, tf.scalar(factor)), variable];
  });
}

/**
 * slim's training step in a graph: the update ops first, then the loss, checked, its gradients, and their application.
 *
 * @throws {TrainingError} `ValueError` in eager code, or where no variable has a gradient
 */
export function createTrainOp(
  totalLoss: tf.Tensor,
  optimizer: Tf1Optimizer,
  options: CreateTrainOpOptions = {},
): TrainOp {
  if (currentContext().kind !== 'graph') {
    throw valueError('createTrainOp records into a graph; in eager code use optimizer.minimize');
  }
  const known = getCollection<OperationLike>(GraphKeys.UPDATE_OPS);
  const updates = options.updateOps ?? known;
  const missedUpdateOps = known.filter((op) => !updates.includes(op));
  const globalStep = options.globalStep === undefined ? getOrCreateGlobalStep() : options.globalStep;
  const loss = updates.length === 0 ? totalLoss : controlDependencies(updates, () => tf.clone(totalLoss));
  let pairs: GradientAndVariable[] = gradientsOf(loss, options.variablesToTrain ?? trainableVariables(), options);
  if (options.gradientMultipliers) pairs = multiplyGradients(pairs, options.gradientMultipliers);
  if (options.clipGradientNorm) pairs = clipGradientNorms(pairs, options.clipGradientNorm);
  if (options.transformGradients) pairs = options.transformGradients(pairs);
  const step = optimizer.applyGradients(pairs, { globalStep: globalStep ?? undefined }) as OperationLike[];
  const checked = options.checkNumerics === false ? loss : checkNumerics(loss, 'LossTensor is inf or nan');
  const op = group([...updates, ...step], 'train_op');
  const trained = controlDependencies([op], () => tf.clone(checked));
  addToCollection(GraphKeys.TRAIN_OP, trained);
  return { loss: trained, op, gradients: pairs, missedUpdateOps };
}

function gradientsOf(
  loss: tf.Tensor,
  variables: readonly tf.Variable[],
  { order = 'session' }: CreateTrainOpOptions,
): GradientAndVariable[] {
  // slim's default: GATE_OP.
  const found = gradients(loss, variables, { order, gateGradients: true });
  return variables.map((variable, i) => [found[i]!, variable]);
}
