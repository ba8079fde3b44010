import type { NdArray, NumericData } from '@tfparity/array';
import { describe, expect, it } from 'vitest';
import { float32Kernel } from '../src/float32-kernel.js';
import { tallyFloat32 } from '../src/float32-tally.js';
import { scalarAllClose } from '../src/float32-verdict.js';
import { allclose } from '../src/index.js';
import { ScalarTally } from '../src/scalar-tally.js';
import { Tally } from '../src/tally.js';
import { applyTolerance } from '../src/tolerance.js';

/** Pairs of every kind: equal, a few ulps apart, far apart, tiny, huge, opposite signs, not finite. */
function pairs(count: number, kind: number): { a: Float32Array; b: Float32Array } {
  const b = new Float32Array(count);
  let state = kind + 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < count; i++)
    b[i] = (next() - 0.5) * 10 ** (kind === 4 ? -41 : kind === 5 ? 38 : Math.floor(next() * 5));
  const a = b.slice();
  const bits = new Int32Array(a.buffer);
  for (let i = 0; i < count; i++) {
    if (kind === 1) bits[i]! += Math.floor(next() * 6);
    else if (kind === 2) bits[i]! += Math.floor(next() * 3000);
    else if (kind === 3) a[i] = -b[i]! * next();
    else if (kind >= 4) a[i] = b[i]! * (1 + 1e-6 * next());
    if (kind === 6 && i % 97 === 0) a[i] = [0, -0, Number.NaN, Infinity, -Infinity][i % 5]!;
    if (kind === 6 && i % 89 === 0) b[i] = [0, -0, Number.NaN, Infinity, -Infinity][i % 5]!;
  }
  return { a, b };
}

describe('the float32 kernel', () => {
  it('is to be had here', () => {
    expect(float32Kernel()).toBeDefined();
  });

  it.each([0, 1, 2, 3, 4, 5, 6])('tallies what the scalar code tallies (pairs of kind %i)', (kind) => {
    for (const count of [4, 131, 8192, 16_387]) {
      for (const limits of [{ rtol: 1e-6, atol: 1e-7 }, { maxUlps: 3 }, { rtol: 0 }]) {
        const { a, b } = pairs(count, kind);
        const tolerance = applyTolerance(limits, 'float32');
        const nd = (data: Float32Array): NdArray<NumericData> => ({ dtype: 'float32', shape: [count], data });
        const make = (tally: Tally): ScalarTally => new ScalarTally(tally, nd(a), nd(b), [count], 0, tolerance);
        const [fast, slow] = [new Tally(5, 5), new Tally(5, 5)];
        tallyFloat32(float32Kernel()!, fast, make(fast), a, b, 0, tolerance);
        make(slow).add(0, count);
        for (const field of [
          'total',
          'mismatched',
          'equal',
          'finite',
          'bitsDiffer',
          'maxAbsolute',
          'maxUlps',
          'sumUlps',
          'first',
        ] as const) {
          expect([field, fast[field]]).toEqual([field, slow[field]]);
        }
        for (const field of ['minActual', 'maxActual', 'minExpected', 'maxExpected'] as const) {
          expect([field, fast[field]]).toEqual([field, slow[field]]);
        }
        for (const field of ['ulps', 'absolute'] as const) {
          expect([field, fast[field].every((count, bucket) => count === slow[field][bucket])]).toEqual([field, true]);
        }
        expect(fast.worst.indices).toEqual(slow.worst.indices);
        expect(fast.topActual.indices).toEqual(slow.topActual.indices);
        expect(fast.topExpected.indices).toEqual(slow.topExpected.indices);
        expect(fast.relatives).toBe(slow.relatives);
        for (const field of ['sumAbsolute', 'sumSquared', 'squaredExpected', 'sumRelative', 'maxRelative'] as const) {
          expect(Math.abs(fast[field] - slow[field])).toBeLessThanOrEqual(2e-6 * Math.abs(slow[field]));
        }
      }
    }
  });

  it('gives the verdict of the scalar code', () => {
    for (let kind = 0; kind < 7; kind++) {
      const { a, b } = pairs(9001, kind);
      for (const rtol of [0, 1e-7, 1e-6, 1e-3, 3]) {
        for (const equalNan of [false, true]) {
          const close = { rtol, atol: 1e-8, equalNan };
          expect(allclose(a, b, close)).toBe(scalarAllClose(a, b, 0, close));
        }
      }
    }
  });
});
