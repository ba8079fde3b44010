export {
  type BatchNormDataFormat,
  type FusedBatchNormOptions,
  type FusedBatchNormResult,
  fusedBatchNorm,
} from './fused-batch-norm.js';
export { l2Loss } from './l2-loss.js';
export { isLayersError, LayersError, type LayersErrorCode } from './layers-error.js';
