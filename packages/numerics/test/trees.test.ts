import type { NdArray } from '@tfparity/array';
import { describe, expect, it } from 'vitest';
import { compareTrees, formatComparison, TOLERANCES } from '../src/index.js';

const f32 = (...values: number[]): NdArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

describe('compareTrees', () => {
  it('fails missing, extra and differently shaped items, and names the first in order', () => {
    const expected = { conv: f32(1, 2), nested: { gone: f32(1), list: [f32(1), f32(2)] }, end: f32(3, 4) };
    const actual = { end: f32(3, 4), more: f32(1), nested: { list: [f32(1)] }, conv: f32(1, 2) };
    const result = compareTrees(actual, expected);
    expect(result.passed).toBe(false);
    expect(result.items.map((i) => [i.name, i.status])).toEqual([
      ['conv', 'compared'],
      ['nested/gone', 'missing'],
      ['nested/list[0]', 'compared'],
      ['nested/list[1]', 'missing'],
      ['end', 'compared'],
      ['more', 'extra'],
    ]);
    expect(result.firstDivergence).toBe('nested/gone');
    expect(result.counts).toEqual({ compared: 3, failed: 3, missing: 2, extra: 1 });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it('fails a branch against an array, nothing against an array, and another text', () => {
    expect(compareTrees({ a: f32(1) }, { a: { b: f32(1) } }).items[0]).toMatchObject({ status: 'kind', passed: false });
    expect(compareTrees({ a: null }, { a: f32(1) }).passed).toBe(false);
    expect(compareTrees({ a: f32(1) }, { a: null }).passed).toBe(false);
    expect(compareTrees({ a: 'SAME' }, { a: 'VALID' }).items[0]).toMatchObject({ status: 'compared', passed: false });
    expect(compareTrees({ a: 'SAME', b: null }, { a: 'SAME', b: undefined }).passed).toBe(true);
    expect(compareTrees([], [f32(1)]).passed).toBe(false);
    expect(compareTrees({ a: {} }, { a: { b: [] } }).passed).toBe(false);
  });

  it('passes over the order of keys, and takes maps, numbers and lists of numbers', () => {
    const map = new Map<string, NdArray>([
      ['InceptionV3/logits', f32(1)],
      ['b', f32(2)],
    ]);
    expect(compareTrees(map, { b: f32(2), 'InceptionV3/logits': f32(1) }).bitIdentical).toBe(true);
    expect(compareTrees({ loss: 1.5, shape: [1, 2] }, { loss: 1.5, shape: [1, 2] }).passed).toBe(true);
    expect(compareTrees({ shape: [1, 2] }, { shape: [1, 2, 3] }).passed).toBe(false);
  });

  it('applies the first override that matches, by name, glob or pattern', () => {
    const expected = { 'a/w': f32(1), 'a/b': f32(1), c: f32(1) };
    const actual = { 'a/w': f32(1.1), 'a/b': f32(1.1), c: f32(1.1) };
    const passes = (match: string | RegExp): string[] =>
      compareTrees(actual, expected, {
        ...TOLERANCES.guide,
        overrides: [{ match, atol: 1, name: 'loose', reason: 'a test' }],
      })
        .items.filter((i) => i.passed)
        .map((i) => i.name);
    expect(passes('a/*')).toEqual(['a/w', 'a/b']);
    expect(passes('c')).toEqual(['c']);
    expect(passes(/b$/g)).toEqual(['a/b']);
    expect(passes('a')).toEqual([]);
  });

  it('is bit-identical only where every bit is', () => {
    expect(compareTrees({ a: f32(0) }, { a: f32(-0) })).toMatchObject({ passed: true, bitIdentical: false });
  });
});

describe('formatComparison', () => {
  it('says the verdict first, then what and where', () => {
    const text = formatComparison(compareTrees({ a: f32(1, 2), x: f32(1) }, { a: f32(1, 3), b: f32(1) }));
    expect(text.split('\n').slice(0, 5)).toEqual([
      'different: 3 of 3 items fail (1 missing, 1 extra)',
      '  a: 1 of 2 elements (50%) are outside default for float32 (rtol 0.0000013, atol 0.00001)',
      '  b: expected, but not there',
      '  x: there, but not expected',
      'a: different: float32 (2,), 1 of 2 elements (50%) outside default for float32 (rtol 0.0000013, atol 0.00001)',
    ]);
    expect(text).toContain('[1]: 2, expected 3');
    expect(formatComparison(compareTrees({}, {}))).toContain('nothing was compared');
  });
});
