import { describeGolden, goldenJson, goldenPath } from '@tfparity/testing';
import { expect, it } from 'vitest';
import { openCheckpoint } from '../src/index.js';
import { type ExpectedCheckpoint, expectedArray } from './expected-tensor.js';

describeGolden('checkpoints/expected.json', () => {
  const expected = goldenJson<Record<string, ExpectedCheckpoint>>('checkpoints/expected.json');
  for (const [name, { tensors, variables, sliced = [], format, names }] of Object.entries(expected)) {
    const held =
      tensors ??
      (variables && Object.fromEntries(Object.entries(variables).map(([k, v]) => [k.replace(/:0$/, ''), v])));
    if (!held) continue;

    it(`reads every tensor of ${name}, byte for byte, one by one and streamed`, async () => {
      const checkpoint = await openCheckpoint(goldenPath(`checkpoints/${name}`));
      if (format) expect(checkpoint.format).toBe(format);
      expect(checkpoint.entries.map((entry) => entry.name).sort()).toEqual(Object.keys(held).sort());
      const streamed = new Map<string, unknown>();
      for await (const { name: key, dtype, shape, data } of checkpoint.tensors())
        streamed.set(key, { dtype, shape, data });
      for (const [key, tensor] of Object.entries(held)) {
        const array = expectedArray(tensor);
        const entry = checkpoint.entry(key);
        expect([key, entry.dtype, entry.shape]).toEqual([key, array.dtype, array.shape]);
        const read = await checkpoint.get(key);
        expect(read, key).toEqual(array);
        expect(streamed.get(key), key).toEqual(array);
      }
      expect([...checkpoint.slices.keys()].sort()).toEqual([...sliced].sort());
      if (names) expect(checkpoint.objectGraph?.nodes.length).toBeGreaterThan(1);
    });
  }

  it('names the variables of an object-based checkpoint as they call themselves, slots too', async () => {
    const { names = {} } = expected['tf2_object-1'] ?? {};
    const checkpoint = await openCheckpoint(goldenPath('checkpoints/tf2_object-1'));
    for (const [name, shape] of Object.entries(names)) {
      expect((await checkpoint.get(name.replace(/:0$/, ''))).shape, name).toEqual(shape);
    }
    const slots = checkpoint.objectGraph?.nodes.flatMap((node) => node.slots.map(({ slot }) => slot)) ?? [];
    expect([...new Set(slots)].sort()).toEqual(['m', 'v']);
    await expect(checkpoint.get('first/kernal')).rejects.toMatchObject({ code: 'NotFound', tensor: 'first/kernal' });
  });

  it('opens a SavedModel by its folder', async () => {
    const checkpoint = await openCheckpoint(goldenPath('checkpoints/saved_model'));
    expect(checkpoint.format).toBe('SavedModel');
    expect((await checkpoint.get('first/kernel')).shape).toEqual([3, 4]);
  });
});
