import { describe, expect, it } from 'vitest';
import {
  ArrayError,
  type ArrayErrorCode,
  bfloat16Bits,
  bfloat16Value,
  DTYPES,
  type DType,
  dataLength,
  dtypeFromEnum,
  float16Bits,
  float16Value,
  formatShape,
  isTfparityError,
  type NdArray,
  ndArray,
  type Shape,
  sizeOf,
  TfparityError,
  toNdArray,
  unravelIndex,
  zeros,
} from '../src/index.js';

describe('dtypes', () => {
  it('finds each by its enum value, references too', () => {
    for (const dtype of Object.values(DTYPES)) {
      expect(dtypeFromEnum(dtype.enumValue)).toBe(dtype);
      expect(dtypeFromEnum(dtype.enumValue + 100)).toBe(dtype);
    }
    expect(dtypeFromEnum(0)).toBeUndefined();
  });
});

describe('float16 and bfloat16', () => {
  it('keep all 65536 bit patterns through value and back', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const half = float16Value(bits);
      if (!Number.isNaN(half)) expect(float16Bits(half)).toBe(bits);
      const brain = bfloat16Value(bits);
      if (!Number.isNaN(brain)) expect(bfloat16Bits(brain)).toBe(bits);
    }
  });

  // numpy: np.float16(x).view(np.uint16) for each x
  it.each([
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [2 ** -25, 0],
    [2 ** -25 * 1.0000000001, 1],
    [1 + 2 ** -11, 0x3c00],
    [1 + 2 ** -11 + 2 ** -40, 0x3c01],
    [-0, 0x8000],
    [Number.NEGATIVE_INFINITY, 0xfc00],
  ])('rounds %d as numpy does', (value, bits) => {
    expect(float16Bits(value)).toBe(bits);
  });
});

describe('arrays', () => {
  it('refuse data of the wrong class or length', () => {
    expect(() => ndArray('float32', [2], new Int32Array(2))).toThrow(ArrayError);
    expect(() => ndArray('complex64', [2], new Float32Array(2))).toThrow('has 4 values, not 2');
    expect(ndArray('complex64', [2], new Float32Array(4)).shape).toEqual([2]);
    expect(zeros('int64', [2, 0]).data).toEqual(new BigInt64Array(0));
  });

  it('are read from tensors', () => {
    const tensor = { dtype: 'bool', shape: [2], dataSync: () => new Uint8Array([1, 0]) };
    expect(toNdArray(tensor)).toEqual({ dtype: 'bool', shape: [2], data: new Uint8Array([1, 0]) });
    expect(() => toNdArray({ ...tensor, dtype: 'float8' })).toThrow("'float8' is not a dtype");
  });

  it('have shapes that count and print as in Python', () => {
    expect(sizeOf([])).toBe(1);
    expect(() => sizeOf([2, -1])).toThrow('(2, None): -1 is not the size of an axis');
    expect([[], [2], [3, 4], [null, 3]].map(formatShape)).toEqual(['()', '(2,)', '(3, 4)', '(None, 3)']);
    expect(unravelIndex(17, [2, 3, 4])).toEqual([1, 1, 1]);
    try {
      sizeOf([1.5]);
    } catch (error) {
      expect(isTfparityError(error) && error.code).toBe('InvalidShape');
    }
  });

  const given = <T>(value: unknown): T => value as T;
  it.each<[string, ArrayErrorCode, () => unknown]>([
    ['an unknown dtype', 'UnknownDType', () => ndArray(given<DType>('float8'), [1], new Float32Array(1))],
    ['a name that objects inherit', 'UnknownDType', () => zeros(given<DType>('toString'), [1])],
    ['the length of an unknown dtype', 'UnknownDType', () => dataLength(given<DType>('nope'), [1])],
    ['a shape that is no list', 'InvalidShape', () => sizeOf(given<Shape>('12'))],
    ['no shape', 'InvalidShape', () => toNdArray(given({ dtype: 'int8', data: new Int8Array(1) }))],
    ['no data', 'WrongData', () => ndArray('int8', [1], given<Int8Array>(null))],
    ['data of no class', 'WrongData', () => ndArray('int8', [1], given<Int8Array>(Object.create(null)))],
    ['null', 'WrongData', () => toNdArray(given(null))],
    ['an object that is no tensor', 'WrongData', () => toNdArray(given({ dtype: 'float32', shape: [] }))],
    ['values of another class', 'WrongData', () => toNdArray(given({ dtype: 'float32', shape: [1], data: [1] }))],
    [
      'too few values',
      'LengthMismatch',
      () => toNdArray(given<NdArray>({ dtype: 'float32', shape: [3], data: new Float32Array(2) })),
    ],
    ['more zeros than fit', 'InvalidShape', () => zeros('float32', [2 ** 40])],
    ['more strings than fit', 'InvalidShape', () => zeros('string', [2 ** 40])],
    ['an element of an empty array', 'OutOfRange', () => unravelIndex(0, [0, 2])],
    ['an element past the end', 'OutOfRange', () => unravelIndex(99, [2, 2])],
    ['an element before the start', 'OutOfRange', () => unravelIndex(-1, [2, 2])],
    ['half an element', 'OutOfRange', () => unravelIndex(0.5, [2, 2])],
  ])('refuse %s', (_, code, run) => {
    expect(run).toThrow(ArrayError);
    expect(run).toThrow(expect.objectContaining({ code }));
  });

  it('keep an array that is what it says', () => {
    const array = ndArray('float32', [2], new Float32Array(2));
    expect(toNdArray(array)).toBe(array);
    expect(unravelIndex(0, [])).toEqual([]);
  });
});

describe('isTfparityError', () => {
  it('knows only what bears the brand, of other copies too', () => {
    class Named extends TfparityError<'Odd'> {}
    expect(isTfparityError(new Named('Odd', 'said'))).toBe(true);
    const alien = Object.assign(new Error('of another library'), { code: 'ENOENT', details: {} });
    expect(isTfparityError(alien)).toBe(false);
    expect(isTfparityError(Object.assign(alien, { [Symbol.for('@tfparity/error')]: true }))).toBe(true);
    expect(isTfparityError({ code: 'Odd', details: {} })).toBe(false);
    expect(Object.keys(new Named('Odd', 'said'))).not.toContain('Symbol(@tfparity/error)');
  });
});
