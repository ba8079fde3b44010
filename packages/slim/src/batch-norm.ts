// Ports batch_norm and _fused_batch_norm of tf_slim/layers/layers.py (tf_slim git 1287b1ef) and zero-debiased moving
// averages (python/training/moving_averages.py, TF 2.21). Departures: `isTraining` is a boolean; no batch weights.
import * as tf from '@tensorflow/tfjs-core';
import {
  assignMovingAverage,
  BatchNormalization,
  batchNormalize,
  fusedBatchNorm,
  type RenormClipping,
} from '@tfparity/layers';
import {
  addToCollections,
  assign,
  currentContext,
  GraphKeys,
  getVariable,
  type InitializerLike,
  type Regularizer,
  type VariableScope,
  variableScope,
} from '@tfparity/variables';
import { addArgScope } from './arg-scope.js';
import { type ActivationFn, VARIABLE_KEYWORDS, type VariableArguments } from './layer-arguments.js';
import { layerVariableGetter, modelVariable } from './model-variables.js';
import {
  addVariableToCollections,
  type CollectionNames,
  collectNamedOutputs,
  getVariableCollections,
  tidyEager,
} from './named-outputs.js';
import { SlimError, valueError } from './slim-error.js';

type ParamName = 'beta' | 'gamma' | 'moving_mean' | 'moving_variance';

/** What `batchNorm` takes. */
export interface BatchNormArguments extends VariableArguments {
  /** Share of the moving averages that a step keeps. Default 0.999. */
  decay?: number;
  /** Whether there is a `beta`. Default true. */
  center?: boolean;
  /** Whether there is a `gamma`. Default false. */
  scale?: boolean;
  /** Default 0.001. */
  epsilon?: number;
  activationFn?: ActivationFn | null;
  /** Initializers by variable: `beta`, `gamma`, `moving_mean`, `moving_variance`. */
  paramInitializers?: Readonly<Partial<Record<ParamName, InitializerLike>>> | null;
  /** Regularizers by variable: `beta`, `gamma`. */
  paramRegularizers?: Readonly<Partial<Record<'beta' | 'gamma', Regularizer>>> | null;
  /** A graph's collections of updates; null: updates are forced in place. In eager code they happen at once. */
  updatesCollections?: CollectionNames | null;
  /** Default true. */
  isTraining?: boolean;
  /** Not supported. */
  batchWeights?: tf.Tensor | null;
  /** Default: one fused op where it can be had. */
  fused?: boolean | null;
  /** Default 'NHWC'. */
  dataFormat?: 'NHWC' | 'NCHW';
  zeroDebiasMovingMean?: boolean;
  renorm?: boolean;
  renormClipping?: RenormClipping | null;
  renormDecay?: number;
}

const zeros: InitializerLike = (shape: number[], dtype: tf.DataType) => tf.zeros(shape, dtype);
const ones: InitializerLike = (shape: number[], dtype: tf.DataType) => tf.ones(shape, dtype);

/**
 * Batch normalization, as slim nets have it: `beta` but no `gamma` unless `scale`, moving averages with decay 0.999.
 *
 * By default TensorFlow's core layer (variables `gamma`, `beta`, `moving_mean`, `moving_variance`); with rank 2, another
 * `updatesCollections` or zero debias slim's own code, which makes `beta` before `gamma`.
 */
export const batchNorm: (inputs: tf.Tensor, args?: BatchNormArguments) => tf.Tensor = addArgScope(
  (x: tf.Tensor, args: BatchNormArguments = {}) => {
    const { updatesCollections = GraphKeys.UPDATE_OPS, zeroDebiasMovingMean = false, renorm = false } = args;
    const { dataFormat = 'NHWC', batchWeights, fused } = args;
    if (batchWeights !== undefined && batchWeights !== null) {
      throw new SlimError('NotImplementedError', 'batchNorm: batchWeights is not supported', {
        argument: 'batchWeights',
      });
    }
    if (dataFormat !== 'NHWC' && dataFormat !== 'NCHW') throw valueError('data_format has to be either NCHW or NHWC.');
    const core = updatesCollections === GraphKeys.UPDATE_OPS && !zeroDebiasMovingMean;
    const ownFused = fused !== false && !renorm && (x.rank === 2 || (x.rank === 4 && !core));
    if (!core && renorm) {
      throw valueError('renorm is not supported with batch_weights, updates_collections or zero_debias_moving_mean');
    }
    return tidyEager(() => {
      if (ownFused) return ownBatchNorm(x, args, true);
      return core ? coreBatchNorm(x, args) : ownBatchNorm(x, args, false);
    });
  },
  {
    name: 'batch_norm',
    positional: ['inputs'],
    keywords: [
      'decay',
      'center',
      'scale',
      'epsilon',
      'activationFn',
      'paramInitializers',
      'paramRegularizers',
      'updatesCollections',
      'isTraining',
      'batchWeights',
      'fused',
      'dataFormat',
      'zeroDebiasMovingMean',
      'renorm',
      'renormClipping',
      'renormDecay',
      ...VARIABLE_KEYWORDS,
    ],
  },
);

function coreBatchNorm(x: tf.Tensor, args: BatchNormArguments): tf.Tensor {
  const { scope = null, reuse, paramInitializers, paramRegularizers, variablesCollections } = args;
  const options = { defaultName: 'BatchNorm', reuse, customGetter: layerVariableGetter() };
  return variableScope(scope, options, (sc) => {
    const layer = new BatchNormalization({
      axis: args.dataFormat === 'NCHW' ? 1 : -1,
      momentum: args.decay ?? 0.999,
      epsilon: args.epsilon ?? 0.001,
      center: args.center ?? true,
      scale: args.scale ?? false,
      betaInitializer: paramInitializers?.beta,
      gammaInitializer: paramInitializers?.gamma,
      movingMeanInitializer: paramInitializers?.moving_mean,
      movingVarianceInitializer: paramInitializers?.moving_variance,
      betaRegularizer: paramRegularizers?.beta,
      gammaRegularizer: paramRegularizers?.gamma,
      trainable: args.trainable ?? true,
      renorm: args.renorm ?? false,
      renormClipping: args.renormClipping,
      renormMomentum: args.renormDecay ?? 0.99,
      fused: args.fused ?? true,
      name: sc.name,
      reuse,
      scope: sc,
    });
    const outputs = layer.apply(x, { training: args.isTraining ?? true });
    addVariableToCollections(layer.movingMean, variablesCollections, 'moving_mean');
    addVariableToCollections(layer.movingVariance, variablesCollections, 'moving_variance');
    if (layer.beta !== null) addVariableToCollections(layer.beta, variablesCollections, 'beta');
    if (layer.gamma !== null) addVariableToCollections(layer.gamma, variablesCollections, 'gamma');
    return activateAndCollect(outputs, sc, args);
  });
}

function activateAndCollect(outputs: tf.Tensor, sc: VariableScope, args: BatchNormArguments): tf.Tensor {
  const y = args.activationFn ? args.activationFn(outputs) : outputs;
  return collectNamedOutputs(args.outputsCollections, sc.name, y);
}

interface Parameters {
  beta: tf.Variable | null;
  gamma: tf.Variable | null;
  movingMean: tf.Variable;
  movingVariance: tf.Variable;
}

function ownParameters(channels: number, args: BatchNormArguments): Parameters {
  const { paramInitializers, paramRegularizers, variablesCollections, trainable = true } = args;
  const make = (name: ParamName, fallback: InitializerLike, trained: boolean, regularizer?: Regularizer) =>
    modelVariable(name, {
      shape: [channels],
      initializer: paramInitializers?.[name] ?? fallback,
      regularizer,
      collections: getVariableCollections(variablesCollections, name),
      trainable: trained,
    });
  const beta = (args.center ?? true) ? make('beta', zeros, trainable, paramRegularizers?.beta) : null;
  const gamma = args.scale ? make('gamma', ones, trainable, paramRegularizers?.gamma) : null;
  return {
    beta,
    gamma,
    movingMean: make('moving_mean', zeros, false),
    movingVariance: make('moving_variance', ones, false),
  };
}

/** slim's own batch norm: with the fused op, or with `moments`. */
function ownBatchNorm(x: tf.Tensor, args: BatchNormArguments, fused: boolean): tf.Tensor {
  const { scope = null, reuse, dataFormat = 'NHWC', epsilon = 0.001, isTraining = true } = args;
  const options = { defaultName: 'BatchNorm', reuse, ...(fused ? {} : { customGetter: layerVariableGetter() }) };
  return variableScope(scope, options, (sc) => {
    const axis = dataFormat === 'NCHW' ? 1 : x.rank - 1;
    const channels = x.shape[axis] as number;
    const parameters = ownParameters(channels, args);
    const outputs = fused
      ? ownFused(x, parameters, axis, epsilon, isTraining, args)
      : ownMoments(x, parameters, axis, epsilon, isTraining, args);
    return activateAndCollect(outputs, sc, args);
  });
}

function ownFused(
  x: tf.Tensor,
  { beta, gamma, movingMean, movingVariance }: Parameters,
  axis: number,
  epsilon: number,
  isTraining: boolean,
  args: BatchNormArguments,
): tf.Tensor {
  const { dataFormat = 'NHWC' } = args;
  const channels = x.shape[axis] as number;
  const images = x.rank === 2 ? tf.reshape(x, dataFormat === 'NCHW' ? [-1, channels, 1, 1] : [-1, 1, 1, channels]) : x;
  const { y, mean, variance } = fusedBatchNorm(images, {
    scale: gamma ?? tf.ones([channels]),
    offset: beta ?? tf.zeros([channels]),
    ...(isTraining ? {} : { mean: movingMean, variance: movingVariance }),
    epsilon,
    isTraining,
    dataFormat,
  });
  const outputs = x.rank === 2 ? tf.reshape(y, x.shape) : y;
  return isTraining ? updateAverages(outputs, { movingMean, movingVariance }, mean, variance, args) : outputs;
}

function ownMoments(
  x: tf.Tensor,
  { beta, gamma, movingMean, movingVariance }: Parameters,
  axis: number,
  epsilon: number,
  isTraining: boolean,
  args: BatchNormArguments,
): tf.Tensor {
  const shape = x.shape.map((size, i) => (i === axis ? size : 1));
  const broadcast = (v: tf.Tensor): tf.Tensor => (axis === x.rank - 1 ? v : tf.reshape(v, shape));
  const normalized = (mean: tf.Tensor, variance: tf.Tensor): tf.Tensor =>
    batchNormalize(
      x,
      broadcast(mean),
      broadcast(variance),
      beta && broadcast(beta),
      gamma && broadcast(gamma),
      epsilon,
    );
  if (!isTraining) return normalized(movingMean, movingVariance);
  const axes = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const { mean, variance } = tf.moments(x, axes);
  return updateAverages(normalized(mean, variance), { movingMean, movingVariance }, mean, variance, args);
}

/** Moves the averages; returns the outputs, which in a graph without collections wait for the updates. */
function updateAverages(
  outputs: tf.Tensor,
  { movingMean, movingVariance }: Pick<Parameters, 'movingMean' | 'movingVariance'>,
  mean: tf.Tensor,
  variance: tf.Tensor,
  args: BatchNormArguments,
): tf.Tensor {
  const { decay = 0.999, updatesCollections = GraphKeys.UPDATE_OPS, zeroDebiasMovingMean = false } = args;
  const updates = [
    zeroDebiasMovingMean ? assignZeroDebiased(movingMean, mean, decay) : assignMovingAverage(movingMean, mean, decay),
    assignMovingAverage(movingVariance, variance, decay),
  ];
  const context = currentContext();
  if (context.kind === 'eager') return outputs;
  if (updatesCollections !== null) {
    for (const update of updates) addToCollections(updatesCollections, update);
    return outputs;
  }
  return context.withDependencies(outputs, updates);
}

/** `assign_moving_average` with zero debias: the average of a variable that began at 0, divided by the weight it has by now. */
function assignZeroDebiased(variable: tf.Variable, value: tf.Tensor, momentum: number): unknown {
  const decay = tf.scalar(1 - momentum);
  return variableScope(variable.name, () => {
    const make = (name: string, shape: number[]) =>
      getVariable(name, { shape, dtype: 'float32', initializer: zeros, trainable: false });
    const biased = make('biased', variable.shape);
    const localStep = make('local_step', []);
    const nextBiased = tf.sub(biased, tf.mul(tf.sub(biased, value), decay));
    const nextStep = tf.add(localStep, 1);
    const weight = tf.sub(1, tf.pow(tf.sub(1, decay), nextStep));
    const handles = [assign(biased, nextBiased), assign(localStep, nextStep)];
    const last = assign(variable, tf.div(nextBiased, weight));
    if (currentContext().kind === 'graph') addToCollections(GraphKeys.UPDATE_OPS, handles[0]);
    if (currentContext().kind === 'graph') addToCollections(GraphKeys.UPDATE_OPS, handles[1]);
    return last;
  });
}
