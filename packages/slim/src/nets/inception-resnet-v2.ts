// Ports research/slim/nets/inception_resnet_v2.py (tensorflow/models): names, order and end points. Szegedy et al.,
// "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", arXiv 1602.07261.
import * as tf from '@tensorflow/tfjs-core';
import { GraphKeys, type Reuse, type VariableScope, variableScope } from '@tfparity/variables';
import { type ArgScope, argScope } from '../arg-scope.js';
import { batchNorm } from '../batch-norm.js';
import { conv2d } from '../convolution.js';
import { dropout, flatten } from '../core.js';
import { fullyConnected } from '../fully-connected.js';
import type { ActivationFn } from '../layer-arguments.js';
import { type CollectionNames, tidyEager } from '../named-outputs.js';
import { avgPool2d, maxPool2d } from '../pooling.js';
import { l2Regularizer } from '../regularizers.js';
import { repeat } from '../repeat.js';
import { valueError } from '../slim-error.js';

/** What a residual block takes. */
export interface BlockArguments {
  /** Factor of the residual. Default 1. */
  scale?: number;
  /** Default relu; null for none. */
  activationFn?: ActivationFn | null;
  scope?: string | VariableScope | null;
  reuse?: Reuse | null;
}

/** Tensors of a net by name, in the order in which they came to be. */
export type EndPoints = Record<string, tf.Tensor>;

const relu: ActivationFn = tf.relu;

/** A branch of a block: its own variable scope. */
const branch = (index: number, body: () => tf.Tensor): tf.Tensor => variableScope(`Branch_${index}`, body);

const concat = (towers: tf.Tensor[]): tf.Tensor => tf.concat(towers, 3);

function residual(
  defaultName: string,
  net: tf.Tensor,
  { scale = 1, activationFn = relu, scope = null, reuse }: BlockArguments,
  towers: () => tf.Tensor[],
): tf.Tensor {
  return tidyEager(() =>
    variableScope(scope, { defaultName, reuse }, () => {
      const mixed = concat(towers());
      const channels = net.shape[3] as number;
      const up = conv2d(mixed, channels, 1, { normalizerFn: null, activationFn: null, scope: 'Conv2d_1x1' });
      let scaled: tf.Tensor = tf.mul(up, scale);
      // Residuals of a bounded activation are bounded too.
      if (activationFn === tf.relu6) scaled = tf.clipByValue(scaled, -6, 6);
      const sum = tf.add(net, scaled);
      return activationFn ? activationFn(sum) : sum;
    }),
  );
}

/** The 35 x 35 residual block. */
export function block35(net: tf.Tensor, args: BlockArguments = {}): tf.Tensor {
  return residual('Block35', net, args, () => [
    branch(0, () => conv2d(net, 32, 1, { scope: 'Conv2d_1x1' })),
    branch(1, () => {
      const tower = conv2d(net, 32, 1, { scope: 'Conv2d_0a_1x1' });
      return conv2d(tower, 32, 3, { scope: 'Conv2d_0b_3x3' });
    }),
    branch(2, () => {
      let tower = conv2d(net, 32, 1, { scope: 'Conv2d_0a_1x1' });
      tower = conv2d(tower, 48, 3, { scope: 'Conv2d_0b_3x3' });
      return conv2d(tower, 64, 3, { scope: 'Conv2d_0c_3x3' });
    }),
  ]);
}

/** The 17 x 17 residual block. */
export function block17(net: tf.Tensor, args: BlockArguments = {}): tf.Tensor {
  return residual('Block17', net, args, () => [
    branch(0, () => conv2d(net, 192, 1, { scope: 'Conv2d_1x1' })),
    branch(1, () => {
      let tower = conv2d(net, 128, 1, { scope: 'Conv2d_0a_1x1' });
      tower = conv2d(tower, 160, [1, 7], { scope: 'Conv2d_0b_1x7' });
      return conv2d(tower, 192, [7, 1], { scope: 'Conv2d_0c_7x1' });
    }),
  ]);
}

/** The 8 x 8 residual block. */
export function block8(net: tf.Tensor, args: BlockArguments = {}): tf.Tensor {
  return residual('Block8', net, args, () => [
    branch(0, () => conv2d(net, 192, 1, { scope: 'Conv2d_1x1' })),
    branch(1, () => {
      let tower = conv2d(net, 192, 1, { scope: 'Conv2d_0a_1x1' });
      tower = conv2d(tower, 224, [1, 3], { scope: 'Conv2d_0b_1x3' });
      return conv2d(tower, 256, [3, 1], { scope: 'Conv2d_0c_3x1' });
    }),
  ]);
}

/** What `inceptionResnetV2Base` takes. */
export interface InceptionResnetV2BaseArguments {
  /** The last tensor that is wanted. Default 'Conv2d_7b_1x1'. */
  finalEndpoint?: string;
  /** 8 or 16: how many input pixels one of the features up to 'PreAuxLogits' stands for. Default 16. */
  outputStride?: number;
  /** All paddings 'SAME', so that features of different sizes are aligned. Default false. */
  alignFeatureMaps?: boolean;
  scope?: string | VariableScope | null;
  /** Default relu. */
  activationFn?: ActivationFn | null;
}

type Pad = 'SAME' | 'VALID';

/** Each stage of the base: its end point and what it computes. */
function stages(
  padding: Pad,
  atrous: boolean,
  activationFn: ActivationFn | null,
): [string, (x: tf.Tensor) => tf.Tensor][] {
  const blocks = (count: number, block: typeof block35, scale: number) => (x: tf.Tensor) =>
    repeat(x, count, block, { scale, activationFn });
  return [
    ['Conv2d_1a_3x3', (x) => conv2d(x, 32, 3, { stride: 2, padding, scope: 'Conv2d_1a_3x3' })],
    ['Conv2d_2a_3x3', (x) => conv2d(x, 32, 3, { padding, scope: 'Conv2d_2a_3x3' })],
    ['Conv2d_2b_3x3', (x) => conv2d(x, 64, 3, { scope: 'Conv2d_2b_3x3' })],
    ['MaxPool_3a_3x3', (x) => maxPool2d(x, 3, { stride: 2, padding, scope: 'MaxPool_3a_3x3' })],
    ['Conv2d_3b_1x1', (x) => conv2d(x, 80, 1, { padding, scope: 'Conv2d_3b_1x1' })],
    ['Conv2d_4a_3x3', (x) => conv2d(x, 192, 3, { padding, scope: 'Conv2d_4a_3x3' })],
    ['MaxPool_5a_3x3', (x) => maxPool2d(x, 3, { stride: 2, padding, scope: 'MaxPool_5a_3x3' })],
    ['Mixed_5b', mixed5b],
    ['Mixed_6a', (x) => mixed6a(blocks(10, block35, 0.17)(x), padding, atrous ? 1 : 2)],
    ['PreAuxLogits', (x) => argScope([conv2d], { rate: atrous ? 2 : 1 }, () => blocks(20, block17, 0.1)(x))],
    ['Mixed_7a', (x) => mixed7a(x, padding)],
    [
      'Conv2d_7b_1x1',
      (x) => {
        const net = block8(blocks(9, block8, 0.2)(x), { activationFn: null });
        return conv2d(net, 1536, 1, { scope: 'Conv2d_7b_1x1' });
      },
    ],
  ];
}

function mixed5b(net: tf.Tensor): tf.Tensor {
  return variableScope('Mixed_5b', () =>
    concat([
      branch(0, () => conv2d(net, 96, 1, { scope: 'Conv2d_1x1' })),
      branch(1, () => {
        const tower = conv2d(net, 48, 1, { scope: 'Conv2d_0a_1x1' });
        return conv2d(tower, 64, 5, { scope: 'Conv2d_0b_5x5' });
      }),
      branch(2, () => {
        let tower = conv2d(net, 64, 1, { scope: 'Conv2d_0a_1x1' });
        tower = conv2d(tower, 96, 3, { scope: 'Conv2d_0b_3x3' });
        return conv2d(tower, 96, 3, { scope: 'Conv2d_0c_3x3' });
      }),
      branch(3, () => {
        const pool = avgPool2d(net, 3, { stride: 1, padding: 'SAME', scope: 'AvgPool_0a_3x3' });
        return conv2d(pool, 64, 1, { scope: 'Conv2d_0b_1x1' });
      }),
    ]),
  );
}

function mixed6a(net: tf.Tensor, padding: Pad, stride: number): tf.Tensor {
  return variableScope('Mixed_6a', () =>
    concat([
      branch(0, () => conv2d(net, 384, 3, { stride, padding, scope: 'Conv2d_1a_3x3' })),
      branch(1, () => {
        let tower = conv2d(net, 256, 1, { scope: 'Conv2d_0a_1x1' });
        tower = conv2d(tower, 256, 3, { scope: 'Conv2d_0b_3x3' });
        return conv2d(tower, 384, 3, { stride, padding, scope: 'Conv2d_1a_3x3' });
      }),
      branch(2, () => maxPool2d(net, 3, { stride, padding, scope: 'MaxPool_1a_3x3' })),
    ]),
  );
}

function mixed7a(net: tf.Tensor, padding: Pad): tf.Tensor {
  return variableScope('Mixed_7a', () =>
    concat([
      branch(0, () => {
        const tower = conv2d(net, 256, 1, { scope: 'Conv2d_0a_1x1' });
        return conv2d(tower, 384, 3, { stride: 2, padding, scope: 'Conv2d_1a_3x3' });
      }),
      branch(1, () => {
        const tower = conv2d(net, 256, 1, { scope: 'Conv2d_0a_1x1' });
        return conv2d(tower, 288, 3, { stride: 2, padding, scope: 'Conv2d_1a_3x3' });
      }),
      branch(2, () => {
        let tower = conv2d(net, 256, 1, { scope: 'Conv2d_0a_1x1' });
        tower = conv2d(tower, 288, 3, { scope: 'Conv2d_0b_3x3' });
        return conv2d(tower, 320, 3, { stride: 2, padding, scope: 'Conv2d_1a_3x3' });
      }),
      branch(3, () => maxPool2d(net, 3, { stride: 2, padding, scope: 'MaxPool_1a_3x3' })),
    ]),
  );
}

/**
 * The net up to an end point, with all end points on the way.
 *
 * @throws {SlimError} `ValueError` for an end point that is not known, or an output stride that is not 8 or 16 (8 goes
 * only as far as 'PreAuxLogits').
 */
export function inceptionResnetV2Base(
  inputs: tf.Tensor,
  args: InceptionResnetV2BaseArguments = {},
): { net: tf.Tensor; endPoints: EndPoints } {
  const { finalEndpoint = 'Conv2d_7b_1x1', outputStride = 16, alignFeatureMaps = false, scope = null } = args;
  const { activationFn = relu } = args;
  if (outputStride !== 8 && outputStride !== 16) {
    throw valueError('output_stride must be 8 or 16.', { outputStride });
  }
  const padding = alignFeatureMaps ? 'SAME' : 'VALID';
  const plan = stages(padding, outputStride === 8, activationFn);
  const names = plan.map(([name]) => name);
  // slim computes the whole net before it says either.
  if (!names.includes(finalEndpoint)) {
    throw valueError(`final_endpoint (${finalEndpoint}) not recognized; known are ${names.join(', ')}`, {
      finalEndpoint,
    });
  }
  if (outputStride === 8 && names.indexOf(finalEndpoint) > names.indexOf('PreAuxLogits')) {
    throw valueError('output_stride==8 is only supported up to the PreAuxlogits end_point for now.', { finalEndpoint });
  }
  const endPoints: EndPoints = {};
  return tidyEager(() =>
    variableScope(scope, { defaultName: 'InceptionResnetV2' }, () =>
      argScope([conv2d, maxPool2d, avgPool2d], { stride: 1, padding: 'SAME' }, () => {
        let net = inputs;
        for (const [name, compute] of plan) {
          net = compute(net);
          endPoints[name] = net;
          if (name === finalEndpoint) break;
        }
        return { net, endPoints };
      }),
    ),
  );
}

/** What `inceptionResnetV2` takes. */
export interface InceptionResnetV2Arguments {
  /** 0 or null: no logits, `logits` is the pooled features. Default 1001. */
  numClasses?: number | null;
  /** Default true. */
  isTraining?: boolean;
  /** Default 0.8. */
  dropoutKeepProb?: number;
  reuse?: Reuse | null;
  /** Default 'InceptionResnetV2'. */
  scope?: string | VariableScope | null;
  /** Default true. */
  createAuxLogits?: boolean;
  /** Default relu. */
  activationFn?: ActivationFn | null;
}

/** What a net gives: the logits, and its tensors by name. */
export type NetResult = {
  logits: tf.Tensor;
  endPoints: EndPoints;
};

/**
 * Inception-ResNet-v2 for images of [batch, 299, 299, 3] (`defaultImageSize`): logits of [batch, numClasses] and 17 end
 * points by slim's names, in slim's order. In eager code the caller owns the end points; what lies between is disposed.
 */
export function inceptionResnetV2(inputs: tf.Tensor, args: InceptionResnetV2Arguments = {}): NetResult {
  const { numClasses = 1001, isTraining = true, dropoutKeepProb = 0.8, createAuxLogits = true } = args;
  const { reuse, scope = 'InceptionResnetV2', activationFn = relu } = args;
  return tidyEager(() =>
    variableScope(scope, { defaultName: 'InceptionResnetV2', reuse }, (sc) =>
      argScope([batchNorm, dropout], { isTraining }, () => {
        const { net, endPoints } = inceptionResnetV2Base(inputs, { scope: sc, activationFn });
        if (createAuxLogits && numClasses) {
          endPoints['AuxLogits'] = variableScope('AuxLogits', () => auxLogits(endPoints, numClasses));
        }
        return variableScope('Logits', () => head(net, endPoints, numClasses ?? 0, dropoutKeepProb));
      }),
    ),
  );
}

/** The side of the images that the net was made for. */
inceptionResnetV2.defaultImageSize = 299;

function auxLogits(endPoints: EndPoints, numClasses: number): tf.Tensor {
  let aux = endPoints['PreAuxLogits'] as tf.Tensor;
  aux = avgPool2d(aux, 5, { stride: 3, padding: 'VALID', scope: 'Conv2d_1a_3x3' });
  aux = conv2d(aux, 128, 1, { scope: 'Conv2d_1b_1x1' });
  aux = conv2d(aux, 768, aux.shape.slice(1, 3), { padding: 'VALID', scope: 'Conv2d_2a_5x5' });
  return fullyConnected(flatten(aux), numClasses, { activationFn: null, scope: 'Logits' });
}

function head(features: tf.Tensor, endPoints: EndPoints, numClasses: number, keepProb: number): NetResult {
  let net = avgPool2d(features, features.shape.slice(1, 3), { padding: 'VALID', scope: 'AvgPool_1a_8x8' });
  endPoints['global_pool'] = net;
  if (!numClasses) return { logits: net, endPoints };
  net = dropout(flatten(net), { keepProb, scope: 'Dropout' });
  endPoints['PreLogitsFlatten'] = net;
  const logits = fullyConnected(net, numClasses, { activationFn: null, scope: 'Logits' });
  endPoints['Logits'] = logits;
  endPoints['Predictions'] = tf.softmax(logits);
  return { logits, endPoints };
}

/** What `inceptionResnetV2ArgScope` takes. */
export interface InceptionResnetV2ArgScopeArguments {
  /** Scale of the L2 regularizer of weights and biases. Default 0.00004. */
  weightDecay?: number;
  /** Default 0.9997. */
  batchNormDecay?: number;
  /** Default 0.001. */
  batchNormEpsilon?: number;
  /** Default relu. */
  activationFn?: ActivationFn | null;
  /** Default `GraphKeys.UPDATE_OPS`. */
  batchNormUpdatesCollections?: CollectionNames | null;
  /** Whether batch norms have a `gamma`. Default false. */
  batchNormScale?: boolean;
}

/** The scope that the net was trained in; enter it with `argScope(inceptionResnetV2ArgScope({…}))`. */
export function inceptionResnetV2ArgScope(args: InceptionResnetV2ArgScopeArguments = {}): ArgScope {
  const { weightDecay = 0.00004, batchNormDecay = 0.9997, batchNormEpsilon = 0.001, activationFn = relu } = args;
  const { batchNormUpdatesCollections = GraphKeys.UPDATE_OPS, batchNormScale = false } = args;
  const weightsRegularizer = l2Regularizer(weightDecay);
  const biasesRegularizer = l2Regularizer(weightDecay);
  const normalizerParams = {
    decay: batchNormDecay,
    epsilon: batchNormEpsilon,
    updatesCollections: batchNormUpdatesCollections,
    fused: null,
    scale: batchNormScale,
  };
  return argScope([conv2d, fullyConnected], { weightsRegularizer, biasesRegularizer }, () =>
    argScope([conv2d], { activationFn, normalizerFn: batchNorm, normalizerParams }, (scope) => scope),
  );
}
