// The gradients of convolutions that tfjs-backend-wasm 4.22 lacks; after tfjs-backend-cpu's kernels of the same names.
import * as tf from '@tensorflow/tfjs-core';

const BACKENDS = ['wasm'];

type Pad = 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;

interface ConvolutionAttrs {
  readonly strides: number | [number, number];
  readonly pad: Pad;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly filterShape: [number, number, number, number];
  readonly inputShape: [number, number, number, number];
}

interface KernelCall {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly attrs?: tf.NamedAttrMap | undefined;
  readonly backend: unknown;
}

/**
 * A filter's gradient as a convolution: of the images with batch and channels exchanged, by the gradient as the filter,
 * whose taps lie as far apart as the windows did. So it runs on the backend's own fast kernel.
 */
function filterGradient({ inputs, attrs }: KernelCall): tf.TensorInfo {
  const [x, dy] = [inputs['x'] as tf.Tensor4D, inputs['dy'] as tf.Tensor4D];
  const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attrs as unknown as ConvolutionAttrs;
  if (dataFormat === 'NCHW') throw new Error('Conv2DBackpropFilter on wasm takes the data format NHWC only');
  const { padInfo, strideHeight, strideWidth, outHeight, outWidth } = tf.backend_util.computeConv2DInfo(
    x.shape,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const [height, width] = filterShape;
  // As much of the padded images as the windows cover, to the last row and column.
  const bottom = (outHeight - 1) * strideHeight + height - x.shape[1] - padInfo.top;
  const right = (outWidth - 1) * strideWidth + width - x.shape[2] - padInfo.left;
  return tf.tidy(() => {
    const covered = tf.slice(
      x,
      [0, 0, 0, 0],
      [-1, x.shape[1] + Math.min(bottom, 0), x.shape[2] + Math.min(right, 0), -1],
    );
    const images = tf.transpose(covered, [3, 1, 2, 0]) as tf.Tensor4D;
    const taps = tf.transpose(dy, [1, 2, 0, 3]) as tf.Tensor4D;
    const pads: [number, number][] = [
      [0, 0],
      [padInfo.top, Math.max(bottom, 0)],
      [padInfo.left, Math.max(right, 0)],
      [0, 0],
    ];
    const gradient = tf.conv2d(images, taps, 1, pads as tf.backend_util.ExplicitPadding, 'NHWC', [
      strideHeight,
      strideWidth,
    ]);
    return tf.transpose(gradient, [1, 2, 0, 3]);
  });
}

interface ValueBackend {
  readSync(dataId: tf.DataId): Float32Array;
  write(values: Float32Array, shape: number[], dtype: 'float32'): tf.DataId;
}

function output(backend: ValueBackend, shape: readonly number[], sums: Float64Array): tf.TensorInfo {
  const values = Float32Array.from(sums);
  return { dataId: backend.write(values, [...shape], 'float32'), shape: [...shape], dtype: 'float32' };
}

/** A product of a depthwise convolution: flat places in image, filter and output. */
type Term = (image: number, filter: number, output: number) => void;

/** Calls `term` for every product that a depthwise convolution sums. */
function eachProduct(info: tf.backend_util.Conv2DInfo, term: Term): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = info;
  const multiplier = outChannels / inChannels;
  for (let b = 0; b < batchSize; b++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ky = 0; ky < filterHeight; ky++) {
        const iy = oy * strideHeight + ky * dilationHeight - padInfo.top;
        if (iy < 0 || iy >= inHeight) continue;
        for (let ox = 0; ox < outWidth; ox++) {
          for (let kx = 0; kx < filterWidth; kx++) {
            const ix = ox * strideWidth + kx * dilationWidth - padInfo.left;
            if (ix < 0 || ix >= inWidth) continue;
            const image = ((b * inHeight + iy) * inWidth + ix) * inChannels;
            const filter = (ky * filterWidth + kx) * outChannels;
            const out = ((b * outHeight + oy) * outWidth + ox) * outChannels;
            for (let c = 0; c < outChannels; c++) term(image + Math.floor(c / multiplier), filter + c, out + c);
          }
        }
      }
    }
  }
}

function depthwiseInfo(
  attrs: ConvolutionAttrs,
  inputShape: ConvolutionAttrs['inputShape'],
  filterShape: ConvolutionAttrs['filterShape'],
) {
  const { strides, dilations = 1, pad, dimRoundingMode } = attrs;
  return tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, dilations, pad, dimRoundingMode, true);
}

function depthwiseFilterGradient({ inputs, attrs, backend }: KernelCall): tf.TensorInfo {
  const [x, dy] = [inputs['x'] as tf.Tensor4D, inputs['dy'] as tf.Tensor4D];
  const given = attrs as unknown as ConvolutionAttrs;
  const values = backend as ValueBackend;
  const [images, gradients] = [values.readSync(x.dataId), values.readSync(dy.dataId)];
  const sums = new Float64Array(tf.util.sizeFromShape(given.filterShape));
  eachProduct(depthwiseInfo(given, x.shape, given.filterShape), (image, filter, out) => {
    sums[filter]! += images[image]! * gradients[out]!;
  });
  return output(values, given.filterShape, sums);
}

function depthwiseInputGradient({ inputs, attrs, backend }: KernelCall): tf.TensorInfo {
  const [dy, filter] = [inputs['dy'] as tf.Tensor4D, inputs['filter'] as tf.Tensor4D];
  const given = attrs as unknown as ConvolutionAttrs;
  const values = backend as ValueBackend;
  const [gradients, weights] = [values.readSync(dy.dataId), values.readSync(filter.dataId)];
  const sums = new Float64Array(tf.util.sizeFromShape(given.inputShape));
  eachProduct(depthwiseInfo(given, given.inputShape, filter.shape), (image, at, out) => {
    sums[image]! += weights[at]! * gradients[out]!;
  });
  return output(values, given.inputShape, sums);
}

const KERNELS: Readonly<Record<string, (call: KernelCall) => tf.TensorInfo>> = {
  Conv2DBackpropFilter: filterGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
  DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
};

let ensured = false;

/** Registers the gradients of convolutions where a backend has none, once. */
export function ensureConvolutionGradients(): void {
  if (ensured) return;
  ensured = true;
  for (const backendName of BACKENDS) {
    for (const [kernelName, run] of Object.entries(KERNELS)) {
      if (tf.getKernel(kernelName, backendName) !== undefined) continue;
      tf.registerKernel({
        kernelName,
        backendName,
        kernelFunc: ({ inputs, attrs, backend }) => run({ inputs, attrs, backend }),
      });
    }
  }
}
