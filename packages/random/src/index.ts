export {
  DeterministicRandomTestTool,
  type RandomTestMode,
  type RandomTestOptions,
} from './deterministic-random-test-tool.js';
export { type DropoutOptions, dropout, statelessDropout } from './dropout.js';
export {
  type Initializer,
  initializers,
  type SlimVarianceScalingOptions,
  type VarianceScalingOptions,
} from './initializers.js';
export { diffLedgers, type LedgerDifference, type LedgerEntry, labelDraws } from './ledger.js';
export { randomArray } from './random-array.js';
export { isRandomError, RandomError, type RandomErrorCode } from './random-error.js';
export {
  RANDOM_KERNELS,
  type RandomDType,
  type RandomKernel,
  type RandomKernelAttrs,
  registerRandomKernels,
  type StatelessKernelAttrs,
} from './random-kernels.js';
export {
  categorical,
  gamma,
  type NormalOptions,
  normal,
  poisson,
  type SeedOptions,
  shuffle,
  truncatedNormal,
  type UniformOptions,
  uniform,
  uniformInt,
} from './random-ops.js';
export {
  checkSeed,
  currentSeedContext,
  type DrawRequest,
  eagerSeedContext,
  getSeed,
  graphSeedContext,
  pushSeedContext,
  pushSeedSource,
  releaseStreams,
  type Seed,
  type SeedContext,
  type SeedPair,
  type SeedSource,
  setSeed,
  takeSeed,
} from './seed-context.js';
export {
  type StatelessOptions,
  statelessNormal,
  statelessTruncatedNormal,
  statelessUniform,
  statelessUniformInt,
} from './stateless-ops.js';
