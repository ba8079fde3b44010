import { describe, expect, it } from 'vitest';
import {
  ArrayError,
  bfloat16Bits,
  bfloat16Value,
  DTYPES,
  dtypeFromEnum,
  float16Bits,
  float16Value,
  formatShape,
  isTfparityError,
  ndArray,
  sizeOf,
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
});
