export type {
  ArrayComparison,
  ArrayHeader,
  ComparisonDifference,
  ComparisonWarning,
  ErrorDistribution,
  Evidence,
  TopKAgreement,
  UlpBucket,
} from './array-comparison.js';
export { allcloseFailure, assertAllclose } from './assert-allclose.js';
export { ArrayComparator, type CompareOptions, compareArrays } from './comparator.js';
export { isNumericsError, NumericsError, type NumericsErrorCode } from './errors.js';
export { type FormatOptions, formatComparison } from './format.js';
export { allclose, type CloseOptions } from './isclose.js';
export { isArrayLike, isOperand, type NestedList, type Operand } from './operand.js';
export type { ElementDifference, NonFiniteCounts, Value } from './tally.js';
export {
  type AppliedTolerance,
  defaultTolerance,
  type NamedOverride,
  TOLERANCES,
  type Tolerance,
} from './tolerance.js';
export { compareTrees, leavesOf, type Tree, type TreeComparison, type TreeItem, type TreeOptions } from './trees.js';
