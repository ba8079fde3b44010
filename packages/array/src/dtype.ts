// TensorFlow's dtypes: names, enum values (tensorflow/core/framework/types.proto) and the typed array that holds each.

/** Every dtype that a TensorFlow checkpoint, graph or numpy file can hold, by TensorFlow's name. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool'
  | 'complex64'
  | 'complex128'
  | 'string'
  | 'qint8'
  | 'quint8'
  | 'qint16'
  | 'quint16'
  | 'qint32';

/** The typed arrays that `NdArray.data` can be, one kind per dtype (see `DTYPES`). */
export type NumericData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** An array's values in row-major order: a typed array, or one `Uint8Array` per element for strings. */
export type ArrayData = NumericData | Uint8Array[];

/** The typed-array class that holds the values of a numeric dtype. */
export interface DataConstructor {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (length: number): NumericData;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): NumericData;
}

/** What is known of one dtype. */
export interface DTypeInfo {
  readonly name: DType;
  /** The value of TensorFlow's `DataType` enum. */
  readonly enumValue: number;
  /** Bytes of one element; 0 for `string`, whose elements differ in length. */
  readonly itemSize: number;
  /** How many numbers of `data` make one element: 2 for complex (real, imaginary), else 1. */
  readonly lanes: 1 | 2;
  readonly kind: 'float' | 'int' | 'uint' | 'bool' | 'complex' | 'string';
  /** Class of `data`; `undefined` for `string`. float16 and bfloat16 are kept as their bits in a `Uint16Array`. */
  readonly data: DataConstructor | undefined;
}

const info = (
  name: DType,
  enumValue: number,
  itemSize: number,
  kind: DTypeInfo['kind'],
  data: DataConstructor | undefined,
): DTypeInfo => ({ name, enumValue, itemSize, lanes: kind === 'complex' ? 2 : 1, kind, data });

/** Facts of every dtype, by name. */
export const DTYPES: Readonly<Record<DType, DTypeInfo>> = {
  float32: info('float32', 1, 4, 'float', Float32Array as DataConstructor),
  float64: info('float64', 2, 8, 'float', Float64Array as DataConstructor),
  int32: info('int32', 3, 4, 'int', Int32Array as DataConstructor),
  uint8: info('uint8', 4, 1, 'uint', Uint8Array as DataConstructor),
  int16: info('int16', 5, 2, 'int', Int16Array as DataConstructor),
  int8: info('int8', 6, 1, 'int', Int8Array as DataConstructor),
  string: info('string', 7, 0, 'string', undefined),
  complex64: info('complex64', 8, 8, 'complex', Float32Array as DataConstructor),
  int64: info('int64', 9, 8, 'int', BigInt64Array as unknown as DataConstructor),
  bool: info('bool', 10, 1, 'bool', Uint8Array as DataConstructor),
  qint8: info('qint8', 11, 1, 'int', Int8Array as DataConstructor),
  quint8: info('quint8', 12, 1, 'uint', Uint8Array as DataConstructor),
  qint32: info('qint32', 13, 4, 'int', Int32Array as DataConstructor),
  bfloat16: info('bfloat16', 14, 2, 'float', Uint16Array as DataConstructor),
  qint16: info('qint16', 15, 2, 'int', Int16Array as DataConstructor),
  quint16: info('quint16', 16, 2, 'uint', Uint16Array as DataConstructor),
  uint16: info('uint16', 17, 2, 'uint', Uint16Array as DataConstructor),
  complex128: info('complex128', 18, 16, 'complex', Float64Array as DataConstructor),
  float16: info('float16', 19, 2, 'float', Uint16Array as DataConstructor),
  uint32: info('uint32', 22, 4, 'uint', Uint32Array as DataConstructor),
  uint64: info('uint64', 23, 8, 'uint', BigUint64Array as unknown as DataConstructor),
};

const BY_ENUM = new Map<number, DTypeInfo>(Object.values(DTYPES).map((d) => [d.enumValue, d]));

/** Whether `name` is a dtype that `DTYPES` knows. */
export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && Object.hasOwn(DTYPES, name);
}

/**
 * The dtype of a value of TensorFlow's `DataType` enum, or `undefined` if there is none.
 * A reference type (100 + value, as TF1 graphs have them) gives the type it refers to.
 */
export function dtypeFromEnum(value: number): DTypeInfo | undefined {
  return BY_ENUM.get(value > 100 ? value - 100 : value);
}
