export { GuardedPhilox } from './guarded-philox.js';
export type { NestedNumbers, NumericInput } from './numeric-input.js';
export { Philox, type Seed, type Words } from './philox-generator.js';
export { PythonRandom } from './python-random.js';
export { isRandomError, RandomError, type RandomErrorCode } from './random-error.js';
export {
  isRandomOpName,
  RANDOM_OPS,
  RandomOp,
  type RandomOpAttributes,
  type RandomOpInputs,
  type RandomOpName,
} from './random-op.js';
export { DEFAULT_GRAPH_SEED, getSeedPair, truncateSeed } from './seeds.js';
