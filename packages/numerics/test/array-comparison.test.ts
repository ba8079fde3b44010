import { bfloat16Bits, type DType, float16Bits, type NdArray, type NumericData } from '@tfparity/array';
import { describe, expect, it } from 'vitest';
import { ArrayComparator, compareArrays, isNumericsError } from '../src/index.js';

const f32 = (...values: number[]): NdArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const json = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('compareArrays', () => {
  it.each([
    ['NaN against Infinity', [Number.NaN], [Infinity]],
    ['-Infinity against Infinity', [-Infinity], [Infinity]],
    ['1 against Infinity', [1], [Infinity]],
    ['Infinity against 1', [Infinity], [1]],
    ['NaN against 1', [Number.NaN], [1]],
    ['1 against NaN', [1], [Number.NaN]],
  ])('fails %s, whatever the tolerance', (_, a, b) => {
    const result = compareArrays(f32(...a), f32(...b), { rtol: 1e30, atol: 1e30, maxUlps: 2 ** 32 });
    expect(result.passed).toBe(false);
    expect(result.mismatched).toBe(1);
    expect(result.evidence!.worst).toHaveLength(1);
    expect(json(result)).toEqual(result);
  });

  it('passes equal infinities and NaNs, counts them by kind and side, and warns', () => {
    const result = compareArrays(f32(Infinity, -Infinity, Number.NaN, 1), f32(Infinity, -Infinity, Number.NaN, 1));
    expect(result.passed).toBe(true);
    expect(result.bitIdentical).toBe(true);
    expect(result.evidence!.nonFinite.both).toEqual({ nan: 1, positiveInfinity: 1, negativeInfinity: 1 });
    expect(result.warnings.map((w) => w.kind)).toEqual(['nan-on-both-sides', 'infinity-on-both-sides']);
    expect(compareArrays(f32(Number.NaN), f32(Number.NaN), { equalNan: false }).passed).toBe(false);
  });

  it('tells +0 from -0 in bits only', () => {
    const result = compareArrays(f32(0), f32(-0), { rtol: 0, atol: 0 });
    expect(result.passed).toBe(true);
    expect(result.bitIdentical).toBe(false);
    expect(result.evidence!.ulps!.max).toBe(0);
  });

  it('warns where nothing or next to nothing was compared', () => {
    const kinds = (a: NdArray, b: NdArray): string[] => compareArrays(a, b).warnings.map((w) => w.kind);
    expect(kinds(f32(), f32())).toEqual(['empty']);
    expect(compareArrays(f32(), f32()).passed).toBe(true);
    expect(kinds(f32(0, 0), f32(0, 0))).toEqual(['all-zero']);
    expect(kinds(f32(3, 3), f32(3, 3))).toEqual(['all-equal-values']);
    expect(kinds(f32(Infinity, Infinity), f32(Infinity, Infinity))).toEqual(['all-infinite']);
    expect(kinds(f32(Number.NaN), f32(Number.NaN))).toEqual(['all-nan']);
    expect(kinds(f32(1e-6, -2e-6), f32(1e-6, -2e-6))).toEqual(['within-tolerance-of-zero']);
    expect(kinds(f32(1, 2), f32(1, 2))).toEqual([]);
  });

  it('fails another dtype, shape or rank, though the values are equal', () => {
    const ints: NdArray = { dtype: 'int32', shape: [2], data: Int32Array.of(1, 2) };
    const dtype = compareArrays(f32(1, 2), ints);
    expect(dtype.differences).toEqual([{ kind: 'dtype', message: 'dtype is float32, expected int32' }]);
    expect(dtype.mismatched).toBe(0);
    expect(dtype.evidence!.ulps).toBeUndefined();
    const shape = compareArrays(f32(1, 2), { ...f32(1, 2), shape: [1, 2] });
    expect(shape.differences).toEqual([{ kind: 'shape', message: 'shape is (2,), expected (1, 2)' }]);
    expect(compareArrays(f32(1), { ...f32(1), shape: [] }).passed).toBe(false);
    expect(compareArrays(f32(), f32(1)).passed).toBe(false);
  });

  it('compares 64-bit integers exactly beyond 2^53', () => {
    const u64 = (...v: bigint[]): NdArray => ({ dtype: 'uint64', shape: [v.length], data: BigUint64Array.from(v) });
    const top = 2n ** 64n - 1n;
    const result = compareArrays(u64(top, 5n), u64(top - 1n, 5n));
    expect(result.mismatched).toBe(1);
    expect(result.first).toEqual([{ offset: 0, index: [0], actual: String(top), expected: String(top - 1n) }]);
    expect(result.evidence!.absolute.max).toBe(1);
    expect(compareArrays(u64(top), u64(top)).bitIdentical).toBe(true);
    expect(compareArrays(u64(0n), u64(top)).evidence!.absolute.max).toBe(2 ** 64);
    const i64 = (...v: bigint[]): NdArray => ({ dtype: 'int64', shape: [v.length], data: BigInt64Array.from(v) });
    expect(compareArrays(i64(-(2n ** 63n)), i64(2n ** 63n - 1n)).passed).toBe(false);
    expect(compareArrays(i64(2n ** 53n + 1n), i64(2n ** 53n)).passed).toBe(false);
  });

  it('counts ulps in every float dtype, over zero and over a power of two', () => {
    const max = (dtype: DType, a: NumericData, b: NumericData): number =>
      compareArrays({ dtype, shape: [1], data: a }, { dtype, shape: [1], data: b }).evidence!.ulps!.max;
    const eps = 2 ** -23;
    expect(max('float32', Float32Array.of(1), Float32Array.of(1 + eps))).toBe(1);
    expect(max('float32', Float32Array.of(1 - eps / 2), Float32Array.of(1 + eps))).toBe(2);
    expect(max('float32', Float32Array.of(2 ** -149), Float32Array.of(-(2 ** -149)))).toBe(2);
    expect(max('float32', Float32Array.of(-3.4028234663852886e38), Float32Array.of(3.4028234663852886e38))).toBe(
      2 * 0x7f7fffff,
    );
    expect(max('float64', Float64Array.of(1), Float64Array.of(1 + 2 ** -52))).toBe(1);
    expect(max('float64', Float64Array.of(5e-324), Float64Array.of(-5e-324))).toBe(2);
    expect(max('float64', Float64Array.of(-1), Float64Array.of(-1 - 3 * 2 ** -52))).toBe(3);
    const half = Uint16Array.of(float16Bits(1));
    expect(max('float16', half, Uint16Array.of(half[0]! + 3))).toBe(3);
    const brain = Uint16Array.of(bfloat16Bits(-1));
    expect(max('bfloat16', brain, Uint16Array.of(brain[0]! + 2))).toBe(2);
    expect(max('complex64', Float32Array.of(1, 1), Float32Array.of(1, 1 + eps))).toBe(1);
  });

  it('passes what is within so many ulps, where the tolerance would not', () => {
    const a = f32(1e6, 2, 0);
    const b = f32(1e6 + 0.0625, 2, 0);
    expect(compareArrays(a, b, { maxUlps: 1 }).passed).toBe(true);
    expect(compareArrays(a, f32(1e6 + 0.125, 2, 0), { maxUlps: 1 }).passed).toBe(false);
  });

  it('gives exact figures for a small array', () => {
    const { evidence: e, ...result } = compareArrays(f32(1, 2.5, -3, 4), f32(1, 2, -3, 8), { rtol: 0.3 });
    expect(result.mismatched).toBe(1);
    expect(result.first[0]).toEqual({ offset: 3, index: [3], actual: 4, expected: 8 });
    expect(e!.absolute).toMatchObject({ count: 4, max: 4, mean: 1.125, median: 0.25 });
    expect(e!.relative).toMatchObject({ count: 4, max: 0.5, mean: 0.1875, median: 0.125 });
    expect(e!.quantileResolution).toBe(0);
    expect(e!.cosine).toBeCloseTo(47 / Math.sqrt(32.25 + 0) / Math.sqrt(78), 12);
    expect(e!.relativeL2).toBeCloseTo(Math.sqrt(16.25 / 78), 14);
    expect(e!.topK).toMatchObject({ k: 4, agreement: 1, sameOrder: true, actual: [3, 1, 0, 2] });
    expect(e!.worst.map((w) => w.offset)).toEqual([3, 1]);
    expect(e!.range).toEqual({ actual: [-3, 4], expected: [-3, 8] });
  });

  it('names the tolerance it applied and why', () => {
    expect(compareArrays(f32(1), f32(1)).tolerance).toMatchObject({
      rtol: 1.3e-6,
      atol: 1e-5,
      name: 'default for float32',
    });
    expect(compareArrays(f32(1), f32(1), { rtol: 0.1 }).tolerance).toMatchObject({ rtol: 0.1, atol: 0 });
    expect(() => compareArrays(f32(1), f32(1), { atol: -1 })).toThrow(/atol is -1/);
    expect(() => compareArrays(f32(1), f32(1), { rtol: Number.NaN })).toThrow(/rtol is NaN/);
  });

  it('compares strings byte by byte', () => {
    const text = (...v: string[]): NdArray => ({
      dtype: 'string',
      shape: [v.length],
      data: v.map((s) => new TextEncoder().encode(s)),
    });
    expect(compareArrays(text('a', 'b'), text('a', 'b')).bitIdentical).toBe(true);
    const result = compareArrays(text('a', 'bc'), text('a', 'b'));
    expect(result.first).toEqual([{ offset: 1, index: [1], actual: 'bc', expected: 'b' }]);
    expect(compareArrays(text('1'), f32(1)).passed).toBe(false);
  });

  it('keeps away from what is no array', () => {
    expect(() => compareArrays([[1, 2], [3]], f32(1))).toThrow(/ragged/);
    expect(() => compareArrays({} as never, f32(1))).toThrow(/cannot be compared as an array/);
  });

  it('clamps differences that no double can hold', () => {
    const result = compareArrays(Float64Array.of(1.7e308), Float64Array.of(-1.7e308));
    expect(result.passed).toBe(false);
    expect(result.evidence!.absolute.max).toBe(Number.MAX_VALUE);
    expect(json(result)).toEqual(result);
  });
});

/** Numbers of a small generator, so that a failure can be had again. */
function numbers(count: number, seed: number): Float32Array {
  const out = new Float32Array(count);
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = (state / 2 ** 31 - 1) * 10 ** ((state >>> 8) % 7);
  }
  return out;
}

describe('ArrayComparator', () => {
  const size = 100_003;
  const expected = numbers(size, 1);
  const actual = expected.map((v, i) => v + (i % 7 === 0 ? v * 2e-6 : 0));
  actual[77_777] = Number.NaN;
  actual[5] = expected[5] = Infinity;
  const header = { dtype: 'float32', shape: [size] } as const;

  it('gives the same for pieces in any order, merged, as for the whole', () => {
    const whole = new ArrayComparator(header, header);
    whole.push(actual, expected);
    const left = new ArrayComparator(header, header);
    const right = new ArrayComparator(header, header);
    const cuts = [0, 1, 4097, 50_000, 50_003, 99_999, size];
    for (let i = cuts.length - 2; i >= 0; i--) {
      const [from, to] = [cuts[i]!, cuts[i + 1]!];
      (i % 2 ? left : right).push(actual.subarray(from, to), expected.subarray(from, to), from);
    }
    left.merge(right);
    const [one, other] = [whole.result(), left.result()];
    expect(other.mismatched).toBe(one.mismatched);
    expect(other.first).toEqual(one.first);
    const { cosine, relativeL2, absolute, relative, ...exact } = one.evidence!;
    expect(other.evidence).toMatchObject(exact);
    expect(other.evidence!.cosine).toBeCloseTo(cosine!, 12);
    expect(other.evidence!.relativeL2! / relativeL2!).toBeCloseTo(1, 6);
    expect(other.evidence!.absolute).toMatchObject({ ...absolute, mean: expect.closeTo(absolute.mean, 6) });
    expect(other.evidence!.relative).toMatchObject({
      ...relative,
      mean: expect.closeTo(relative.mean, 12),
      max: expect.closeTo(relative.max, 9),
    });
  });

  it('reads quantiles within its stated resolution', () => {
    const comparator = new ArrayComparator(header, header);
    comparator.push(actual, expected);
    const { absolute, quantileResolution } = comparator.result().evidence!;
    const errors = Float64Array.from(expected, (q, i) => Math.abs(actual[i]! - q))
      .filter(Number.isFinite)
      .sort();
    const p99 = errors[Math.ceil(0.99 * errors.length) - 1]!;
    expect(Math.abs(absolute.p99 - p99) / p99).toBeLessThanOrEqual(quantileResolution);
    expect(absolute.max).toBeCloseTo(errors.at(-1)!, 5);
  });

  it('fails where elements were not compared, and refuses pieces that do not fit', () => {
    const comparator = new ArrayComparator(header, header);
    comparator.push(expected.subarray(0, 10), expected.subarray(0, 10));
    expect(comparator.result().differences[0]!.message).toBe(
      `10 of ${size} elements were compared: the first that were not are 10 to ${size - 1}`,
    );
    const code = (run: () => void): unknown => {
      try {
        run();
      } catch (error) {
        return isNumericsError(error) && error.code;
      }
      return undefined;
    };
    expect(code(() => comparator.push(expected.subarray(0, 3), expected.subarray(0, 4)))).toBe('InvalidPiece');
    expect(code(() => comparator.push(expected, expected, 1))).toBe('InvalidPiece');
    expect(code(() => new ArrayComparator({ dtype: 'string', shape: [] }, header))).toBe('NotNumeric');
  });

  it('compares every element once, and merges what compares alike only', () => {
    const four = { dtype: 'float32' as const, shape: [4] };
    const values = Float32Array.of(1, 2, 3, 4);
    const piece = (from: number, to: number, options = {}, header: typeof four = four) => {
      const comparator = new ArrayComparator(header, header, options);
      comparator.push(values.subarray(from, to), values.subarray(from, to), from);
      return comparator;
    };
    const comparator = piece(0, 2);
    expect(() => comparator.push(values.subarray(0, 2), values.subarray(0, 2), 0)).toThrow(
      'elements 0 to 1 are pushed a second time',
    );
    expect(comparator.result()).toMatchObject({ passed: false, bitIdentical: false });
    expect(() => comparator.merge(piece(1, 3))).toThrow('elements 1 to 1 are merged a second time');
    expect(() => comparator.merge(piece(2, 4, { rtol: 0, atol: 1e9 }))).toThrow(/atol 1000000000.* cannot be merged/);
    expect(() => comparator.merge(piece(2, 4, { keep: 2 }))).toThrow(/cannot be merged/);
    expect(() => comparator.merge(piece(2, 4, {}, { ...four, shape: [2, 2] }))).toThrow(/cannot be merged/);
    comparator.merge(piece(3, 4));
    expect(comparator.result().differences[0]!.message).toContain('the first that were not are 2 to 2');
    comparator.merge(piece(2, 3));
    expect(comparator.result()).toMatchObject({ passed: true, bitIdentical: true, total: 4 });
  });
});
