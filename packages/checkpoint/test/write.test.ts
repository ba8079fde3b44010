import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NdArray } from '@tfparity/array';
import { goldenPath } from '@tfparity/testing';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type Checkpoint,
  type LayerWeight,
  latestCheckpoint,
  MemorySink,
  type NamedArray,
  type ObjectTree,
  type OptimizerSlot,
  OptimizerState,
  openCheckpoint,
  writeCheckpoint,
  writeObjectCheckpoint,
} from '../src/index.js';
import { fingerprint } from './forgery.js';

const folder = mkdtempSync(join(tmpdir(), 'tfparity-write-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const floats = (...values: number[]): NdArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

describe('a V2 checkpoint that is written', () => {
  it.each(['v2_dtypes', 'v2_many', 'v2_partitioned', 'v1_dtypes.ckpt', 'tf2_object-1'])(
    'reads back as %s',
    async (name) => {
      const source = await openCheckpoint(goldenPath(`checkpoints/${name}`));
      for (const shards of [1, 3]) {
        await writeCheckpoint(at(`${name}-${shards}`), source, { shards });
        expect(await fingerprint(await openCheckpoint(at(`${name}-${shards}`)))).toBe(await fingerprint(source));
        const data = readdirSync(folder).filter((file) => file.startsWith(`${name}-${shards}.data`));
        expect(data).toHaveLength(shards);
      }
    },
  );

  it('keeps partitioned variables in slices, with the records that TensorFlow writes', async () => {
    const source = await openCheckpoint(goldenPath('checkpoints/v2_partitioned'));
    const table = { shape: [10, 6], parts: [] as { start: number[]; array: NdArray }[] };
    for (const [i, { start }] of source.slices.get('emb/table')!.entries()) {
      table.parts.push({ start: [...start], array: await source.getSlice('emb/table', i) });
    }
    const tensors = { 'emb/table': table, plain: await source.get('plain') };
    await writeCheckpoint(at('parts'), tensors, { shards: 2 });
    const back = await openCheckpoint(at('parts'));
    expect(back.slices.get('emb/table')).toEqual(source.slices.get('emb/table'));
    expect(await back.get('emb/table')).toEqual(await source.get('emb/table'));
    await writeCheckpoint(at('parts.npz'), tensors, { format: 'npz' });
    expect(await (await openCheckpoint(at('parts.npz'))).get('emb/table')).toEqual(await source.get('emb/table'));
    await writeCheckpoint(at('parts-copy'), source);
    expect((await openCheckpoint(at('parts-copy'))).slices).toEqual(source.slices);
    for (const parts of [table.parts.slice(1), [...table.parts, table.parts[0]!], []]) {
      const wrong = writeCheckpoint(at('wrong'), { t: { shape: [10, 6], parts } });
      if (parts.length) await expect(wrong).rejects.toMatchObject({ code: 'Corrupt', tensor: 't' });
      else await expect(wrong).rejects.toMatchObject({ code: 'InvalidArgument', tensor: 't' });
    }
    const outside = { shape: [10, 6], parts: [{ start: [8, 0], array: table.parts[0]!.array }] };
    await expect(writeCheckpoint(at('wrong'), { t: outside })).rejects.toMatchObject({ tensor: 't' });
    expect(existsSync(at('wrong.index'))).toBe(false);
  });

  it('is byte for byte what TensorFlow wrote, index and data', async () => {
    const source = await openCheckpoint(goldenPath('checkpoints/v2_many'));
    await writeCheckpoint(at('same'), source);
    for (const file of ['.index', '.data-00000-of-00001']) {
      const theirs = readFileSync(goldenPath(`checkpoints/v2_many${file}`));
      const ours = readFileSync(at(`same${file}`));
      if (file !== '.index') expect(ours.equals(theirs)).toBe(true);
      else expect(Math.abs(ours.length - theirs.length)).toBeLessThan(64);
    }
  });

  it('takes the place of an older one only when it is whole', async () => {
    await writeCheckpoint(at('kept'), { w: floats(1, 2) });
    async function* broken(): AsyncGenerator<NamedArray> {
      yield { name: 'w', ...floats(3, 4) };
      throw new Error('the process dies here');
    }
    const before = readdirSync(folder);
    await expect(writeCheckpoint(at('kept'), broken())).rejects.toThrow('dies here');
    expect(readdirSync(folder)).toEqual(before);
    expect((await (await openCheckpoint(at('kept'))).get('w')).data).toEqual(Float32Array.of(1, 2));
    await writeCheckpoint(at('kept'), { w: floats(5) });
    await writeCheckpoint(at('kept'), { w: floats(6) });
    expect((await (await openCheckpoint(at('kept'))).get('w')).data).toEqual(Float32Array.of(6));
    expect(readdirSync(folder).filter((file) => file.startsWith('kept'))).toHaveLength(2);
  });

  it('keeps the old one whole wherever a crash comes', async () => {
    // Every step that names a file is one where the process may stop: what is there then must read as old or new.
    for (let steps = 0; steps < 4; steps++) {
      const sink = new MemorySink();
      await writeCheckpoint('m', { w: floats(1) }, { sink });
      let left = steps;
      const stops = Object.assign(Object.create(sink) as MemorySink, {
        create: async () => {
          const file = await sink.create();
          const commit = async (name: string): Promise<void> => {
            if (left-- <= 0) throw new Error('crash');
            await file.commit(name);
          };
          return { ...file, commit };
        },
        remove: async () => {
          throw new Error('crash');
        },
      });
      await writeCheckpoint('m', { w: floats(2) }, { sink: stops }).catch(() => undefined);
      const { data } = await (await openCheckpoint(await copy(sink))).get('w');
      expect([1, 2]).toContain(data[0]);
    }
  });

  it('refuses names that come twice, or are none', async () => {
    await expect(
      writeCheckpoint(at('bad'), [
        ['a', floats(1)],
        ['a', floats(2)],
      ]),
    ).rejects.toMatchObject({ code: 'Conflict', tensor: 'a' });
    for (const name of ['', '\0x']) {
      await expect(writeCheckpoint(at('bad'), [[name, floats(1)]])).rejects.toMatchObject({ code: 'InvalidArgument' });
    }
    expect(existsSync(at('bad.index'))).toBe(false);
  });

  it('never makes a path of a name', async () => {
    const inner = at('inner');
    mkdirSync(inner);
    const names = ['../../x', '/etc/x', 'C:\\x', '..\\x', 'a/../../b', '.', '__proto__', 'naïve ☃'];
    const tensors = names.map((name, i) => [name, floats(i)] as const);
    const before = readdirSync(folder);
    for (const format of ['V2', 'safetensors', 'npz', 'tfjs'] as const) {
      await writeCheckpoint(join(inner, `m-${format}.json`), tensors, { format });
      const back = await openCheckpoint(join(inner, `m-${format}.json`));
      for (const [name, array] of tensors) expect(await back.get(name)).toEqual(array);
    }
    expect(readdirSync(folder)).toEqual(before);
  });
});

async function copy(sink: MemorySink): Promise<Map<string, Uint8Array>> {
  return new Map(sink.files);
}

describe('the checkpoint file', () => {
  it('names the newest, by which a folder is opened', async () => {
    const state = at('state "ä"');
    await writeCheckpoint(join(state, 'm-1'), { w: floats(1) }, { updateState: true });
    await writeCheckpoint(join(state, 'm-2'), { w: floats(2) }, { updateState: true });
    expect(await latestCheckpoint(state)).toBe(join(state, 'm-2'));
    expect(readFileSync(join(state, 'checkpoint'), 'utf8')).toBe(
      'model_checkpoint_path: "m-2"\nall_model_checkpoint_paths: "m-1"\nall_model_checkpoint_paths: "m-2"\n',
    );
    expect((await (await openCheckpoint(state)).get('w')).data[0]).toBe(2);
    // A training's folder that was copied from elsewhere still names the place where it was written.
    writeFileSync(join(state, 'checkpoint'), 'model_checkpoint_path: "/home/train/run1/m-2"');
    expect((await (await openCheckpoint(state)).get('w')).data[0]).toBe(2);
    expect(await latestCheckpoint(state)).toBe(join(state, 'm-2'));
    rmSync(join(state, 'm-2.index'));
    expect(await latestCheckpoint(state)).toBeUndefined();
    expect(await latestCheckpoint(at('nowhere'))).toBeUndefined();
    writeFileSync(join(state, 'checkpoint'), 'model_checkpoint_path: "a\\"\\303\\244"');
    await expect(openCheckpoint(state)).rejects.toMatchObject({ file: expect.stringContaining('a"ä') });
    writeFileSync(join(state, 'checkpoint'), '<html>');
    await expect(openCheckpoint(state)).rejects.toMatchObject({ code: 'Corrupt' });
  });
});

class Layer {
  constructor(readonly weights: readonly LayerWeight[]) {}
}

it('a V1 checkpoint in shards is opened by its folder and by the name that TensorFlow gives all shards', async () => {
  // Saver(write_version=V1, sharded=True) returns, and records, model-7-?????-of-00001.
  const shards = at('v1-shards');
  mkdirSync(shards);
  cpSync(goldenPath('checkpoints/v1_partitioned'), join(shards, 'model-7-00000-of-00001'));
  const all = 'model-7-?????-of-00001';
  writeFileSync(join(shards, 'checkpoint'), `model_checkpoint_path: "${all}"\nall_model_checkpoint_paths: "${all}"\n`);
  const expected = await fingerprint(await openCheckpoint(goldenPath('checkpoints/v1_partitioned')));
  for (const place of [shards, join(shards, all), join(shards, 'model-7'), join(shards, 'model-7-00000-of-00001')]) {
    const checkpoint = await openCheckpoint(place);
    expect([checkpoint.format, await fingerprint(checkpoint)]).toEqual(['V1', expected]);
  }
  expect(await latestCheckpoint(shards)).toBe(join(shards, all));
});

describe('an object-based checkpoint', () => {
  it('is copied with its objects', async () => {
    const source = await openCheckpoint(goldenPath('checkpoints/tf2_object-1'));
    const copied = await openCheckpoint(await writeCheckpoint(at('copied'), source, { shards: 2 }));
    expect(copied.format).toBe('V2 object graph');
    expect(copied.objectGraph).toEqual(source.objectGraph);
    expect(await copied.get('first/kernel')).toEqual(await source.get('first/kernel'));
  });

  it('takes a record with weights for a record', async () => {
    const parts = [floats(1), floats(2)];
    await writeObjectCheckpoint(at('scopes'), { conv: { weights: parts, biases: floats(3) } });
    expect((await openCheckpoint(at('scopes'))).entries.map(({ name }) => name.split('/.')[0])).toEqual([
      'conv/biases',
      'conv/weights/0',
      'conv/weights/1',
      'save_counter',
    ]);
  });

  it('names variables by their path, shares what is shared, and keeps full names', async () => {
    const weight = (name: string, array: NdArray) => ({ name, originalName: name, read: () => array });
    const shared = floats(7, 8);
    const first = new Layer([weight('first/kernel', floats(1)), weight('first/bias', floats(2))]);
    const model = Object.assign(new Layer(first.weights), { layers: [new Layer([]), first] });
    await writeObjectCheckpoint(
      at('objects-1'),
      { model, list: [shared, { again: shared }], 'a.b/c': floats(3) },
      { saveCounter: 5 },
    );
    const checkpoint = await openCheckpoint(at('objects-1'));
    expect(checkpoint.format).toBe('V2 object graph');
    expect(checkpoint.entries.map(({ name }) => name)).toEqual([
      'a..b.Sc/.ATTRIBUTES/VARIABLE_VALUE',
      'list/0/.ATTRIBUTES/VARIABLE_VALUE',
      'model/layer_with_weights-0/bias/.ATTRIBUTES/VARIABLE_VALUE',
      'model/layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE',
      'save_counter/.ATTRIBUTES/VARIABLE_VALUE',
    ]);
    expect(await checkpoint.get('first/bias')).toEqual(floats(2));
    expect((await checkpoint.get('save_counter/.ATTRIBUTES/VARIABLE_VALUE')).data).toEqual(BigInt64Array.of(5n));
    const root = checkpoint.objectGraph!.nodes[0]!;
    const modelNode = checkpoint.objectGraph!.nodes[root.children.get('model')!]!;
    expect([...modelNode.children.keys()]).toEqual(['layer-0', 'layer_with_weights-0', 'layer-1']);
    expect(modelNode.children.get('layer-1')).toBe(modelNode.children.get('layer_with_weights-0'));
  });

  it('keeps optimizers with their slots as TensorFlow does: golden/checkpoints/tf2_object-1, taken apart and written again', async () => {
    const source = await openCheckpoint(goldenPath('checkpoints/tf2_object-1'));
    const { nodes } = source.objectGraph!;
    const made = new Map<number, ObjectTree>();
    for (const [id, { attributes }] of nodes.entries()) {
      const [value] = attributes;
      if (value) made.set(id, { ...(await source.get(value.checkpointKey)), name: value.fullName } as ObjectTree);
    }
    const treeOf = (id: number): ObjectTree => {
      const known = made.get(id);
      if (known) return known;
      const { children, slots } = nodes[id]!;
      const parts = Object.fromEntries([...children].map(([name, child]) => [name, treeOf(child)]));
      const held = slots.map(({ variable, slot, value }) => ({
        variable: made.get(variable),
        slot,
        value: made.get(value),
      }));
      const tree = slots.length ? new OptimizerState(parts, held as OptimizerSlot[]) : parts;
      made.set(id, tree);
      return tree;
    };
    await writeObjectCheckpoint(at('again'), treeOf(0));
    const again = await openCheckpoint(at('again'));
    expect(again.entries.map(({ name, fullName }) => [name, fullName])).toEqual(
      source.entries.map(({ name, fullName }) => [name, fullName]),
    );
    for (const { name } of source.entries) expect(await again.get(name), name).toEqual(await source.get(name));
    const slotsOf = ({ objectGraph }: Checkpoint): string[] => {
      const key = (id: number): string => objectGraph!.nodes[id]!.attributes[0]!.checkpointKey;
      return objectGraph!.nodes
        .flatMap(({ slots }) => slots.map((s) => `${key(s.variable)} ${s.slot} ${key(s.value)}`))
        .sort();
    };
    expect(slotsOf(again)).toEqual(slotsOf(source));
    expect(slotsOf(again).length).toBeGreaterThan(7);
  });

  it('refuses a slot of a variable that it does not hold, and one that comes twice', async () => {
    const kernel = floats(1);
    const slot = (variable: NdArray) => ({ variable, slot: 'm', value: floats(2) });
    const save = (...slots: OptimizerSlot[]) =>
      writeObjectCheckpoint(at('slots'), { kernel, optimizer: new OptimizerState({}, slots) });
    await expect(save(slot(floats(1)))).rejects.toMatchObject({ code: 'InvalidArgument', tensor: 'optimizer' });
    await expect(save(slot(kernel), slot(kernel))).rejects.toMatchObject({ code: 'Conflict' });
    await save(slot(kernel));
    expect(
      (await openCheckpoint(at('slots'))).has('kernel/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE'),
    ).toBe(true);
  });

  it('refuses what is not a variable', async () => {
    await expect(writeObjectCheckpoint(at('none'), { x: new Date() as never })).rejects.toMatchObject({
      code: 'InvalidArgument',
      tensor: 'x',
    });
    await expect(writeObjectCheckpoint(at('none'), { x: 3 as never })).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    expect(existsSync(at('none.index'))).toBe(false);
  });
});
