// Ports separable_convolution2d of tf_slim/layers/layers.py (tf_slim git 1287b1ef).
import * as tf from '@tensorflow/tfjs-core';
import { depthwiseConvolution, SeparableConv2D, type Spatial } from '@tfparity/layers';
import { type InitializerLike, variableScope } from '@tfparity/variables';
import { addArgScope } from './arg-scope.js';
import { addBiases, type ConvolutionArguments, kernelOptions, pair, withDefaults } from './convolution.js';
import { finish, WEIGHT_KEYWORDS } from './layer-arguments.js';
import { layerVariableGetter, modelVariable } from './model-variables.js';
import { addVariableToCollections, getVariableCollections, tidyEager } from './named-outputs.js';
import { valueError } from './slim-error.js';

/** What `separableConv2d` takes beside input, outputs and kernel size. */
export interface SeparableConvolutionArguments extends ConvolutionArguments {
  /** Outputs of the depthwise step per input channel. Default 1. */
  depthMultiplier?: number;
  /** Default: as `weightsInitializer`. */
  pointwiseInitializer?: InitializerLike | null;
}

const RENAME = {
  bias: 'biases',
  depthwise_kernel: 'depthwise_weights',
  pointwise_kernel: 'pointwise_weights',
};

/**
 * Depthwise convolution, then a pointwise one to `numOutputs` channels (none where it is null), then normalization or
 * biases, then activation. Variables `depthwise_weights`, `pointwise_weights`, `biases`.
 */
export const separableConv2d: (
  inputs: tf.Tensor,
  numOutputs: number | null,
  kernelSize: Spatial,
  args?: SeparableConvolutionArguments,
) => tf.Tensor = addArgScope(
  (x: tf.Tensor, numOutputs: number | null, kernelSize: Spatial, given: SeparableConvolutionArguments = {}) => {
    const args = withDefaults(given);
    const { scope = null, reuse, dataFormat = 'NHWC' } = args;
    if (dataFormat !== 'NHWC' && dataFormat !== 'NCHW') throw valueError('data_format has to be either NCHW or NHWC.');
    const options = { defaultName: 'SeparableConv2d', reuse, customGetter: layerVariableGetter(RENAME) };
    return tidyEager(() =>
      variableScope(scope, options, (sc) => {
        const outputs =
          numOutputs === null ? depthwise(x, kernelSize, args) : separable(x, numOutputs, kernelSize, args, sc);
        return finish(outputs, sc.name, args);
      }),
    );
  },
  {
    name: 'separable_convolution2d',
    positional: ['inputs', 'numOutputs', 'kernelSize'],
    keywords: [
      'depthMultiplier',
      'stride',
      'padding',
      'dataFormat',
      'rate',
      'pointwiseInitializer',
      ...WEIGHT_KEYWORDS,
    ],
  },
);

type Scope = NonNullable<ConstructorParameters<typeof SeparableConv2D>[0]['scope']>;

function separable(
  x: tf.Tensor,
  filters: number,
  kernelSize: Spatial,
  args: SeparableConvolutionArguments,
  scope: Scope,
): tf.Tensor {
  const { kernelInitializer, kernelRegularizer, ...common } = kernelOptions(args);
  const { variablesCollections } = args;
  const layer = new SeparableConv2D({
    ...common,
    filters,
    kernelSize,
    strides: args.stride ?? 1,
    padding: args.padding ?? 'SAME',
    dataFormat: args.dataFormat === 'NCHW' ? 'channels_first' : 'channels_last',
    dilationRate: pair(args.rate ?? 1),
    depthMultiplier: args.depthMultiplier ?? 1,
    depthwiseInitializer: kernelInitializer,
    pointwiseInitializer: args.pointwiseInitializer ?? kernelInitializer,
    depthwiseRegularizer: kernelRegularizer,
    pointwiseRegularizer: kernelRegularizer,
    scope,
  });
  const outputs = layer.apply(x);
  addVariableToCollections(layer.depthwiseKernel, variablesCollections, 'weights');
  addVariableToCollections(layer.pointwiseKernel, variablesCollections, 'weights');
  if (layer.bias !== null) addVariableToCollections(layer.bias, variablesCollections, 'biases');
  return outputs;
}

function depthwise(x: tf.Tensor, kernelSize: Spatial, args: SeparableConvolutionArguments): tf.Tensor {
  const { depthMultiplier = 1, stride = 1, rate = 1, padding = 'SAME' } = args;
  if (x.rank !== 4) throw valueError(`rank of shape must be at least 4 not: ${x.rank}`, { shape: x.shape });
  const first = args.dataFormat === 'NCHW';
  const images = first ? tf.transpose(x, [0, 2, 3, 1]) : x;
  const channels = images.shape[3] as number;
  const weights = modelVariable('depthwise_weights', {
    shape: [...pair(kernelSize), channels, depthMultiplier],
    initializer: args.weightsInitializer,
    regularizer: args.weightsRegularizer,
    collections: getVariableCollections(args.variablesCollections, 'weights'),
    trainable: args.trainable ?? true,
  });
  const filter = weights as tf.Tensor as tf.Tensor4D;
  const pad = padding.toLowerCase() as 'same' | 'valid';
  const outputs = depthwiseConvolution(images as tf.Tensor4D, filter, pair(stride), pad, pair(rate));
  const biased = addBiases(outputs, channels * depthMultiplier, args);
  return first ? tf.transpose(biased, [0, 3, 1, 2]) : biased;
}
