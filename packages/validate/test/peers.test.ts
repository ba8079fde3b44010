// What Polygraphy's comparator lets pass (`npm run bench -- validate` tries it beside ours) fails here.
import * as tf from '@tensorflow/tfjs-core';
import { toNdArray } from '@tfparity/array';
import { compareTrees } from '@tfparity/numerics';
import { useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { triage } from '../src/triage.js';

type Points = Record<string, tf.Tensor>;
type Runs = Record<string, Points>;

const run = (i: number): Points => {
  const hidden = tf.relu(tf.tensor1d([1, -2, 3 + i]));
  return { hidden, logits: tf.round(hidden) };
};
const twice =
  (change: (points: Points) => Points = (points) => points, count = 2) =>
  () =>
    Object.fromEntries(Array.from({ length: count }, (_, i): [string, Points] => [`run_${i}`, change(run(i))]));
const arrays = (runs: Runs) =>
  Object.fromEntries(
    Object.entries(runs).map(([name, points]) => [
      name,
      Object.fromEntries(Object.entries(points).map(([key, tensor]) => [key, toNdArray(tensor)])),
    ]),
  );

describe('false passes of a peer', () => {
  beforeAll(() => useBackend('cpu'));

  it.each([
    ['an output missing on one side', twice(({ hidden }) => ({ hidden }) as Points)],
    ['fewer iterations', twice(undefined, 1)],
    ['float32 against int32', twice((points) => ({ ...points, logits: tf.cast(points['logits']!, 'int32') }))],
  ])('fail: %s', async (_, wrong) => {
    for (const [legacy, migrated] of [
      [twice(), wrong],
      [wrong, twice()],
    ] as const) {
      expect(compareTrees(arrays(migrated()), arrays(legacy())).passed).toBe(false);
      expect((await triage({ legacy: { run: legacy }, migrated: { run: migrated } })).verdict).toBe('different');
    }
    const same = await triage({ legacy: { run: wrong }, migrated: { run: wrong } });
    expect(same.verdict).toBe('identical');
  });
});
