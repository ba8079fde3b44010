export {
  type BlockArguments,
  block8,
  block17,
  block35,
  type InceptionResnetV2ArgScopeArguments,
  type InceptionResnetV2Arguments,
  type InceptionResnetV2BaseArguments,
  inceptionResnetV2,
  inceptionResnetV2ArgScope,
  inceptionResnetV2Base,
} from './nets/inception-resnet-v2.js';
