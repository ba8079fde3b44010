// Ports tf.compat.v1.losses / slim.losses (python/ops/losses/losses_impl.py, TF 2.21): formulas, weights, reductions, collection.
import * as tf from '@tensorflow/tfjs-core';
import { formatShape } from '@tfparity/array';
import { addToCollection, GraphKeys, getCollection, getRegularizationLosses } from '@tfparity/variables';
import { stopGradient } from '../stop-gradient.js';
import { valueError } from '../training-error.js';
import { softmaxCrossEntropyWithLogits } from './softmax-cross-entropy.js';

/** How a loss becomes a scalar; `none` leaves one value per element. */
export type Reduction =
  | 'none'
  | 'weighted_sum'
  | 'weighted_mean'
  | 'weighted_sum_over_batch_size'
  | 'weighted_sum_by_nonzero_weights';

/** What every loss takes. */
export interface LossOptions {
  /** A factor, or one per element or per row; an element whose weight is zero does not count. Default 1. */
  readonly weights?: number | tf.Tensor;
  /** Where the loss is put; null for nowhere. Default `GraphKeys.LOSSES`. */
  readonly lossCollection?: string | null;
  /** Default 'weighted_sum_by_nonzero_weights'. */
  readonly reduction?: Reduction;
}

/** x / y, and 0 where y is 0. */
function safeDivide(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const zero = tf.equal(y, 0);
  return tf.where(zero, tf.zerosLike(x), tf.div(x, tf.where(zero, tf.onesLike(y), y)));
}

/** TensorFlow's rule of what weights fit: a scalar, or the losses' rank with each size 1 or theirs. */
function checkWeights(weights: tf.Tensor, losses: tf.Tensor): void {
  if (weights.rank === 0) return;
  const prefix = 'weights can not be broadcast to values.';
  const shapes = `values.shape=${formatShape(losses.shape)}. weights.shape=${formatShape(weights.shape)}.`;
  const details = { values: losses.shape, weights: weights.shape };
  if (weights.rank !== losses.rank) {
    throw valueError(`${prefix} values.rank=${losses.rank}. weights.rank=${weights.rank}. ${shapes}`, details);
  }
  const at = weights.shape.findIndex((size, i) => size !== 1 && size !== losses.shape[i]);
  if (at >= 0) throw valueError(`${prefix} Mismatch at dim ${at}. ${shapes}`, details);
}

/** How many elements count: those whose weight, broadcast, is not zero. */
function countPresent(weights: tf.Tensor, losses: tf.Tensor): tf.Tensor {
  const present = tf.where(tf.equal(weights, 0), tf.zerosLike(weights), tf.onesLike(weights));
  return tf.sum(tf.mul(present, tf.onesLike(losses)));
}

/**
 * A loss per element, weighted and reduced; the result is put into the collection of losses.
 *
 * @throws {TrainingError} `ValueError` for weights that do not broadcast, in TensorFlow's words
 */
export function computeWeightedLoss(losses: tf.Tensor, options: LossOptions = {}): tf.Tensor {
  const { weights = 1, lossCollection = GraphKeys.LOSSES, reduction = 'weighted_sum_by_nonzero_weights' } = options;
  const factor = typeof weights === 'number' ? tf.scalar(weights) : tf.cast(weights, 'float32');
  checkWeights(factor, losses);
  const weighted = tf.mul(losses, factor);
  const loss = reduce(weighted, losses, factor, reduction);
  if (lossCollection !== null) addToCollection(lossCollection, loss);
  return loss;
}

function reduce(weighted: tf.Tensor, losses: tf.Tensor, weights: tf.Tensor, reduction: Reduction): tf.Tensor {
  if (reduction === 'none') return weighted;
  const sum = tf.sum(weighted);
  switch (reduction) {
    case 'weighted_sum':
      return sum;
    case 'weighted_mean':
      return safeDivide(sum, tf.sum(tf.mul(tf.onesLike(losses), weights)));
    case 'weighted_sum_over_batch_size':
      return safeDivide(sum, tf.sum(tf.onesLike(losses)));
    case 'weighted_sum_by_nonzero_weights':
      return safeDivide(sum, countPresent(weights, losses));
    default:
      throw valueError(`Invalid Reduction Key ${String(reduction)}.`, { reduction });
  }
}

function checkShapes(predictions: tf.Tensor, labels: tf.Tensor): void {
  if (tf.util.arraysEqual(predictions.shape, labels.shape)) return;
  throw valueError(`Shapes [${predictions.shape}] and [${labels.shape}] are incompatible`, {
    predictions: predictions.shape,
    labels: labels.shape,
  });
}

/** |predictions - labels|. */
export function absoluteDifference(labels: tf.Tensor, predictions: tf.Tensor, options?: LossOptions): tf.Tensor {
  checkShapes(predictions, labels);
  return computeWeightedLoss(tf.abs(tf.sub(predictions, labels)), options);
}

/** (predictions - labels)^2. */
export function meanSquaredError(labels: tf.Tensor, predictions: tf.Tensor, options?: LossOptions): tf.Tensor {
  checkShapes(predictions, labels);
  return computeWeightedLoss(tf.squaredDifference(predictions, labels), options);
}

/** 1 - the sum of products along an axis; both are taken to be of length one. */
export function cosineDistance(
  labels: tf.Tensor,
  predictions: tf.Tensor,
  axis: number,
  options?: LossOptions,
): tf.Tensor {
  checkShapes(predictions, labels);
  const similarity = tf.sum(tf.mul(predictions, labels), axis, true);
  return computeWeightedLoss(tf.sub(tf.scalar(1), similarity), options);
}

/** max(0, 1 - y * logits) with y = 2 * labels - 1. */
export function hingeLoss(labels: tf.Tensor, logits: tf.Tensor, options?: LossOptions): tf.Tensor {
  checkShapes(logits, labels);
  const y = tf.sub(tf.mul(tf.scalar(2), labels), tf.onesLike(labels));
  return computeWeightedLoss(tf.relu(tf.sub(tf.onesLike(labels), tf.mul(y, logits))), options);
}

/** Half the square up to `delta`, beyond it a line (Huber). `delta` is 1 unless said. */
export function huberLoss(
  labels: tf.Tensor,
  predictions: tf.Tensor,
  { delta = 1, ...options }: LossOptions & { readonly delta?: number } = {},
): tf.Tensor {
  checkShapes(predictions, labels);
  const error = tf.abs(tf.sub(predictions, labels));
  const quadratic = tf.minimum(error, tf.scalar(delta));
  const linear = tf.sub(error, quadratic);
  const losses = tf.add(tf.mul(tf.scalar(0.5), tf.mul(quadratic, quadratic)), tf.mul(tf.scalar(delta), linear));
  return computeWeightedLoss(losses, options);
}

/** -labels * log(predictions + epsilon) - (1 - labels) * log(1 - predictions + epsilon); epsilon is 1e-7 unless said. */
export function logLoss(
  labels: tf.Tensor,
  predictions: tf.Tensor,
  { epsilon = 1e-7, ...options }: LossOptions & { readonly epsilon?: number } = {},
): tf.Tensor {
  checkShapes(predictions, labels);
  const one = tf.scalar(1);
  const e = tf.scalar(epsilon);
  const positive = tf.mul(labels, tf.log(tf.add(predictions, e)));
  const negative = tf.mul(tf.sub(one, labels), tf.log(tf.add(tf.sub(one, predictions), e)));
  return computeWeightedLoss(tf.sub(tf.neg(positive), negative), options);
}

/** What the cross entropies take. */
export interface CrossEntropyOptions extends LossOptions {
  /** How far labels are moved towards even ones; 0 unless said. */
  readonly labelSmoothing?: number;
}

/** max(x, 0) - x * z + log(1 + exp(-|x|)), where the labels z are moved towards a half by `labelSmoothing`. */
export function sigmoidCrossEntropy(
  labels: tf.Tensor,
  logits: tf.Tensor,
  { labelSmoothing = 0, ...options }: CrossEntropyOptions = {},
): tf.Tensor {
  checkShapes(logits, labels);
  const z =
    labelSmoothing > 0
      ? tf.add(tf.mul(labels, tf.scalar(1 - labelSmoothing)), tf.scalar(0.5 * labelSmoothing))
      : labels;
  const losses = tf.add(tf.sub(tf.relu(logits), tf.mul(logits, z)), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))));
  return computeWeightedLoss(losses, options);
}

/**
 * Softmax cross entropy of each row; labels [rows, classes] are moved towards even ones by `labelSmoothing`, and are
 * constants to gradients.
 */
export function softmaxCrossEntropy(
  onehotLabels: tf.Tensor2D,
  logits: tf.Tensor2D,
  { labelSmoothing = 0, ...options }: CrossEntropyOptions = {},
): tf.Tensor {
  checkShapes(logits, onehotLabels);
  let labels: tf.Tensor = stopGradient(tf.cast(onehotLabels, 'float32'));
  if (labelSmoothing > 0) {
    const classes = onehotLabels.shape[1];
    labels = tf.add(tf.mul(labels, tf.scalar(1 - labelSmoothing)), tf.scalar(labelSmoothing / classes));
  }
  return computeWeightedLoss(softmaxCrossEntropyWithLogits(labels as tf.Tensor2D, logits), options);
}

/** The losses in the collection. */
export function getLosses(scope?: string): tf.Tensor[] {
  return getCollection<tf.Tensor>(GraphKeys.LOSSES, scope);
}

/**
 * The sum of all losses in the collection, with the regularization losses unless told otherwise.
 *
 * In eager code pass what the layers gave: collections hold a graph's tensors.
 */
export function getTotalLoss(addRegularizationLosses = true, scope?: string): tf.Scalar {
  const losses = getLosses(scope);
  const all = addRegularizationLosses ? [...losses, ...getRegularizationLosses(scope)] : losses;
  if (all.length === 0) throw valueError('there is no loss in the collection losses');
  return tf.addN(all) as tf.Scalar;
}
