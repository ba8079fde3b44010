// Ports AvgPoolGrad and MaxPoolGrad (kernels/avgpooling_op.cc, maxpooling_op.cc, TF 2.21): tfjs's own on wasm and cpu divide by the whole window at an edge, and give a tie to another value.
import * as tf from '@tensorflow/tfjs-core';
import type { GradientFunction } from './forward-op.js';

/** A pooling as three axes; of two, the first has the size 1. */
interface Pooling {
  readonly batch: number;
  readonly channels: number;
  readonly input: readonly [number, number, number];
  readonly output: readonly [number, number, number];
  readonly filter: readonly [number, number, number];
  readonly strides: readonly [number, number, number];
  readonly before: readonly [number, number, number];
}

interface PoolAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

function poolingOf(shape: readonly number[], attrs: PoolAttributes): Pooling {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  if (shape.length === 4) {
    const info = tf.backend_util.computePool2DInfo(
      ...([shape as [number, number, number, number], filterSize, strides, 1, pad, dimRoundingMode] as const),
    );
    return {
      batch: info.batchSize,
      channels: info.inChannels,
      input: [1, info.inHeight, info.inWidth],
      output: [1, info.outHeight, info.outWidth],
      filter: [1, info.filterHeight, info.filterWidth],
      strides: [1, info.strideHeight, info.strideWidth],
      before: [0, info.padInfo.top, info.padInfo.left],
    };
  }
  const info = tf.backend_util.computePool3DInfo(
    shape as [number, number, number, number, number],
    filterSize as unknown as [number, number, number],
    strides as unknown as [number, number, number],
    1,
    pad as 'same',
    dimRoundingMode,
  );
  return {
    batch: info.batchSize,
    channels: info.inChannels,
    input: [info.inDepth, info.inHeight, info.inWidth],
    output: [info.outDepth, info.outHeight, info.outWidth],
    filter: [info.filterDepth, info.filterHeight, info.filterWidth],
    strides: [info.strideDepth, info.strideHeight, info.strideWidth],
    before: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
  };
}

/** The pixels of a window that lie in the input, as offsets of their first channels. */
function pixelsOf(pooling: Pooling, image: number, window: readonly [number, number, number], pixels: number[]): void {
  const { input, filter, strides, before, channels } = pooling;
  const [first, last]: [number[], number[]] = [[], []];
  for (let axis = 0; axis < 3; axis++) {
    const begin = window[axis]! * strides[axis]! - before[axis]!;
    first.push(Math.max(0, begin));
    last.push(Math.min(input[axis]!, begin + filter[axis]!));
  }
  pixels.length = 0;
  for (let z = first[0]!; z < last[0]!; z++) {
    for (let y = first[1]!; y < last[1]!; y++) {
      for (let x = first[2]!; x < last[2]!; x++) {
        pixels.push((((image * input[0] + z) * input[1] + y) * input[2] + x) * channels);
      }
    }
  }
}

/** Gives each window's gradient to its pixels; `share` is told the window's pixels and the place of its gradient. */
function eachWindow(pooling: Pooling, share: (pixels: readonly number[], at: number) => void): void {
  const { batch, output, channels } = pooling;
  const pixels: number[] = [];
  let at = 0;
  for (let image = 0; image < batch; image++) {
    for (let z = 0; z < output[0]; z++) {
      for (let y = 0; y < output[1]; y++) {
        for (let x = 0; x < output[2]; x++, at += channels) {
          pixelsOf(pooling, image, [z, y, x], pixels);
          share(pixels, at);
        }
      }
    }
  }
}

/** Evenly over the pixels of the input, and none to the padding. */
function averageGradient(pooling: Pooling, dy: Float32Array): Float32Array {
  const dx = new Float32Array(pooling.batch * tf.util.sizeFromShape([...pooling.input]) * pooling.channels);
  eachWindow(pooling, (pixels, at) => {
    const part = 1 / pixels.length;
    for (let channel = 0; channel < pooling.channels; channel++) {
      const each = Math.fround(dy[at + channel]! * part);
      for (const pixel of pixels) dx[pixel + channel]! += each;
    }
  });
  return dx;
}

/** To the first of the greatest. */
function maximumGradient(pooling: Pooling, dy: Float32Array, values: Float32Array): Float32Array {
  const dx = new Float32Array(values.length);
  eachWindow(pooling, (pixels, at) => {
    for (let channel = 0; channel < pooling.channels; channel++) {
      const best = greatest(pixels, channel, values);
      dx[best]! += dy[at + channel]!;
    }
  });
  return dx;
}

/** To each of the greatest, all of it: so TensorFlow has it for three axes. */
function maximum3DGradient(pooling: Pooling, dy: Float32Array, values: Float32Array): Float32Array {
  const dx = new Float32Array(values.length);
  eachWindow(pooling, (pixels, at) => {
    for (let channel = 0; channel < pooling.channels; channel++) {
      const best = values[greatest(pixels, channel, values)]!;
      for (const pixel of pixels) if (values[pixel + channel] === best) dx[pixel + channel]! += dy[at + channel]!;
    }
  });
  return dx;
}

function greatest(pixels: readonly number[], channel: number, values: Float32Array): number {
  let best = pixels[0]! + channel;
  for (const pixel of pixels) if (values[pixel + channel]! > values[best]!) best = pixel + channel;
  return best;
}

interface PortableBackend {
  readSync(dataId: tf.DataId): Float32Array;
  write(values: Float32Array, shape: number[], dtype: tf.DataType): tf.DataId;
}

function gradientOf(stock: string, pooling: Pooling, dy: Float32Array, values: () => Float32Array): Float32Array {
  if (stock === 'MaxPoolGrad') return maximumGradient(pooling, dy, values());
  if (stock === 'MaxPool3DGrad') return maximum3DGradient(pooling, dy, values());
  return averageGradient(pooling, dy);
}

/** TensorFlow.js's kernels, which on `tensorflow` are TensorFlow's, and ours for the other backends. */
const KERNELS = {
  AvgPoolGrad: 'WindowAvgPoolGrad',
  AvgPool3DGrad: 'WindowAvgPool3DGrad',
  MaxPoolGrad: 'WindowMaxPoolGrad',
  MaxPool3DGrad: 'WindowMaxPool3DGrad',
} as const;

/** The gradient of an average's gradient is the average (nn_grad.py, _AvgPoolGradGrad). */
function registerSecondOrder(kernelName: string, average: string): void {
  if (tf.getGradient(kernelName) !== undefined) return;
  tf.registerGradient({
    kernelName,
    inputsToSave: ['input'],
    gradFunc: (ddx, [input], attrs) => ({
      dy: () => tf.engine().runKernel(average, { x: ddx as tf.Tensor }, attrs),
      input: () => tf.zerosLike(input!),
    }),
  });
}

/** Registers the kernels of this file, where they are not there yet. */
export function registerPoolGradients(): void {
  registerSecondOrder(KERNELS.AvgPoolGrad, 'AvgPool');
  registerSecondOrder(KERNELS.AvgPool3DGrad, 'AvgPool3D');
  for (const [stock, kernelName] of Object.entries(KERNELS)) {
    for (const backendName of ['tensorflow', 'wasm', 'cpu', 'webgl', 'webgpu']) {
      if (tf.getKernel(kernelName, backendName) !== undefined) continue;
      tf.registerKernel({
        kernelName,
        backendName,
        kernelFunc: (call) => {
          if (backendName === 'tensorflow') return tf.getKernel(stock, backendName)!.kernelFunc(call);
          const [dy, input] = [call.inputs['dy']!, call.inputs['input']!];
          const backend = call.backend as PortableBackend;
          const pooling = poolingOf(input.shape, call.attrs as unknown as PoolAttributes);
          const gradient = backend.readSync(dy.dataId);
          const values = gradientOf(stock, pooling, gradient, () => backend.readSync(input.dataId));
          return { dataId: backend.write(values, input.shape, 'float32'), shape: input.shape, dtype: 'float32' };
        },
      });
    }
  }
}

function pool(kernel: string): GradientFunction {
  return ({ inputNames, attrs, input, output }, dys) => {
    const [dy, x] = [dys[0], input(inputNames[0]!)];
    if (dy == null || x === undefined) return undefined;
    const y = output(0);
    const inputs = { dy, input: x, ...(y === undefined ? {} : { output: y }) };
    return { [inputNames[0]!]: () => tf.engine().runKernel<tf.Tensor>(kernel, inputs, attrs as tf.NamedAttrMap) };
  };
}

/** By kernel. */
export const POOL_GRADIENTS: Readonly<Record<string, GradientFunction>> = {
  AvgPool: pool(KERNELS.AvgPoolGrad),
  AvgPool3D: pool(KERNELS.AvgPool3DGrad),
  MaxPool: pool(KERNELS.MaxPoolGrad),
  MaxPool3D: pool(KERNELS.MaxPool3DGrad),
};
