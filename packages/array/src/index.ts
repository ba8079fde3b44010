export {
  type ArrayData,
  type DataConstructor,
  DTYPES,
  type DType,
  type DTypeInfo,
  dtypeFromEnum,
  isDType,
  type NumericData,
} from './dtype.js';
export { ArrayError, type ArrayErrorCode, type ErrorDetails, isTfparityError, TfparityError } from './errors.js';
export { bfloat16Bits, bfloat16Value, float16Bits, float16Value } from './half.js';
export { type ArrayLike, bytesOf, dataLength, type NdArray, ndArray, toNdArray, zeros } from './nd-array.js';
export { formatShape, type Shape, sameShape, sizeOf, stridesOf, unravelIndex } from './shape.js';
