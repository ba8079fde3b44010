// Ports avg_pool2d/3d, max_pool2d/3d of tf_slim/layers/layers.py (tf_slim git 1287b1ef). Departure: no core
// layer, and so no variable scope for it.
import type * as tf from '@tensorflow/tfjs-core';
import { pool, type Reduction, type Spatial } from '@tfparity/layers';
import { nameScope } from '@tfparity/variables';
import { addArgScope } from './arg-scope.js';
import { type ScopeArguments, withScopeKeywords } from './layer-arguments.js';
import { collectNamedOutputs, tidyEager } from './named-outputs.js';
import { valueError } from './slim-error.js';

/** What pools take beside input and kernel size. */
export interface PoolArguments extends Omit<ScopeArguments, 'scope'> {
  /** Default 2. */
  stride?: Spatial;
  /** Default 'VALID'. */
  padding?: 'SAME' | 'VALID';
  /** Default: channels last. */
  dataFormat?: 'NHWC' | 'NCHW' | 'NDHWC' | 'NCDHW';
  /** The op name scope. */
  scope?: string | null;
}

/** A pool of slim. */
export type PoolFunction = (inputs: tf.Tensor, kernelSize: Spatial, args?: PoolArguments) => tf.Tensor;

const IMAGES = ['NCHW', 'NHWC'];
const VOLUMES = ['NCDHW', 'NDHWC'];

function poolOf(name: string, scopeName: string, reduction: Reduction, formats: readonly string[]): PoolFunction {
  const rank = formats === IMAGES ? 4 : 5;
  return addArgScope(
    (x: tf.Tensor, kernelSize: Spatial, args: PoolArguments = {}) => {
      const { stride = 2, padding = 'VALID', dataFormat = formats[1] as string, scope, outputsCollections } = args;
      if (!formats.includes(dataFormat)) throw valueError(`data_format has to be either ${formats.join(' or ')}.`);
      if (x.rank !== rank)
        throw valueError(`${name} expects input with rank ${rank}, got ${x.rank}`, { shape: x.shape });
      const options = {
        poolSize: kernelSize,
        strides: stride,
        padding,
        dataFormat: dataFormat.startsWith('NC') ? 'channels_first' : 'channels_last',
      } as const;
      return tidyEager(() =>
        nameScope(scope ?? scopeName, (sc) => collectNamedOutputs(outputsCollections, sc, pool(x, reduction, options))),
      );
    },
    { name, positional: ['inputs', 'kernelSize'], keywords: withScopeKeywords('stride', 'padding', 'dataFormat') },
  );
}

/** Greatest value of each window of an image; stride 2 and padding 'VALID' unless said. */
export const maxPool2d: PoolFunction = poolOf('max_pool2d', 'MaxPool2D', 'max', IMAGES);

/** Mean of each window of an image; stride 2 and padding 'VALID' unless said. */
export const avgPool2d: PoolFunction = poolOf('avg_pool2d', 'AvgPool2D', 'average', IMAGES);

/** Greatest value of each window of a volume; stride 2 and padding 'VALID' unless said. */
export const maxPool3d: PoolFunction = poolOf('max_pool3d', 'MaxPool3D', 'max', VOLUMES);

/** Mean of each window of a volume; stride 2 and padding 'VALID' unless said. */
export const avgPool3d: PoolFunction = poolOf('avg_pool3d', 'AvgPool3D', 'average', VOLUMES);
