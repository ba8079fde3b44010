import { float16Bits } from '@tfparity/array';
import { describe, expect, it } from 'vitest';
import { treeLines } from '../src/tensor-tree.js';
import { valueStatistics } from '../src/value-statistics.js';
import { whereItDiffers } from '../src/where-it-differs.js';

const array = (shape: number[], at: Record<number, number> = {}) => {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (const [offset, value] of Object.entries(at)) data[Number(offset)] = value;
  return { dtype: 'float32' as const, shape, data };
};

describe('where arrays differ', () => {
  it('is found by row, column and channel, the greatest over the batch', () => {
    const shape = [2, 3, 4, 5];
    // [1, 2, 1, 3], and less of it at [0, 2, 1, 3]
    const offset = ((1 * 3 + 2) * 4 + 1) * 5 + 3;
    const where = whereItDiffers(array(shape, { [offset]: 7, [offset - 60]: -2 }), array(shape))!;
    expect(where.grid).toMatchObject({ axes: ['height', 'width'], sizes: [3, 4], rows: 3, columns: 4 });
    expect(where.grid!.cells).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0]);
    expect(where.channels).toEqual({ size: 5, bars: [0, 0, 0, 7, 0] });
  });

  it('folds large axes into cells that hold every element', () => {
    const where = whereItDiffers(array([100, 70], { 0: 1, 6999: 3 }), array([100, 70]))!;
    expect(where.grid).toMatchObject({ rows: 32, columns: 32 });
    expect([where.grid!.cells[0], where.grid!.cells.at(-1)]).toEqual([1, 3]);
    expect(where.grid!.cells.filter((cell) => cell !== 0)).toHaveLength(2);
  });

  it('keeps NaN against a number as no finite distance, and NaN against NaN as none', () => {
    const where = whereItDiffers(array([3], { 0: Number.NaN, 1: Number.NaN }), array([3], { 1: Number.NaN }))!;
    expect(where.channels!.bars).toEqual([null, 0, 0]);
  });

  it('reads half precision as the values that its bits stand for', () => {
    const half = (value: number) => ({
      dtype: 'float16' as const,
      shape: [2],
      data: Uint16Array.of(float16Bits(value), 0),
    });
    expect(whereItDiffers(half(2), half(0.5))!.channels!.bars).toEqual([1.5, 0]);
  });

  it('says nothing of scalars, empty arrays, other shapes and text', () => {
    expect(whereItDiffers(array([]), array([]))).toBeUndefined();
    expect(whereItDiffers(array([0, 3]), array([0, 3]))).toBeUndefined();
    expect(whereItDiffers(array([2, 3]), array([3, 2]))).toBeUndefined();
    const text = { dtype: 'string' as const, shape: [1], data: [new Uint8Array(1)] };
    expect(whereItDiffers(text, text)).toBeUndefined();
  });
});

describe('statistics', () => {
  it('keep the spread of values far from zero', () => {
    const values = { dtype: 'float64' as const, shape: [2], data: Float64Array.of(1e9, 1e9 + 2) };
    expect(valueStatistics(values)).toMatchObject({ mean: 1e9 + 1, deviation: 1, min: 1e9, max: 1e9 + 2 });
  });

  it('put every value in a bin, the greatest too', () => {
    const { histogram } = valueStatistics(array([5], { 0: -1, 4: 1 }))!;
    expect(histogram.reduce((sum, n) => sum + n, 0)).toBe(5);
    expect([histogram[0], histogram.at(-1)]).toEqual([1, 1]);
  });
});

describe('the tree of names', () => {
  const tensors = Array.from({ length: 40 }, (_, i) => ({
    name: `net/block_${i % 4}/w_${i}`,
    dtype: 'float32',
    shape: [2],
    bytes: 8,
  }));

  it('opens as far as the room goes', () => {
    expect(treeLines(tensors, 3)).toHaveLength(1);
    expect(treeLines(tensors, 10)).toHaveLength(5);
    expect(treeLines(tensors, 100)).toHaveLength(45);
  });

  it('shows a name that is both a tensor and a scope as both', () => {
    const both = ['a', 'a/b'].map((name) => ({ name, dtype: 'int32', shape: [] }));
    expect(treeLines(both, 20).map((line) => line.trim().split(/\s+/)[0])).toEqual(['a', 'a/', 'b']);
  });
});
