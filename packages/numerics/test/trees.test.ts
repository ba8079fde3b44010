import type { NdArray } from '@tfparity/array';
import { describe, expect, it } from 'vitest';
import {
  ArrayComparator,
  allclose,
  allcloseFailure,
  compareArrays,
  compareTrees,
  formatComparison,
  isOperand,
  leavesOf,
  NumericsError,
  type NumericsErrorCode,
  TOLERANCES,
  type Tree,
} from '../src/index.js';

const f32 = (...values: number[]): NdArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

const text = (...values: string[]): NdArray => ({
  dtype: 'string',
  shape: [values.length],
  data: values.map((value) => new TextEncoder().encode(value)),
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

  it('keeps the general limits where an override gives none', () => {
    const compare = (general: object) =>
      compareTrees({ a: f32(0) }, { a: f32(5e-6) }, { ...general, overrides: [{ match: 'a', equalNan: false }] });
    expect(compare({ rtol: 0, atol: 0 })).toMatchObject({
      passed: false,
      items: [{ comparison: { tolerance: { rtol: 0, atol: 0, equalNan: false, name: 'override for a' } } }],
    });
    expect(compare({}).items[0]!.comparison!.tolerance).toMatchObject({ rtol: 1.3e-6, atol: 1e-5 });
  });

  it('compares ragged lists list by list', () => {
    const ragged = [[1, 2], [3]];
    expect(compareTrees({ s: ragged, y: 1 }, { s: ragged, y: 2 })).toMatchObject({
      passed: false,
      firstDivergence: 'y',
      items: [{ name: 's[0]' }, { name: 's[1]' }, { name: 'y' }],
    });
    expect(compareTrees({ s: ragged }, { s: [[1, 2], [4]] }).firstDivergence).toBe('s[1]');
  });

  it('is bit-identical only where every bit is', () => {
    expect(compareTrees({ a: f32(0) }, { a: f32(-0) })).toMatchObject({ passed: true, bitIdentical: false });
  });
});

describe('what cannot be compared', () => {
  const given = <T>(value: unknown): T => value as T;
  const cyclic: Record<string, unknown> = { a: f32(1), inner: { list: [] } };
  (cyclic['inner'] as { list: unknown[] }).list.push(cyclic);
  const list: unknown[] = [];
  list.push(list);
  class Outputs {
    readonly logits = f32(1);
  }
  const short = given<NdArray>({ dtype: 'float32', shape: [3], data: new Float32Array(2) });
  const wide = given<NdArray>({ dtype: 'float32', shape: [2], data: new Float64Array(2) });

  it.each<[string, unknown, string]>([
    ['a Set', { a: new Set([1]) }, 'a is an object of class Set'],
    ['a Date', [new Date(0)], '[0] is an object of class Date'],
    ['a promise', Promise.resolve(f32(1)), 'the tree is an object of class Promise'],
    ['an object of a class', { run: new Outputs() }, 'run is an object of class Outputs'],
    ['a Map with other keys', new Map([[Symbol('k'), f32(1)]]), 'the tree is a Map with a key that is no text'],
    ['a tree in itself', cyclic, 'inner/list[0] is the tree itself'],
    ['a list in itself', list, '[0] is the tree itself'],
  ])('refuses %s on either side, and as leaves', (_, tree, message) => {
    for (const run of [
      () => compareTrees(tree as Tree, tree as Tree),
      () => compareTrees(null, tree as Tree),
      () => leavesOf(tree as Tree),
    ]) {
      expect(run).toThrow(NumericsError);
      expect(run).toThrow(message);
      expect(run).toThrow(expect.objectContaining({ code: 'NotAnArray' }));
    }
  });

  it('fails trees without a leaf, and passes shared parts and records of no class', () => {
    const hollow = compareTrees({ a: {}, b: [] }, { a: {}, b: [] });
    expect(hollow).toMatchObject({ passed: false, bitIdentical: false, counts: { compared: 0, failed: 1 } });
    expect(hollow.items[0]?.message).toContain('nothing was compared');
    expect(compareTrees({}, {}).passed).toBe(true);
    const shared = { w: f32(1) };
    const bare = Object.assign(Object.create(null) as Record<string, Tree>, { x: shared, y: shared });
    expect(compareTrees(bare, { x: shared, y: shared }).counts.compared).toBe(2);
  });

  it.each<[string, NumericsErrorCode, () => unknown]>([
    ['an array of too few values', 'NotAnArray', () => allclose(short, short)],
    ['an array of too few values in a tree', 'NotAnArray', () => compareTrees({ a: short }, { a: short })],
    ['values of another class', 'NotAnArray', () => compareArrays(wide, wide)],
    ['an unknown dtype', 'NotAnArray', () => compareArrays(given({ ...f32(1), dtype: 'float8' }), f32(1))],
    ['a list in itself', 'NotAnArray', () => compareArrays(given(list), 1)],
    ['keep NaN', 'InvalidOption', () => compareArrays(f32(1), f32(2), { keep: Number.NaN })],
    ['topK -1', 'InvalidOption', () => compareTrees({}, {}, { topK: -1 })],
    ['half a string kept', 'InvalidOption', () => compareArrays(text('a'), text('b'), { keep: 0.5 })],
    ['rtol NaN', 'InvalidTolerance', () => allclose(1, 1, { rtol: Number.NaN })],
    ['rtol -1', 'InvalidTolerance', () => allclose(1, 1, { rtol: -1 })],
    ['atol NaN', 'InvalidTolerance', () => allcloseFailure(1, 1, { atol: Number.NaN })],
    ['atol as text', 'InvalidTolerance', () => compareArrays(1, 1, { atol: given('1') })],
    ['a text among numbers', 'NotAnArray', () => compareArrays([1, given('x')], [1, given('y')])],
    ['null for a number', 'NotAnArray', () => allclose([given(null)], [0])],
    ['objects for numbers', 'NotAnArray', () => compareArrays([given({})], [given({ q: 1 })])],
    [
      'a piece of another class',
      'InvalidPiece',
      () => new ArrayComparator(f32(1), f32(1)).push(new Float64Array(1), new Float32Array(1)),
    ],
  ])('refuses %s', (_, code, run) => {
    expect(run).toThrow(NumericsError);
    expect(run).toThrow(expect.objectContaining({ code }));
  });

  it('keeps as many strings as asked, takes clamped bytes, and knows that a list in itself is no operand', () => {
    expect(compareArrays(text('a', 'b', 'c'), text('x', 'y', 'z'), { keep: 2 }).first).toHaveLength(2);
    expect(compareArrays(given<Uint8Array>(new Uint8ClampedArray([1])), new Uint8Array([1])).passed).toBe(true);
    expect(isOperand(list)).toBe(false);
  });

  it('reports overrides that were applied to nothing', () => {
    const overrides = [
      { match: 'a*', atol: 1 },
      { match: 'ab', atol: 2 },
      { match: /^c/, atol: 1 },
    ];
    const result = compareTrees({ ab: f32(1) }, { ab: f32(1.5) }, { overrides });
    expect(result).toMatchObject({ passed: true, unusedOverrides: ['ab', '/^c/'] });
    expect(formatComparison(result)).toContain('warning: the override for /^c/ was applied to nothing');
    expect(compareTrees({ ab: 1 }, { ab: 1 }, { overrides: overrides.slice(0, 1) })).not.toHaveProperty(
      'unusedOverrides',
    );
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
