import * as tf from '@tensorflow/tfjs-core';
import { type Fault, kernelFault } from './fault.js';
import type { InterceptedCall } from './kernel-interceptor.js';

const CONVOLUTIONS = new Set(['Conv2D', 'FusedConv2D', 'DepthwiseConv2dNative', 'FusedDepthwiseConv2D']);
const BATCH_NORMS = new Set(['FusedBatchNormV3', 'FusedBatchNorm']);
const POOLS = new Set(['AvgPool', 'MaxPool']);
const ACTIVATIONS = new Set(['Relu', 'Relu6', 'Elu', 'Selu', 'LeakyRelu', 'Sigmoid', 'Tanh']);

/** A call's inputs by name. */
const named = ({ inputs }: InterceptedCall): Record<string, tf.Tensor> => inputs as Record<string, tf.Tensor>;
const filterOf = (call: InterceptedCall): tf.Tensor | undefined => named(call)['filter'];
const isConvolution = (call: InterceptedCall): boolean => CONVOLUTIONS.has(call.kernel);
const isImage = (tensor: tf.Tensor | undefined): boolean => tensor?.shape.length === 4;

/** The largest stride of a call. */
function strideOf({ attrs }: InterceptedCall): number {
  return Math.max(...[attrs['strides'] as number | number[]].flat());
}

/** Whether a filter of that size moves over the image, so that padding matters. */
function hasWindow(call: InterceptedCall): boolean {
  if (POOLS.has(call.kernel)) return Math.max(...[call.attrs['filterSize'] as number | number[]].flat()) > 1;
  const filter = filterOf(call);
  return isConvolution(call) && filter !== undefined && Math.max(filter.shape[0]!, filter.shape[1]!) > 1;
}

/** Faults in single ops; where a model has several places for one, it goes into the middle one. */
export const OP_FAULTS: readonly Fault[] = [
  kernelFault({
    id: 'branch-order',
    title: 'Branches are concatenated in another order',
    description: 'tf.concat([b, a]) for tf.concat([a, b]): the shapes agree, the channels do not',
    applies: ({ kernel, inputs }) => kernel === 'Concat' && Array.isArray(inputs) && inputs.length > 1,
    change: ({ inputs }, proceed) => {
      const [first, second, ...rest] = inputs as readonly tf.Tensor[];
      return proceed({ inputs: [second!, first!, ...rest] });
    },
  }),
  kernelFault({
    id: 'transposed-kernel',
    title: 'A convolution kernel has height and width swapped',
    description: 'weights carried over in another layout: [width, height, in, out] for [height, width, in, out]',
    applies: (call) => {
      const filter = filterOf(call);
      return isConvolution(call) && filter!.shape[0]! > 1 && filter!.shape[0] === filter!.shape[1];
    },
    change: (call, proceed) =>
      proceed({ inputs: { ...named(call), filter: tf.transpose(filterOf(call)!, [1, 0, 2, 3]) } }),
  }),
  kernelFault({
    id: 'wrong-epsilon',
    title: 'Batch normalization with another epsilon',
    description: "a framework's default, 1e-5, for slim's 1e-3 (or the other way round)",
    applies: ({ kernel }) => BATCH_NORMS.has(kernel),
    change: ({ attrs }, proceed) => {
      const name = 'varianceEpsilon' in attrs ? 'varianceEpsilon' : 'epsilon';
      return proceed({ attrs: { ...attrs, [name]: (attrs[name] as number) > 1e-4 ? 1e-5 : 1e-3 } });
    },
  }),
  kernelFault({
    id: 'missing-scale',
    title: 'Batch normalization without its scale',
    description: 'gamma is there, but is not multiplied by (scale=False, slim’s default)',
    applies: (call) => BATCH_NORMS.has(call.kernel) && named(call)['scale'] !== undefined,
    change: (call, proceed) => proceed({ inputs: { ...named(call), scale: tf.onesLike(named(call)['scale']!) } }),
  }),
  kernelFault({
    id: 'batch-norm-mode',
    title: 'Batch normalization in inference mode while training',
    description: 'a training flag that is not passed on: moving averages in place of the batch’s statistics',
    applies: ({ kernel, attrs }) => kernel === 'FusedBatchNormV3' && attrs['isTraining'] === true,
    // The averages of a net that was not trained yet; the kernel is given none while training.
    change: (call, proceed) => {
      const scale = named(call)['scale']!;
      const averages = { mean: tf.zerosLike(scale), variance: tf.onesLike(scale) };
      return proceed({ inputs: { ...named(call), ...averages }, attrs: { ...call.attrs, isTraining: false } });
    },
  }),
  kernelFault({
    id: 'padding',
    title: 'SAME padding for VALID, or the other way round',
    description: "a layer's default padding in place of the one that an arg scope gave it",
    applies: (call) => hasWindow(call) && (call.attrs['pad'] === 'same' || call.attrs['pad'] === 'valid'),
    change: ({ attrs }, proceed) => proceed({ attrs: { ...attrs, pad: attrs['pad'] === 'same' ? 'valid' : 'same' } }),
    // Inside a block the branches would no longer fit together, which needs no comparison to be seen.
    at: 'first',
  }),
  kernelFault({
    id: 'stride-offset',
    title: 'A strided convolution begins one pixel later',
    description: 'symmetric padding, as other frameworks pad, in place of SAME: the same shape, the grid shifted',
    applies: (call) => isConvolution(call) && isImage(named(call)['x']) && strideOf(call) > 1,
    change: (call, proceed) => {
      const x = named(call)['x'] as tf.Tensor4D;
      const [batch, height, width, channels] = x.shape;
      const padded = tf.pad(x, [
        [0, 0],
        [1, 0],
        [1, 0],
        [0, 0],
      ]);
      return proceed({
        inputs: { ...named(call), x: tf.slice(padded, [0, 0, 0, 0], [batch, height, width, channels]) },
      });
    },
  }),
  kernelFault({
    id: 'activation-before-add',
    title: 'The activation is before the addition',
    description: 'relu(a) + b for relu(a + b), in a residual block or at a bias',
    applies: (call) => call.kernel === 'Add' && isImage(named(call)['a']),
    change: (call, proceed) => proceed({ inputs: { ...named(call), b: tf.relu(named(call)['b']!) } }),
  }),
  kernelFault({
    id: 'missing-activation',
    title: 'An activation is missing',
    description: 'a layer made without activation_fn, whose default differs between libraries',
    applies: ({ kernel }) => ACTIVATIONS.has(kernel),
    change: (call) => tf.clone(named(call)['x']!),
  }),
  kernelFault({
    id: 'missing-residual-scale',
    title: 'A residual branch is not scaled',
    description: 'net + up for net + scale * up',
    applies: (call) => {
      const { a, b } = named(call);
      return call.kernel === 'Multiply' && ((isImage(a) && b?.rank === 0) || (isImage(b) && a?.rank === 0));
    },
    change: (call) => {
      const { a, b } = named(call);
      return tf.clone(b!.rank === 0 ? a! : b!);
    },
  }),
  kernelFault({
    id: 'average-pool-padding',
    title: 'Average pooling counts its padding',
    description:
      'the sum divided by the whole window at the border (count_include_pad), where TensorFlow leaves padding out',
    applies: (call) => call.kernel === 'AvgPool' && call.attrs['pad'] === 'same' && hasWindow(call),
    change: (call, proceed) => {
      const x = named(call)['x'] as tf.Tensor4D;
      const [height, width] = [call.attrs['filterSize'] as number | [number, number]].flat() as number[];
      const size = height! * (width ?? height!);
      // How much of each window lies inside: a depthwise convolution with ones counts it.
      const filter = tf.ones([height!, width ?? height!, x.shape[3], 1]) as tf.Tensor4D;
      const strides = call.attrs['strides'] as [number, number];
      const counted = tf.depthwiseConv2d(tf.onesLike(x), filter, strides, 'same');
      return tf.mul(proceed() as tf.Tensor, tf.div(counted, size));
    },
  }),
  kernelFault({
    id: 'other-pool',
    title: 'Maximum for average pooling',
    description: 'the wrong pooling layer',
    applies: ({ kernel }) => kernel === 'AvgPool',
    change: (_, proceed) => proceed({ kernel: 'MaxPool' }),
  }),
  kernelFault({
    id: 'dropout-rate',
    title: 'Another dropout rate',
    description: 'a rate where keep_prob was meant: more is dropped',
    applies: (call) => call.kernel === 'GreaterEqual' && named(call)['b']?.rank === 0,
    change: (call, proceed) => proceed({ inputs: { ...named(call), b: tf.div(tf.add(named(call)['b']!, 1), 2) } }),
  }),
];
