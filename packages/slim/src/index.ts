export {
  type ArgScope,
  type ArgScopeDescription,
  addArgScope,
  argScope,
  argScopedArguments,
  currentArgScope,
  hasArgScope,
} from './arg-scope.js';
export { type BatchNormArguments, batchNorm } from './batch-norm.js';
export {
  type ConvolutionArguments,
  type ConvolutionFunction,
  conv1d,
  conv2d,
  conv2dInPlane,
  conv2dTranspose,
  conv3d,
  conv3dTranspose,
  convolution,
} from './convolution.js';
export { type DropoutArguments, dropout, flatten, maxout, oneHotEncoding, softmax } from './core.js';
export { elu, type FullyConnectedFunction, fullyConnected, linear, relu, relu6 } from './fully-connected.js';
export type { ActivationFn, NormalizerFn, WeightArguments } from './layer-arguments.js';
export {
  getLocalVariables,
  getModelVariables,
  getTrainableVariables,
  getUniqueVariable,
  getVariables,
  getVariablesByName,
  getVariablesBySuffix,
  getVariablesToRestore,
  modelVariable,
  variable,
} from './model-variables.js';
export {
  type CollectionNames,
  collectNamedOutputs,
  convertCollectionToDict,
  getTensorAliases,
  type VariablesCollections,
} from './named-outputs.js';
export type { EndPoints, NetResult } from './nets/inception-resnet-v2.js';
export * as nets from './nets.js';
export { biasAdd, layerNorm, unitNorm } from './normalization.js';
export { avgPool2d, avgPool3d, maxPool2d, maxPool3d, type PoolArguments, type PoolFunction } from './pooling.js';
export {
  applyRegularization,
  l1l2Regularizer,
  l1Regularizer,
  l2Regularizer,
  sumRegularizer,
} from './regularizers.js';
export { type LayerFunction, repeat, stack } from './repeat.js';
export { type SeparableConvolutionArguments, separableConv2d } from './separable-convolution.js';
export { isSlimError, SlimError, type SlimErrorCode } from './slim-error.js';
