// Ports dropout, flatten, one_hot_encoding, softmax and maxout of tf_slim/layers/layers.py (tf_slim git 1287b1ef).
import * as tf from '@tensorflow/tfjs-core';
import { Dropout } from '@tfparity/layers';
import { nameScope, variableScope } from '@tfparity/variables';
import { addArgScope } from './arg-scope.js';
import { type ScopeArguments, withScopeKeywords } from './layer-arguments.js';
import { layerVariableGetter } from './model-variables.js';
import { collectNamedOutputs, tidyEager } from './named-outputs.js';
import { valueError } from './slim-error.js';

/** What `dropout` takes. */
export interface DropoutArguments extends ScopeArguments {
  /** The share that is kept. Default 0.5. */
  keepProb?: number;
  /** The shape of the mask; null stands for the input's own length of an axis. */
  noiseShape?: readonly (number | null)[] | null;
  /** Default true. */
  isTraining?: boolean;
  seed?: number | bigint | null;
}

/** Dropout in training, by TensorFlow's numbers; the input itself otherwise. */
export const dropout: (inputs: tf.Tensor, args?: DropoutArguments) => tf.Tensor = addArgScope(
  (x: tf.Tensor, args: DropoutArguments = {}) => {
    const { keepProb = 0.5, noiseShape, isTraining = true, seed, scope = null, outputsCollections } = args;
    const options = { defaultName: 'Dropout', customGetter: layerVariableGetter() };
    return tidyEager(() =>
      variableScope(scope, options, (sc) => {
        const layer = new Dropout({ rate: 1 - keepProb, noiseShape, seed, name: sc.name, scope: sc });
        return collectNamedOutputs(outputsCollections, sc.name, layer.apply(x, { training: isTraining }));
      }),
    );
  },
  {
    name: 'dropout',
    positional: ['inputs'],
    keywords: withScopeKeywords('keepProb', 'noiseShape', 'isTraining', 'seed'),
  },
);

/** What `flatten` takes. */
export interface FlattenArguments extends Omit<ScopeArguments, 'scope'> {
  /** The op name scope. */
  scope?: string | null;
}

/** Makes [batch, everything else] of its input. */
export const flatten: (inputs: tf.Tensor, args?: FlattenArguments) => tf.Tensor = addArgScope(
  (x: tf.Tensor, { scope, outputsCollections }: FlattenArguments = {}) =>
    nameScope(scope ?? 'Flatten', (sc) => {
      const shape: [number, number] = [x.shape[0] ?? 1, x.shape.slice(1).reduce((a, b) => a * b, 1)];
      return collectNamedOutputs(outputsCollections, sc, tf.reshape(x, shape));
    }),
  { name: 'flatten', positional: ['inputs'], keywords: withScopeKeywords() },
);

/** What `oneHotEncoding` takes. */
export interface OneHotArguments extends FlattenArguments {
  /** Default 1. */
  onValue?: number;
  /** Default 0. */
  offValue?: number;
}

/** For each label a vector that is `onValue` at the label and `offValue` elsewhere; float32. */
export const oneHotEncoding: (labels: tf.Tensor | number[], numClasses: number, args?: OneHotArguments) => tf.Tensor =
  addArgScope(
    (labels: tf.Tensor | number[], numClasses: number, args: OneHotArguments = {}) => {
      const { onValue = 1, offValue = 0, scope, outputsCollections } = args;
      return nameScope(scope ?? 'OneHotEncoding', (sc) => {
        const indices = labels instanceof tf.Tensor ? labels : tf.tensor1d(labels, 'int32');
        const encoded = tf.oneHot(indices, numClasses, onValue, offValue);
        return collectNamedOutputs(outputsCollections, sc, tf.cast(encoded, 'float32'));
      });
    },
    {
      name: 'one_hot_encoding',
      positional: ['labels', 'numClasses'],
      keywords: withScopeKeywords('onValue', 'offValue'),
    },
  );

/** Softmax over the last axis, whatever the rank. */
export const softmax: (logits: tf.Tensor, args?: Pick<ScopeArguments, 'scope'>) => tf.Tensor = addArgScope(
  (logits: tf.Tensor, { scope = null }: Pick<ScopeArguments, 'scope'> = {}) =>
    tidyEager(() =>
      variableScope(scope, { defaultName: 'softmax' }, () => {
        if (logits.rank < 2) throw valueError(`rank of shape must be at least 2 not: ${logits.rank}`);
        const rows = tf.reshape(logits, [-1, logits.shape[logits.rank - 1] as number]);
        return tf.reshape(tf.softmax(rows), logits.shape);
      }),
    ),
  { name: 'softmax', positional: ['logits'], keywords: ['scope'] },
);

/** What `maxout` takes. */
export interface MaxoutArguments extends Pick<ScopeArguments, 'scope'> {
  /** Default -1. */
  axis?: number;
}

/** The greatest of each group of channels: `numUnits` groups of neighbours. */
export const maxout: (inputs: tf.Tensor, numUnits: number, args?: MaxoutArguments) => tf.Tensor = addArgScope(
  (x: tf.Tensor, numUnits: number, { axis = -1, scope = null }: MaxoutArguments = {}) =>
    tidyEager(() =>
      variableScope(scope, { defaultName: 'MaxOut' }, () => {
        const at = axis < 0 ? x.rank + axis : axis;
        const channels = x.shape[at] as number;
        if (channels % numUnits !== 0) {
          throw valueError(`number of features(${channels}) is not a multiple of num_units(${numUnits})`);
        }
        const shape = x.shape.map((size, i) => (i === at ? numUnits : size));
        return tf.max(tf.reshape(x, [...shape, channels / numUnits]), -1);
      }),
    ),
  { name: 'maxout', positional: ['inputs', 'numUnits'], keywords: ['axis', 'scope'] },
);
