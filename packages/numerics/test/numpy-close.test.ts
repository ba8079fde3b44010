import { existsSync } from 'node:fs';
import { DTYPES, type DType, type NdArray, type NumericData } from '@tfparity/array';
import { describeGolden, goldenJson, goldenPath } from '@tfparity/testing';
import { describe, expect, it } from 'vitest';
import { allclose, allcloseFailure, isNumericsError } from '../src/index.js';

interface Case {
  note: string;
  actual: (number | string)[];
  actual_shape: number[];
  desired: (number | string)[];
  desired_shape: number[];
  dtype: DType;
  rtol: number;
  atol: number;
  equal_nan: boolean;
  passes: boolean;
  allclose: boolean | null;
  message: string | null;
}

function toNd(values: (number | string)[], shape: number[], dtype: DType): NdArray {
  const numbers = values.map((v) =>
    v === 'nan' ? Number.NaN : v === 'inf' ? Infinity : v === '-inf' ? -Infinity : Number(v),
  );
  const Data = DTYPES[dtype].data as unknown as { from(v: number[]): NumericData };
  return { dtype, shape, data: Data.from(numbers) };
}

describeGolden('numpy_close.json', () => {
  const { cases } = existsSync(goldenPath('numpy_close.json'))
    ? goldenJson<{ cases: Case[] }>('numpy_close.json')
    : { cases: [] };

  it.each(cases.map((c, i) => [i, c.note, c] as const))('%i: %s', (_i, _note, c) => {
    const a = toNd(c.actual, c.actual_shape, c.dtype);
    const b = toNd(c.desired, c.desired_shape, c.dtype);
    const options = { rtol: c.rtol, atol: c.atol, equalNan: c.equal_nan };
    expect(allcloseFailure(a, b, options)?.message ?? null).toBe(c.message);
    if (c.allclose !== null) expect(allclose(a, b, options)).toBe(c.allclose);
    else {
      let thrown: unknown;
      try {
        allclose(a, b, options);
      } catch (error) {
        thrown = error;
      }
      expect(isNumericsError(thrown) && thrown.code).toBe('NotBroadcastable');
    }
  });
});

describe('the message', () => {
  // np.testing.assert_allclose(np.float16([65504, 1.8125]), np.float16([1, 1])), numpy 2.4
  it('has digits beyond the shortest that are those of the value', () => {
    const half = (...bits: number[]): NdArray => ({ dtype: 'float16', shape: [2], data: Uint16Array.from(bits) });
    expect(allcloseFailure(half(0x7bff, 0x3f40), half(0x3c00, 0x3c00))?.message).toContain(
      ' ACTUAL: array([6.5504e+04, 1.8125e+00], dtype=float16)',
    );
  });
});
