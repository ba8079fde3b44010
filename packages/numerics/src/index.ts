export { allcloseFailure, assertAllclose } from './assert-allclose.js';
export { isNumericsError, NumericsError, type NumericsErrorCode } from './errors.js';
export { allclose, type CloseOptions } from './isclose.js';
export { isArrayLike, isOperand, type NestedList, type Operand } from './operand.js';
