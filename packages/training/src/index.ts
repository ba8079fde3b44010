export { checkNumerics } from './check-numerics.js';
export { clipByGlobalNorm, clipByNorm, clipByValue, clipGradientNorms, globalNorm } from './clip.js';
export {
  type CompareTrainingInput,
  type CompareTrainingOptions,
  compareTraining,
  type TrainedPlace,
  type TrainingComparison,
  type TrainingSide,
} from './compare-training.js';
export { type CreateTrainOpOptions, createTrainOp, multiplyGradients, type TrainOp } from './create-train-op.js';
export { ExponentialMovingAverage, type ExponentialMovingAverageOptions } from './exponential-moving-average.js';
export { createGlobalStep, getGlobalStep, getOrCreateGlobalStep } from './global-step.js';
export type { Gradient, GradientAndVariable } from './gradient.js';
export { type GradientsOptions, gradients } from './gradients/graph-gradients.js';
export { type VariableGrads, type VariableGradsOptions, variableGrads } from './gradients/variable-grads.js';
export { IndexedSlices } from './indexed-slices.js';
export {
  type CosineDecayOptions,
  type CosineDecayRestartsOptions,
  cosineDecay,
  cosineDecayRestarts,
  type DecayOptions,
  exponentialDecay,
  inverseTimeDecay,
  type LearningRate,
  type LinearCosineDecayOptions,
  linearCosineDecay,
  naturalExpDecay,
  type PolynomialDecayOptions,
  piecewiseConstant,
  polynomialDecay,
  type Step,
} from './learning-rate-decay.js';
export {
  absoluteDifference,
  type CrossEntropyOptions,
  computeWeightedLoss,
  cosineDistance,
  getLosses,
  getTotalLoss,
  hingeLoss,
  huberLoss,
  type LossOptions,
  logLoss,
  meanSquaredError,
  type Reduction,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
} from './losses/losses.js';
export { softmaxCrossEntropyWithLogits } from './losses/softmax-cross-entropy.js';
export {
  type ApplyOptions,
  type Hyperparameter,
  type SlotDefinition,
  Tf1Optimizer,
} from './optimizer.js';
export { AdadeltaOptimizer, type AdadeltaOptimizerOptions } from './optimizers/adadelta.js';
export { AdagradOptimizer, type AdagradOptimizerOptions } from './optimizers/adagrad.js';
export { AdagradDAOptimizer, type AdagradDAOptimizerOptions } from './optimizers/adagrad-da.js';
export { AdamOptimizer, type AdamOptimizerOptions } from './optimizers/adam.js';
export { FtrlOptimizer, type FtrlOptimizerOptions } from './optimizers/ftrl.js';
export { GradientDescentOptimizer, type GradientDescentOptimizerOptions } from './optimizers/gradient-descent.js';
export { MomentumOptimizer, type MomentumOptimizerOptions } from './optimizers/momentum.js';
export { ProximalAdagradOptimizer, type ProximalAdagradOptimizerOptions } from './optimizers/proximal-adagrad.js';
export {
  ProximalGradientDescentOptimizer,
  type ProximalGradientDescentOptimizerOptions,
} from './optimizers/proximal-gradient-descent.js';
export { RMSPropOptimizer, type RMSPropOptimizerOptions } from './optimizers/rmsprop.js';
export { registerOptimizers } from './register-optimizers.js';
export { STOCK_OPTIMIZERS, type StockOptimizerDifference, stockOptimizerWarning } from './stock-optimizer.js';
export { stopGradient } from './stop-gradient.js';
export type { TrainedDifference, TrainedKind } from './trained-arrays.js';
export { isTrainingError, TrainingError, type TrainingErrorCode } from './training-error.js';
export { frozenAverages, noiseGradients } from './training-evidence.js';
export { decodeStep, encodeStep, type TrainingLog } from './training-log.js';
export { restoreTraining, type SavedTensors, type TrainingState, trainingState } from './training-state.js';
export type { StepComparison, TrainingRecord } from './training-step.js';
