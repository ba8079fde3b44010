// Ports bias_add, layer_norm and unit_norm of tf_slim/layers/layers.py (tf_slim git 1287b1ef).
import * as tf from '@tensorflow/tfjs-core';
import { batchNormalize } from '@tfparity/layers';
import { type InitializerLike, type Regularizer, variableScope } from '@tfparity/variables';
import { addArgScope } from './arg-scope.js';
import {
  type ActivationFn,
  type ScopeArguments,
  VARIABLE_KEYWORDS,
  type VariableArguments,
} from './layer-arguments.js';
import { modelVariable } from './model-variables.js';
import { collectNamedOutputs, getVariableCollections, tidyEager } from './named-outputs.js';
import { valueError } from './slim-error.js';

const zeros: InitializerLike = (shape: number[], dtype: tf.DataType) => tf.zeros(shape, dtype);
const ones: InitializerLike = (shape: number[], dtype: tf.DataType) => tf.ones(shape, dtype);

/** What `biasAdd` takes. */
export interface BiasAddArguments extends VariableArguments {
  activationFn?: ActivationFn | null;
  /** Default zeros. */
  initializer?: InitializerLike | null;
  regularizer?: Regularizer | null;
  /** Default 'NHWC'. */
  dataFormat?: 'NHWC' | 'NCHW';
}

/** Adds a variable `biases` to the channels. */
export const biasAdd: (inputs: tf.Tensor, args?: BiasAddArguments) => tf.Tensor = addArgScope(
  (x: tf.Tensor, args: BiasAddArguments = {}) => {
    const { scope = null, reuse, dataFormat = 'NHWC', activationFn, outputsCollections } = args;
    if (dataFormat !== 'NHWC' && dataFormat !== 'NCHW') throw valueError('data_format has to be either NCHW or NHWC.');
    return tidyEager(() =>
      variableScope(scope, { defaultName: 'BiasAdd', reuse }, (sc) => {
        if (dataFormat === 'NCHW' && x.rank !== 4) throw valueError('Data format NCHW only supports 4D Tensor');
        const channels = x.shape[dataFormat === 'NCHW' ? 1 : x.rank - 1] as number;
        const biases = modelVariable('biases', {
          shape: [channels],
          initializer: args.initializer ?? zeros,
          regularizer: args.regularizer,
          collections: getVariableCollections(args.variablesCollections, 'biases'),
          trainable: args.trainable ?? true,
        });
        const y = tf.add(x, dataFormat === 'NCHW' ? tf.reshape(biases, [channels, 1, 1]) : biases);
        return collectNamedOutputs(outputsCollections, sc.name, activationFn ? activationFn(y) : y);
      }),
    );
  },
  {
    name: 'bias_add',
    positional: ['inputs'],
    keywords: ['activationFn', 'initializer', 'regularizer', 'dataFormat', ...VARIABLE_KEYWORDS],
  },
);

/** What `layerNorm` takes. */
export interface LayerNormArguments extends VariableArguments {
  /** Default true. */
  center?: boolean;
  /** Default true. */
  scale?: boolean;
  activationFn?: ActivationFn | null;
  /** First of the axes that are normalized together. Default 1. */
  beginNormAxis?: number;
  /** First of the axes that have parameters of their own. Default -1. */
  beginParamsAxis?: number;
}

/** Layer normalization (arXiv 1607.06450); variables `beta`, `gamma`. */
export const layerNorm: (inputs: tf.Tensor, args?: LayerNormArguments) => tf.Tensor = addArgScope(
  (x: tf.Tensor, args: LayerNormArguments = {}) => {
    const { scope = null, reuse, center = true, scale = true, activationFn, trainable = true } = args;
    const { beginNormAxis = 1, beginParamsAxis = -1, variablesCollections, outputsCollections } = args;
    return tidyEager(() =>
      variableScope(scope, { defaultName: 'LayerNorm', reuse }, (sc) => {
        const first = beginNormAxis < 0 ? x.rank + beginNormAxis : beginNormAxis;
        if (beginParamsAxis >= x.rank || first >= x.rank) {
          throw valueError(
            `begin_params_axis (${beginParamsAxis}) and begin_norm_axis (${first}) must be < rank(inputs) (${x.rank})`,
            { shape: x.shape },
          );
        }
        const shape = x.shape.slice(beginParamsAxis);
        const make = (name: string, initializer: InitializerLike) =>
          modelVariable(name, {
            shape,
            initializer,
            collections: getVariableCollections(variablesCollections, name),
            trainable,
          });
        const beta = center ? make('beta', zeros) : null;
        const gamma = scale ? make('gamma', ones) : null;
        const axes = x.shape.map((_, i) => i).slice(first);
        const { mean, variance } = tf.moments(x, axes, true);
        const y = batchNormalize(x, mean, variance, beta, gamma, 1e-12);
        return collectNamedOutputs(outputsCollections, sc.name, activationFn ? activationFn(y) : y);
      }),
    );
  },
  {
    name: 'layer_norm',
    positional: ['inputs'],
    keywords: ['center', 'scale', 'activationFn', 'beginNormAxis', 'beginParamsAxis', ...VARIABLE_KEYWORDS],
  },
);

/** What `unitNorm` takes. */
export interface UnitNormArguments extends Pick<ScopeArguments, 'scope'> {
  /** Default 1e-7. */
  epsilon?: number;
}

/** Scales each vector along an axis to length 1. */
export const unitNorm: (inputs: tf.Tensor, dim: number, args?: UnitNormArguments) => tf.Tensor = addArgScope(
  (x: tf.Tensor, dim: number, { epsilon = 1e-7, scope = null }: UnitNormArguments = {}) =>
    tidyEager(() =>
      variableScope(scope, { defaultName: 'UnitNorm' }, () => {
        if (dim < 0 || dim >= x.rank)
          throw valueError('dim must be positive but smaller than the input rank.', { dim });
        return tf.div(x, tf.sqrt(tf.add(epsilon, tf.sum(tf.square(x), dim, true))));
      }),
    ),
  { name: 'unit_norm', positional: ['inputs', 'dim'], keywords: ['epsilon', 'scope'] },
);
