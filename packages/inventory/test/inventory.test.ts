import { describe, expect, it } from 'vitest';
import {
  assertSameInventory,
  captureInventory,
  diffInventories,
  formatInventoryDiff,
  type Inventory,
  type InventoryEntry,
  isInventoryError,
} from '../src/index.js';

const entry = (name: string, shape: number[] = [1], more: Partial<InventoryEntry> = {}): InventoryEntry => ({
  name,
  shape,
  dtype: 'float32',
  trainable: true,
  ...more,
});
const inventory = (...entries: InventoryEntry[]): Inventory => ({ source: 'test', entries });
const names = (entries: readonly InventoryEntry[]): string[] => entries.map((e) => e.name);

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return isInventoryError(error) ? error.code : String(error);
  }
  return undefined;
}

describe('captureInventory', () => {
  const weights = { name: 'net/conv/weights:0', shape: [3, 3], dtype: 'float32', trainable: true };
  const captured = { name: 'net/conv/weights', shape: [3, 3], dtype: 'float32', trainable: true };

  it.each<[string, object | string]>([
    ['a list', [weights]],
    ['a set', new Set([weights])],
    ['a holder of variables', { variables: [weights] }],
    ['a graph with a method', { variables: () => [weights] }],
    ['a graph with globalVariables', { globalVariables: () => [weights] }],
    ['an inventory', { source: 'json', entries: [weights] }],
    ['JSON text', JSON.stringify({ source: 'json', entries: [weights] })],
    ['a record', { 'net/conv/weights:0': { shape: [3, 3], dtype: 'float32', trainable: true } }],
    ['a map', new Map([['net/conv/weights:0', weights]])],
    ['entries as a map', { entries: new Map([['net/conv/weights:0', weights]]) }],
    ['its own protocol', { captureInventory: () => [weights] }],
    ['a model.json', { modelTopology: {}, weightsManifest: [{ paths: ['a.bin'], weights: [weights] }] }],
    ['a manifest alone', [{ paths: ['a.bin'], weights: [weights] }]],
  ])('reads %s', (_, source) => {
    expect(captureInventory(source).entries).toEqual([captured]);
  });

  it('takes trainable from the list that a layer keeps, and the shape from inside', () => {
    const kernel = { name: 'dense/kernel', shape: [2, 2], dtype: 'float32', trainable: true };
    const mean = { name: 'bn/mean', val: { shape: [2] }, dtype: 'float32', trainable: true };
    const layer = { weights: [kernel, mean], trainableWeights: [kernel] };
    expect(captureInventory(layer).entries.map((e) => [e.name, e.shape, e.trainable])).toEqual([
      ['dense/kernel', [2, 2], true],
      ['bn/mean', [2], false],
    ]);
  });

  it('keeps only an output number off the name, passes over metadata, and reads reference dtypes', () => {
    expect(captureInventory([{ name: 'a:10', shape: [] }]).entries).toEqual([{ name: 'a', shape: [] }]);
    expect(captureInventory([{ name: 'a:b', shape: [] }]).entries[0]!.name).toBe('a:b');
    expect(captureInventory({ __metadata__: { x: 'y' }, w: { dtype: 'F32', shape: [2] } }).entries).toHaveLength(1);
    expect(captureInventory([{ name: 'a', shape: [], dtype: 'float32_ref' }]).entries[0]!.dtype).toBe('float32');
    expect(captureInventory([{ name: 'a', shape: [], collections: ['x'] }]).entries[0]!.collections).toEqual(['x']);
  });

  it('takes an empty list for what it is', () => {
    expect(captureInventory([]).entries).toEqual([]);
    expect(captureInventory({ variables: [] }).entries).toEqual([]);
  });

  it('names what is wrong', () => {
    expect(codeOf(() => captureInventory({ foo: 1 }))).toBe('UnknownSource');
    expect(codeOf(() => captureInventory('model.json'))).toBe('UnknownSource');
    expect(codeOf(() => captureInventory('3'))).toBe('UnknownSource');
    expect(codeOf(() => captureInventory([{ shape: [1] }]))).toBe('InvalidEntry');
    expect(codeOf(() => captureInventory([{ name: 'a' }]))).toBe('InvalidEntry');
    expect(codeOf(() => captureInventory([{ name: 'a', shape: [1.5] }]))).toBe('InvalidEntry');
    expect(() => captureInventory([weights, { name: '', shape: [] }])).toThrow('variables[1] has no name');
  });
});

describe('what is no source', () => {
  it.each<[string, object | string, string]>([
    ['an empty object', {}, 'UnknownSource'],
    ['the text of one', '{}', 'UnknownSource'],
    ['a Map to null', new Map([['a', null]]), 'InvalidEntry'],
    ['entries as a Map to null', { entries: new Map([['a', null]]) }, 'InvalidEntry'],
    ['a captureInventory that returns null', { captureInventory: () => null }, 'UnknownSource'],
    ['a captureInventory that returns an object', { captureInventory: () => ({}) }, 'UnknownSource'],
    ['an axis as text', [{ name: 'a', shape: ['3', 1] }], 'InvalidEntry'],
    ['an axis as boolean', [{ name: 'a', shape: [3, true] }], 'InvalidEntry'],
    ['an axis that is missing', [{ name: 'a', shape: [3, undefined] }], 'InvalidEntry'],
    ['an axis as bigint', [{ name: 'a', shape: [3n] }], 'InvalidEntry'],
  ])('is %s', (_, source, code) => {
    expect(codeOf(() => captureInventory(source))).toBe(code);
  });

  it('reads null as an unknown axis, and a header of no tensors as empty', () => {
    expect(captureInventory([{ name: 'a', shape: [null, 3] }]).entries[0]?.shape).toEqual([-1, 3]);
    expect(captureInventory({ __metadata__: {} }).entries).toEqual([]);
  });
});

describe('diffInventories', () => {
  it('lists what a side does not state, and counts it only if strict', () => {
    const bare = inventory({ name: 'a', shape: [1] }, { name: 'b', shape: [1], dtype: 'int32' });
    const full = inventory(entry('a'), { name: 'b', shape: [1], trainable: true });
    const diff = diffInventories(bare, full);
    expect(diff.same).toBe(true);
    expect(diff.unstated).toEqual([
      { name: 'a', field: 'dtype', side: 'actual' },
      { name: 'a', field: 'trainable', side: 'actual' },
      { name: 'b', field: 'dtype', side: 'expected' },
      { name: 'b', field: 'trainable', side: 'actual' },
    ]);
    expect(formatInventoryDiff(diff)).toContain('  trainable of 2 variables: the actual side does not state it');
    expect(diffInventories(bare, full, { strict: true }).same).toBe(false);
    const ignored = diffInventories(bare, full, { strict: true, ignoreDtype: true, ignoreTrainable: true });
    expect(ignored).toMatchObject({ same: true, unstated: [] });
    expect(diffInventories(bare, bare).unstated.at(-1)).toEqual({ name: 'b', field: 'trainable', side: 'both' });
  });

  it('finds nothing between equals, empty ones too', () => {
    const same = inventory(entry('a', [2, 3]), entry('b', [], { trainable: false }));
    expect(diffInventories(same, same)).toMatchObject({
      same: true,
      counts: { actual: 2, actualTrainable: 1, actualValues: 7, common: 2 },
    });
    expect(diffInventories(inventory(), inventory()).same).toBe(true);
  });

  it('tells missing, unexpected, shape, dtype, trainable and duplicates apart', () => {
    const actual = inventory(
      entry('a', [2]),
      entry('b', [1], { dtype: 'int32' }),
      entry('c', [1], { trainable: false }),
      entry('x'),
      entry('x'),
    );
    const expected = inventory(entry('a', [3]), entry('b'), entry('c'), entry('gone', [9]));
    const diff = diffInventories(actual, expected);
    expect(diff.same).toBe(false);
    expect(names(diff.missing)).toEqual(['gone']);
    expect(names(diff.unexpected)).toEqual(['x']);
    expect(diff.shape).toEqual([{ name: 'a', actual: [2], expected: [3] }]);
    expect(diff.dtype).toEqual([{ name: 'b', actual: 'int32', expected: 'float32' }]);
    expect(diff.trainable).toEqual([{ name: 'c', actual: false, expected: true }]);
    expect(diff.duplicates).toEqual([{ side: 'actual', name: 'x', count: 2 }]);
    expect(JSON.parse(JSON.stringify(diff))).toEqual(diff);
    expect(formatInventoryDiff(diff).split('\n')[0]).toBe(
      'different: 5 variables (4 trainable), expected 4 (4 trainable), 3 in common',
    );
  });

  it('does not compare what a side does not state, nor an unknown axis', () => {
    const checkpoint = inventory({ name: 'a', shape: [2] }, { name: 'b', shape: [-1, 3] });
    expect(diffInventories(inventory(entry('a', [2]), entry('b', [5, 3])), checkpoint).same).toBe(true);
  });

  it('lists the fewest variables that moved', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((n) => entry(n)) as [
      InventoryEntry,
      InventoryEntry,
      InventoryEntry,
      InventoryEntry,
    ];
    const diff = diffInventories(inventory(d, a, b, c), inventory(a, b, c, d));
    expect(diff.order).toEqual([{ name: 'd', actual: 0, expected: 3 }]);
    expect(diff.same).toBe(true);
    expect(diffInventories(inventory(d, a, b, c), inventory(a, b, c, d), { order: true }).same).toBe(false);
  });

  it('renames by name, prefix, pattern and function, one after the other', () => {
    const expected = inventory(entry('net/w'), entry('net/b'));
    const same = (rename: Parameters<typeof diffInventories>[2], ...actual: string[]): boolean =>
      diffInventories(inventory(...actual.map((n) => entry(n))), expected, rename).same;
    expect(same({ rename: { 'model/': 'net/' } }, 'model/w', 'model/b')).toBe(true);
    expect(same({ rename: { kernel: 'net/w', bias: 'net/b' } }, 'kernel', 'bias')).toBe(true);
    expect(same({ rename: [/^/, 'net/'] }, 'w', 'b')).toBe(true);
    expect(same({ rename: (name) => (name === 'w' ? 'net/w' : undefined) }, 'w', 'net/b')).toBe(true);
    expect(same({ rename: [{ 'm/': 'n/' }, [/^n\//, 'net/']] }, 'm/w', 'm/b')).toBe(true);
    expect(
      diffInventories(inventory(entry('p'), entry('q')), inventory(entry('r')), { rename: () => 'r' }).duplicates,
    ).toHaveLength(1);
  });

  it('guesses renames from prefix, likeness and place', () => {
    const actual = inventory(
      entry('model/conv1/kernel', [3, 3]),
      entry('model/conv2/kernel', [3, 3]),
      entry('odd', [7]),
    );
    const expected = inventory(entry('conv1/kernel', [3, 3]), entry('conv2/kernel', [3, 3]), entry('strange', [7]));
    const diff = diffInventories(actual, expected);
    expect(diff.likelyRenames.map((r) => [r.actual, r.expected])).toEqual([
      ['model/conv1/kernel', 'conv1/kernel'],
      ['model/conv2/kernel', 'conv2/kernel'],
      ['odd', 'strange'],
    ]);
    expect(diff.causes).toEqual([
      expect.objectContaining({ kind: 'prefix', message: expect.stringContaining("rename: {'model/': ''}") }),
    ]);
    const other = diffInventories(inventory(entry('a', [1])), inventory(entry('b', [2])));
    expect(other.likelyRenames).toEqual([]);
    expect(
      diffInventories(inventory(entry('a', [1], { dtype: 'int32' })), inventory(entry('b', [1]))).likelyRenames,
    ).toEqual([]);
  });
});

describe('likely causes', () => {
  const kinds = (actual: InventoryEntry[], expected: InventoryEntry[]): string[] =>
    diffInventories(inventory(...actual), inventory(...expected)).causes.map((c) => c.kind);
  const conv = (scope: string): InventoryEntry => entry(`${scope}/weights`, [3, 3, 3, 8]);

  it('biases where batch norm is expected: an arg scope was forgotten', () => {
    const norm = ['beta', 'moving_mean', 'moving_variance'].map((n) => entry(`net/conv/BatchNorm/${n}`, [8]));
    expect(kinds([conv('net/conv'), entry('net/conv/biases', [8])], [conv('net/conv'), ...norm])).toEqual([
      'arg-scope',
    ]);
    expect(kinds([conv('net/conv'), ...norm], [conv('net/conv'), entry('net/conv/biases', [8])])).toEqual([
      'arg-scope',
    ]);
  });

  it('optimizer slots, class count, batch norm scale', () => {
    expect(
      kinds(
        [conv('c')],
        [conv('c'), entry('c/weights/Momentum', [3, 3, 3, 8]), entry('c/weights/RMSProp_1', [3, 3, 3, 8])],
      ),
    ).toEqual(['optimizer-slots']);
    expect(kinds([entry('Logits/weights', [8, 1000])], [entry('Logits/weights', [8, 1001])])).toEqual(['class-count']);
    expect(kinds([conv('c')], [conv('c'), entry('c/BatchNorm/gamma', [8])])).toEqual(['batch-norm-scale']);
    expect(kinds([conv('c')], [conv('c'), entry('d', [8])])).toEqual([]);
  });
});

describe('assertSameInventory', () => {
  it('throws the text and carries the diff', () => {
    expect(assertSameInventory(inventory(entry('a')), inventory(entry('a')))).toBeUndefined();
    try {
      assertSameInventory(inventory(entry('a')), inventory(entry('a', [2])));
      expect.unreachable();
    } catch (error) {
      expect(isInventoryError(error) && error.code).toBe('Different');
      expect((error as Error).message).toContain('a: (1,), expected (2,)');
    }
  });

  it('prints so many lines and counts the rest', () => {
    const many = inventory(...Array.from({ length: 30 }, (_, i) => entry(`v${i}`, [i + 1])));
    const text = formatInventoryDiff(diffInventories(inventory(), many), { limit: 3 });
    expect(text).toContain('missing (30):');
    expect(text).toContain('… and 27 more');
  });
});

describe('100,000 variables', () => {
  // Comparing every pair would take far longer than the time a test is given.
  it('are diffed without comparing every pair', { timeout: 180_000 }, () => {
    const make = (prefix: string): Inventory =>
      inventory(
        ...Array.from({ length: 100_000 }, (_, i) =>
          entry(`${prefix}/block${i % 1000}/layer${i}/weights`, [3, 3, 8, 8]),
        ),
      );
    const diff = diffInventories(make('old'), make('new'));
    expect(diff.likelyRenames).toHaveLength(100_000);
    expect(diff.causes[0]!.kind).toBe('prefix');
  });
});
