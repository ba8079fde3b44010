// Ports convolution, convolution1d/2d/3d, their transposes and convolution2d_in_plane of tf_slim/layers/layers.py
// (tf_slim git 1287b1ef). Channels first is done by transposing.
import * as tf from '@tensorflow/tfjs-core';
import {
  Conv1D,
  Conv2D,
  Conv2DTranspose,
  Conv3D,
  Conv3DTranspose,
  type ConvolutionOptions,
  depthwiseConvolution,
  type Spatial,
} from '@tfparity/layers';
import { initializers } from '@tfparity/random';
import { type InitializerLike, variableScope } from '@tfparity/variables';
import { addArgScope } from './arg-scope.js';
import { finish, WEIGHT_KEYWORDS, type WeightArguments } from './layer-arguments.js';
import { layerVariableGetter, modelVariable } from './model-variables.js';
import { addVariableToCollections, getVariableCollections, tidyEager } from './named-outputs.js';
import { valueError } from './slim-error.js';

/** What convolutions take beside input, outputs and kernel size. */
export interface ConvolutionArguments extends WeightArguments {
  /** Default 1. */
  stride?: Spatial;
  /** Default 'SAME'. */
  padding?: 'SAME' | 'VALID';
  /** Default: channels last. */
  dataFormat?: 'NWC' | 'NCW' | 'NHWC' | 'NCHW' | 'NDHWC' | 'NCDHW' | null;
  /** Dilation. Default 1. */
  rate?: Spatial;
}

/** A convolution of slim. */
export type ConvolutionFunction = (
  inputs: tf.Tensor,
  numOutputs: number,
  kernelSize: Spatial,
  args?: ConvolutionArguments,
) => tf.Tensor;

/** slim's default for weights. */
export const xavier: InitializerLike = (shape: number[], dtype: tf.DataType) => initializers.xavier()(shape, dtype);

const zeros: InitializerLike = (shape: number[], dtype: tf.DataType) => tf.zeros(shape, dtype);
const relu = (x: tf.Tensor): tf.Tensor => tf.relu(x);

/** `WeightArguments` with slim's defaults in place of what is not given. */
export function withDefaults<A extends WeightArguments>(
  args: A,
): A & { activationFn: WeightArguments['activationFn'] } {
  return { activationFn: relu, weightsInitializer: xavier, biasesInitializer: zeros, ...args };
}

/** Names that slim gives to the variables of a core layer. */
export const RENAME: Readonly<Record<string, string>> = { bias: 'biases', kernel: 'weights' };

/** What core layers call slim's weight arguments. */
export function kernelOptions(args: WeightArguments): Omit<ConvolutionOptions, 'filters' | 'kernelSize'> {
  return {
    useBias: !args.normalizerFn && args.biasesInitializer !== null,
    kernelInitializer: args.weightsInitializer,
    biasInitializer: args.biasesInitializer,
    kernelRegularizer: args.weightsRegularizer,
    biasRegularizer: args.biasesRegularizer,
    trainable: args.trainable ?? true,
    reuse: args.reuse,
  };
}

const FORMATS = [null, 'NWC', 'NCW', 'NHWC', 'NCHW', 'NDHWC', 'NCDHW'];
const LAYERS = { 3: Conv1D, 4: Conv2D, 5: Conv3D } as const;
const POSITIONAL = ['inputs', 'numOutputs', 'kernelSize'];
const KEYWORDS = ['stride', 'padding', 'dataFormat', 'rate', ...WEIGHT_KEYWORDS];

function convolve(
  dims: number | null,
  x: tf.Tensor,
  filters: number,
  kernelSize: Spatial,
  given: ConvolutionArguments,
): tf.Tensor {
  const args = withDefaults(given);
  const { scope = null, reuse, dataFormat = null, variablesCollections, stride = 1, rate = 1, padding = 'SAME' } = args;
  if (!FORMATS.includes(dataFormat)) throw valueError(`Invalid data_format: '${dataFormat}'`, { dataFormat });
  const options = { defaultName: 'Conv', reuse, customGetter: layerVariableGetter(RENAME) };
  return tidyEager(() =>
    variableScope(scope, options, (sc) => {
      if (dims !== null && dims + 2 !== x.rank) {
        throw valueError(`Convolution expects input with rank ${dims + 2}, got ${x.rank}`, { shape: x.shape });
      }
      const CoreLayer = LAYERS[x.rank as 3 | 4 | 5];
      if (CoreLayer === undefined) throw valueError(`Convolution not supported for input with rank ${x.rank}`);
      const layer = new CoreLayer({
        ...kernelOptions(args),
        filters,
        kernelSize,
        strides: stride,
        padding,
        dataFormat: dataFormat?.startsWith('NC') ? 'channels_first' : 'channels_last',
        dilationRate: rate,
        name: sc.name,
        scope: sc,
      });
      const outputs = layer.apply(x);
      addVariableToCollections(layer.kernel, variablesCollections, 'weights');
      if (layer.bias !== null) addVariableToCollections(layer.bias, variablesCollections, 'biases');
      return finish(outputs, sc.name, args);
    }),
  );
}

const convolutionOf = (name: string, dims: number | null): ConvolutionFunction =>
  addArgScope(
    (inputs: tf.Tensor, numOutputs: number, kernelSize: Spatial, args: ConvolutionArguments = {}) =>
      convolve(dims, inputs, numOutputs, kernelSize, args),
    { name, positional: POSITIONAL, keywords: KEYWORDS },
  );

/** Convolution, then normalization or biases, then activation; input of rank 3, 4 or 5. Variables `weights`, `biases`. */
export const convolution: ConvolutionFunction = convolutionOf('convolution', null);

/** `convolution` of sequences: input of rank 3. */
export const conv1d: ConvolutionFunction = convolutionOf('convolution1d', 1);

/** `convolution` of images: input of rank 4. */
export const conv2d: ConvolutionFunction = convolutionOf('convolution2d', 2);

/** `convolution` of volumes: input of rank 5. */
export const conv3d: ConvolutionFunction = convolutionOf('convolution3d', 3);

function transpose(
  dims: 2 | 3,
  x: tf.Tensor,
  filters: number,
  kernelSize: Spatial,
  given: ConvolutionArguments,
): tf.Tensor {
  const args = withDefaults(given);
  const formats = dims === 2 ? ['NCHW', 'NHWC'] : ['NCDHW', 'NDHWC'];
  const { scope = null, reuse, dataFormat = formats[1], variablesCollections, stride = 1, padding = 'SAME' } = args;
  if (!formats.includes(String(dataFormat))) throw valueError(`data_format has to be either ${formats.join(' or ')}.`);
  const options = { defaultName: `Conv${dims}d_transpose`, reuse, customGetter: layerVariableGetter(RENAME) };
  const CoreLayer = dims === 2 ? Conv2DTranspose : Conv3DTranspose;
  return tidyEager(() =>
    variableScope(scope, options, (sc) => {
      const layer = new CoreLayer({
        ...kernelOptions(args),
        filters,
        kernelSize,
        strides: stride,
        padding,
        dataFormat: dataFormat?.startsWith('NC') ? 'channels_first' : 'channels_last',
        name: sc.name,
        scope: sc,
      });
      const outputs = layer.apply(x);
      addVariableToCollections(layer.kernel, variablesCollections, 'weights');
      if (layer.bias !== null) addVariableToCollections(layer.bias, variablesCollections, 'biases');
      return finish(outputs, sc.name, args);
    }),
  );
}

const transposeOf = (name: string, dims: 2 | 3): ConvolutionFunction =>
  addArgScope(
    (inputs: tf.Tensor, numOutputs: number, kernelSize: Spatial, args: ConvolutionArguments = {}) =>
      transpose(dims, inputs, numOutputs, kernelSize, args),
    { name, positional: POSITIONAL, keywords: KEYWORDS.filter((keyword) => keyword !== 'rate') },
  );

/** Transposed convolution of images. */
export const conv2dTranspose: ConvolutionFunction = transposeOf('convolution2d_transpose', 2);

/** Transposed convolution of volumes. */
export const conv3dTranspose: ConvolutionFunction = transposeOf('convolution3d_transpose', 3);

/** The same kernel for each channel on its own: variables `weights` [height, width, 1, 1], `biases`. */
export const conv2dInPlane: (
  inputs: tf.Tensor,
  kernelSize: Spatial,
  args?: Omit<ConvolutionArguments, 'dataFormat' | 'rate'>,
) => tf.Tensor = addArgScope(
  (x: tf.Tensor, kernelSize: Spatial, given: Omit<ConvolutionArguments, 'dataFormat' | 'rate'> = {}) => {
    const args = withDefaults(given);
    const { scope = null, reuse, variablesCollections, stride = 1, padding = 'SAME', trainable = true } = args;
    return tidyEager(() =>
      variableScope(scope, { defaultName: 'ConvInPlane', reuse }, (sc) => {
        if (x.rank < 4) throw valueError(`rank of shape must be at least 4 not: ${x.rank}`, { shape: x.shape });
        const channels = x.shape[x.rank - 1] as number;
        const weights = modelVariable('weights', {
          shape: [...pair(kernelSize), 1, 1],
          initializer: args.weightsInitializer,
          regularizer: args.weightsRegularizer,
          collections: getVariableCollections(variablesCollections, 'weights'),
          trainable,
        });
        const filter = tf.tile(weights, [1, 1, channels, 1]) as tf.Tensor4D;
        const pad = padding.toLowerCase() as 'same' | 'valid';
        const outputs = depthwiseConvolution(x as tf.Tensor4D, filter, pair(stride), pad);
        return finish(addBiases(outputs, channels, args), sc.name, args);
      }),
    );
  },
  {
    name: 'convolution2d_in_plane',
    positional: ['inputs', 'kernelSize'],
    keywords: ['stride', 'padding', ...WEIGHT_KEYWORDS],
  },
);

/** Adds the biases of a layer that has no core layer, unless it is normalized or has none. */
export function addBiases(x: tf.Tensor, channels: number, args: WeightArguments): tf.Tensor {
  if (args.normalizerFn || args.biasesInitializer === null) return x;
  const biases = modelVariable('biases', {
    shape: [channels],
    initializer: args.biasesInitializer,
    regularizer: args.biasesRegularizer,
    collections: getVariableCollections(args.variablesCollections, 'biases'),
    trainable: args.trainable ?? true,
  });
  return tf.add(x, biases);
}

/** Two numbers of one or two (slim's `two_element_tuple`). */
export function pair(value: Spatial): [number, number] {
  if (typeof value === 'number') return [value, value];
  if (value.length !== 2) throw valueError(`Must be a list with 2 elements: ${value}`, { value });
  return [value[0] as number, value[1] as number];
}
