export { type Activation, type ActivationLike, activationOf } from './activation.js';
export {
  BatchNormalization,
  type BatchNormalizationOptions,
  batchNormalization,
  batchNormalize,
} from './batch-normalization.js';
export { Conv1D, Conv2D, Conv3D, type ConvolutionOptions, conv1d, conv2d, conv3d } from './convolution.js';
export {
  Dropout,
  type DropoutLayerOptions,
  dropout,
  Flatten,
  type FlattenOptions,
  flatten,
  type TrainingOption,
} from './core.js';
export type { DataFormat, Padding, Spatial } from './data-format.js';
export { Dense, type DenseOptions, dense, type KernelLayerOptions } from './dense.js';
export { depthwiseConvolution } from './depthwise-convolution.js';
export {
  type BatchNormDataFormat,
  type FusedBatchNormOptions,
  type FusedBatchNormResult,
  fusedBatchNorm,
} from './fused-batch-norm.js';
export { l2Loss } from './l2-loss.js';
export { Layer, type LayerOptions, type WeightOptions } from './layer.js';
export { isLayersError, LayersError, type LayersErrorCode } from './layers-error.js';
export { assignMovingAverage, updateMovingAverage } from './moving-average.js';
export {
  AveragePooling1D,
  AveragePooling2D,
  AveragePooling3D,
  averagePooling1d,
  averagePooling2d,
  averagePooling3d,
  MaxPooling1D,
  MaxPooling2D,
  MaxPooling3D,
  maxPooling1d,
  maxPooling2d,
  maxPooling3d,
  type PoolingOptions,
  pool,
  type Reduction,
} from './pooling.js';
export { type RegularizerLike, regularizerOf } from './regularizer.js';
export type { RenormClipping } from './renormalization.js';
export {
  SeparableConv1D,
  SeparableConv2D,
  type SeparableConvolutionOptions,
  separableConv1d,
  separableConv2d,
} from './separable-convolution.js';
export {
  Conv2DTranspose,
  Conv3DTranspose,
  conv2dTranspose,
  conv3dTranspose,
  type TransposedConvolutionOptions,
} from './transposed-convolution.js';
