import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  DeterministicRandomTestTool,
  diffLedgers,
  dropout,
  initializers,
  type LedgerEntry,
  labelDraws,
  normal,
  uniform,
} from '../src/index.js';

beforeAll(() => useBackend('cpu'));

/** The ledger of a program, in num_random_ops mode. */
function ledgerOf(program: () => unknown): readonly LedgerEntry[] {
  const tool = new DeterministicRandomTestTool({ mode: 'num_random_ops' });
  tool.scope(() => tf.tidy(() => void program()));
  return tool.ledger;
}

const layer = (...shapes: number[][]) => {
  for (const shape of shapes) initializers.glorotUniform()(shape);
};

describe('ledger', () => {
  it('says what drew which numbers, for whom, and from where', () => {
    const ledger = ledgerOf(() => {
      labelDraws('conv/kernel', () => initializers.xavier()([3, 3, 1, 2]));
      dropout(tf.ones([4]), { rate: 0.5 });
      dropout(tf.ones([4]), { rate: 0 });
      tf.randomNormal([2]);
    });
    expect(ledger.map(({ callSite: _, ...entry }) => entry)).toEqual([
      {
        index: 0,
        op: 'RandomUniform',
        shape: [3, 3, 1, 2],
        dtype: 'float32',
        seed: 42,
        seed2: 0,
        label: 'conv/kernel',
      },
      { index: 1, op: 'RandomUniform', shape: [4], dtype: 'float32', seed: 42, seed2: 1, label: null },
      { index: 2, op: 'get_seed', shape: null, dtype: null, seed: 42, seed2: 2, label: null },
      { index: 3, op: 'RandomStandardNormal', shape: [2], dtype: 'float32', seed: 42, seed2: 3, label: null },
    ]);
    for (const { callSite } of ledger) expect(callSite).toMatch(/ledger\.test\.ts:\d+/);
  });

  it('survives JSON, large seeds too', () => {
    const tool = new DeterministicRandomTestTool({ seed: 2n ** 62n, mode: 'num_random_ops' });
    tool.scope(() => uniform([1]).dispose());
    const copy = JSON.parse(JSON.stringify(tool.ledger)) as LedgerEntry[];
    expect(copy[0]?.seed).toBe('4611686018427387904');
    expect(diffLedgers(copy, tool.ledger)).toBeNull();
  });

  it('takes labels back, also when the body throws', () => {
    expect(() =>
      labelDraws('a', () => {
        throw new Error('body');
      }),
    ).toThrow('body');
    const ledger = ledgerOf(() => {
      using _ = labelDraws('outer');
      labelDraws('inner', () => uniform([1]));
      uniform([1]);
    });
    expect(ledger.map((entry) => entry.label)).toEqual(['inner', 'outer']);
    expect(ledgerOf(() => uniform([1]))[0]?.label).toBeNull();
  });
});

describe('diffLedgers', () => {
  let base: readonly LedgerEntry[];
  beforeAll(() => {
    base = ledgerOf(() => layer([2, 2], [3, 3], [4, 4], [5, 5]));
  });

  it('of equal programs is null; of empty ledgers too', () => {
    expect(
      diffLedgers(
        base,
        ledgerOf(() => layer([2, 2], [3, 3], [4, 4], [5, 5])),
      ),
    ).toBeNull();
    expect(diffLedgers([], [])).toBeNull();
  });

  it('finds an extra op, on either side', () => {
    const extra = ledgerOf(() => {
      layer([2, 2]);
      normal([7]);
      layer([3, 3], [4, 4], [5, 5]);
    });
    expect(diffLedgers(base, extra)).toMatchObject({ index: 1, kind: 'extra-in-b', b: { op: 'RandomStandardNormal' } });
    expect(diffLedgers(extra, base)).toMatchObject({ index: 1, kind: 'extra-in-a', a: { shape: [7] } });
    expect(diffLedgers(base, extra)?.message).toMatch(
      /^op 1: RandomUniform \[3,3\] float32 .* against RandomStandardNormal \[7\] float32 .*: b draws 1 op more here$/,
    );
  });

  it('finds one that ends sooner', () => {
    const short = ledgerOf(() => layer([2, 2], [3, 3]));
    expect(diffLedgers(base, short)).toMatchObject({ index: 2, kind: 'extra-in-a', b: null });
    expect(diffLedgers(short, base)).toMatchObject({ index: 2, kind: 'extra-in-b', a: null });
    expect(diffLedgers([], base)).toMatchObject({ index: 0, kind: 'extra-in-b' });
    expect(diffLedgers(base, short)?.message).toContain('against nothing');
  });

  it('finds another order', () => {
    const swapped = ledgerOf(() => layer([2, 2], [4, 4], [3, 3], [5, 5]));
    expect(diffLedgers(base, swapped)).toMatchObject({ index: 1, kind: 'order' });
  });

  it('finds another shape, op, dtype and other seeds', () => {
    expect(
      diffLedgers(
        base,
        ledgerOf(() => layer([2, 2], [3, 9], [4, 4], [5, 5])),
      ),
    ).toMatchObject({ index: 1, kind: 'shape' });
    const other = ledgerOf(() => {
      layer([2, 2]);
      normal([3, 3]);
      layer([4, 4], [5, 5]);
    });
    expect(diffLedgers(base, other)).toMatchObject({ index: 1, kind: 'op' });
    const dtype = base.map((entry) => (entry.index === 2 ? { ...entry, dtype: 'float64' } : entry));
    expect(diffLedgers(base, dtype)).toMatchObject({ index: 2, kind: 'dtype' });
    const seeds = base.map((entry) => (entry.index === 3 ? { ...entry, seed2: 9 } : entry));
    expect(diffLedgers(base, seeds)).toMatchObject({ index: 3, kind: 'seeds' });
  });

  it('takes a shape that a recording does not know for any, and nothing else', () => {
    const unknown = base.map((entry, i) => (i === 1 ? { ...entry, shape: null } : entry));
    expect(diffLedgers(unknown, base)).toBeNull();
    expect(diffLedgers(base, unknown)).toBeNull();
    const scalar = base.map((entry, i) => (i === 1 ? { ...entry, shape: [] } : entry));
    expect(diffLedgers(scalar, base)).toMatchObject({ index: 1, kind: 'shape' });
    const other = (change: Partial<LedgerEntry>) =>
      unknown.map((entry, i) => (i === 1 ? { ...entry, ...change } : entry));
    expect(diffLedgers(other({ seed2: 77 }), base)).toMatchObject({ index: 1, kind: 'seeds' });
    expect(diffLedgers(other({ dtype: 'float64' }), base)).toMatchObject({ index: 1, kind: 'dtype' });
    const wrong = unknown.map((entry, i) => (i === 3 ? { ...entry, shape: [9] } : entry));
    expect(diffLedgers(wrong, base)).toMatchObject({ index: 3, kind: 'shape' });
  });
});
