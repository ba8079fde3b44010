import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NdArray, sizeOf } from '@tfparity/array';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignFromCheckpoint,
  type Checkpoint,
  castArray,
  coverage,
  filterVariables,
  initFromCheckpoint,
  invertLayouts,
  type LayoutRule,
  type ModelVariable,
  mapCheckpoint,
  nameMap,
  openCheckpoint,
  planInitFromCheckpoint,
  transposeArray,
  writeCheckpoint,
} from '../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'tfparity-map-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const ramp = (shape: number[], from = 0): NdArray => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => from + i),
});
const variable = (name: string, shape: number[], more: Partial<ModelVariable> = {}): ModelVariable => ({
  name,
  shape,
  dtype: 'float32',
  ...more,
});
const prefix = join(folder, 'model.ckpt');
let checkpoint: Checkpoint;

beforeAll(async () => {
  await writeCheckpoint(prefix, {
    'old/w': ramp([2, 3]),
    'old/b': ramp([3], 10),
    'old/deep/w': ramp([2], 20),
    'other/table': ramp([4, 2], 30),
    'old/w/ExponentialMovingAverage': ramp([2, 3], 100),
    'old/w/Momentum': ramp([2, 3]),
    global_step: { dtype: 'int64', shape: [], data: BigInt64Array.of(7n) },
  });
  checkpoint = await openCheckpoint(prefix);
});

describe('initFromCheckpoint, as tf.compat.v1.train.init_from_checkpoint', () => {
  const pairs = (map: Parameters<typeof initFromCheckpoint>[1], variables: ModelVariable[]) =>
    planInitFromCheckpoint(checkpoint, map, variables).map(({ variable: { name }, tensor }) => [name, tensor]);

  it('maps names, scopes, and all from the root', () => {
    expect(pairs({ 'old/w': 'new/v' }, [variable('new/v:0', [2, 3])])).toEqual([['new/v:0', 'old/w']]);
    const scope = [
      variable('new/w', [2, 3]),
      variable('new/b', [3]),
      variable('elsewhere/x', [1]),
      variable('newer/w', [1]),
    ];
    expect(pairs({ 'old/': 'new/' }, scope)).toEqual([
      ['new/b', 'old/b'],
      ['new/w', 'old/w'],
    ]);
    expect(pairs({ '/': 'top/' }, [variable('top/old/b', [3])])).toEqual([['top/old/b', 'old/b']]);
    expect(pairs({ 'old/': '/' }, [variable('b', [3])])).toEqual([['b', 'old/b']]);
    expect(pairs({ '/': '/' }, [variable('old/b', [3])])).toEqual([['old/b', 'old/b']]);
    const twice = [variable('a', [3]), variable('b', [3])];
    expect(
      pairs(
        [
          ['old/b', 'b'],
          ['old/b', twice[0]!],
        ],
        twice,
      ),
    ).toEqual([
      ['b', 'old/b'],
      ['a', 'old/b'],
    ]);
  });

  it('fills the parts of a partitioned variable, by name and as a list', async () => {
    const parts = [variable('t/part_0', [3, 2]), variable('t/part_1', [1, 2])];
    for (const map of [{ 'other/table': 't' }, { 'other/table': parts }]) {
      const done = await initFromCheckpoint(prefix, map, parts);
      expect(done.map(({ array }) => [...(array.data as Float32Array)])).toEqual([
        [30, 31, 32, 33, 34, 35],
        [36, 37],
      ]);
    }
    const byScope = [variable('s/table/part_0', [4, 1]), variable('s/table/part_1', [4, 1])];
    const done = await initFromCheckpoint(checkpoint, { 'other/': 's/' }, byScope);
    expect(done.map(({ array }) => [...(array.data as Float32Array)])).toEqual([
      [30, 32, 34, 36],
      [31, 33, 35, 37],
    ]);
    // What tf.compat.v1.train.init_from_checkpoint says where the parts of a variable are not the whole tensor.
    for (const sizes of [
      [
        [2, 2],
        [1, 2],
      ],
      [
        [4, 1],
        [4, 2],
      ],
      [
        [2, 1],
        [2, 1],
      ],
    ]) {
      const wrong = sizes.map((shape, i) => variable(`t/part_${i}`, shape));
      expect(() => pairs({ 'other/table': 't' }, wrong)).toThrow(
        /^tensor "other\/table": tensor_name = other\/table; shape in shape_and_slice spec \[\d,\d\] does not match the shape stored in checkpoint: \[4,2\]$/,
      );
    }
    const slice = { fullName: 'x', fullShape: [4, 2], start: [0, 0], length: [1, 2] };
    const mixed = [variable('a', [1, 2], { slice }), variable('b', [1, 2], { slice: { ...slice, fullName: 'y' } })];
    expect(() => pairs({ 'other/table': mixed }, mixed)).toThrow('Slices must all be from the same tensor: x != y');
  });

  it("fails in TensorFlow's words", async () => {
    expect(() => pairs({ nope: 'v' }, [variable('v', [1])])).toThrow(
      `Tensor nope is not found in ${prefix} checkpoint`,
    );
    expect(() => pairs({ 'old/w': 'v' }, [variable('v', [3, 2])])).toThrow(
      "Shape of variable v:0 ((3, 2)) doesn't match with shape of tensor old/w ([2, 3]) from checkpoint reader.",
    );
    expect(() => pairs({ 'old/w': 'nothing/here' }, [])).toThrow(
      "Assignment map with scope only name nothing should map to scope only old/w. Should be 'scope/': 'other_scope/'.",
    );
    expect(() => pairs({ 'old/': 'new/' }, [variable('new/z', [1])])).toThrow(
      `Tensor old/z (z in old/) is not found in ${prefix} checkpoint`,
    );
    const step = [variable('step', [], { dtype: 'int32' })];
    await expect(initFromCheckpoint(checkpoint, { global_step: 'step' }, step)).rejects.toMatchObject({
      code: 'Mismatch',
    });
    const [cast] = await initFromCheckpoint(checkpoint, { global_step: 'step' }, step, { cast: true });
    expect(cast?.array).toEqual({ dtype: 'int32', shape: [], data: Int32Array.of(7) });
  });

  it('hands values over one by one, after everything was checked', async () => {
    const seen: string[] = [];
    const assign = (v: ModelVariable): void => void seen.push(v.name);
    const variables = [variable('new/w', [2, 3]), variable('new/b', [3], { dtype: 'int32' })];
    await expect(initFromCheckpoint(checkpoint, { 'old/': 'new/' }, variables, { assign })).rejects.toMatchObject({
      code: 'Mismatch',
    });
    expect(seen).toEqual([]);
    await initFromCheckpoint(checkpoint, { 'old/': 'new/' }, variables, { assign, cast: true });
    expect(seen).toEqual(['new/b', 'new/w']);
  });
});

describe("assignFromCheckpoint, as slim's assign_from_checkpoint", () => {
  it('takes and leaves scopes, ignores what is missing, reshapes', async () => {
    const variables = [
      variable('old/w', [3, 2]),
      variable('old/b', [3]),
      variable('old/deep/w', [2]),
      variable('new', [1]),
    ];
    await expect(assignFromCheckpoint(checkpoint, variables)).rejects.toThrow(
      'Total size of new array must be unchanged for old/w lh_shape: [(2, 3)], rh_shape: [(3, 2)]',
    );
    await expect(assignFromCheckpoint(checkpoint, variables, { reshape: true })).rejects.toThrow(
      'Checkpoint is missing variable [new]',
    );
    const { assigned, missing } = await assignFromCheckpoint(checkpoint, variables, {
      exclude: ['old/deep'],
      ignoreMissing: true,
      reshape: true,
    });
    expect(assigned.map(({ variable: { name } }) => name)).toEqual(['old/w', 'old/b']);
    expect(missing.map(({ name }) => name)).toEqual(['new']);
    const only = await assignFromCheckpoint(checkpoint, variables, { include: ['old/b'] });
    expect(only.assigned).toHaveLength(1);
  });

  it('takes names of the checkpoint, and moving averages', async () => {
    const named = await assignFromCheckpoint(checkpoint, { 'old/b': [variable('x', [3]), variable('y', [3])] });
    expect(named.assigned.map(({ variable: { name } }) => name)).toEqual(['x', 'y']);
    const { assigned } = await assignFromCheckpoint(checkpoint, [variable('old/w', [2, 3]), variable('old/b', [3])], {
      movingAverages: true,
    });
    expect(assigned.map(({ tensor }) => tensor)).toEqual(['old/w/ExponentialMovingAverage', 'old/b']);
  });
});

it('what is no pattern is said to be none', () => {
  expect(() => filterVariables([variable('a', [1])], ['(?P<x>a)'])).toThrow(
    expect.objectContaining({ name: 'CheckpointError', code: 'InvalidArgument' }),
  );
});

describe('layout rules', () => {
  const rules: LayoutRule[] = [
    { layout: 'transpose', tensor: 'old/w', perm: [1, 0] },
    { layout: 'split', tensor: 'old/b', to: ['b/0', 'b/1'], axis: 0, sizes: [1, 2] },
    { layout: 'concatenate', tensors: ['other/table', 'old/w/Momentum'], to: 'joined', axis: 0 },
  ];

  it('change shapes in the index and values when they are read, and can be undone', async () => {
    const wide = mapCheckpoint(checkpoint, {
      layouts: [{ layout: 'transpose', tensor: 'old/w/Momentum', perm: [1, 0] }, ...rules],
    });
    expect(wide.entry('joined').shape).toEqual([7, 2]);
    expect(Array.from((await wide.get('old/w')).data as Float32Array)).toEqual([0, 3, 1, 4, 2, 5]);
    expect(Array.from((await wide.get('b/1')).data as Float32Array)).toEqual([11, 12]);
    expect(Array.from((await wide.get('joined')).data as Float32Array)).toEqual([
      30, 31, 32, 33, 34, 35, 36, 37, 0, 3, 1, 4, 2, 5,
    ]);
    const undone = mapCheckpoint(wide, {
      layouts: invertLayouts(rules, [
        ...checkpoint.entries.filter((e) => e.name !== 'old/w/Momentum'),
        { name: 'old/w/Momentum', dtype: 'float32', shape: [3, 2], bytes: 24 },
      ]),
    });
    expect(await undone.get('old/b')).toEqual(await checkpoint.get('old/b'));
    expect(await undone.get('other/table')).toEqual(await checkpoint.get('other/table'));
  });

  it('are undone by what tensors were when their turn came', async () => {
    await writeCheckpoint(join(folder, 'order'), {
      a: ramp([2, 3]),
      b: ramp([4, 3], 10),
      h: castArray(ramp([4]), 'float16'),
    });
    const source = await openCheckpoint(join(folder, 'order'));
    const layouts: LayoutRule[] = [
      { layout: 'transpose', tensor: 'a', perm: [1, 0] },
      { layout: 'transpose', tensor: 'b', perm: [1, 0] },
      { layout: 'concatenate', tensors: ['a', 'b'], to: 'ab', axis: 1 },
      { layout: 'split', tensor: 'h', to: ['h/0', 'h/1'], axis: 0 },
      { layout: 'cast', tensor: 'h/1', dtype: 'float32' },
    ];
    const there = mapCheckpoint(source, { layouts });
    const back = mapCheckpoint(there, { layouts: invertLayouts(layouts, source.entries) });
    for (const { name } of source.entries) expect(await back.get(name)).toEqual(await source.get(name));
    for (const [from, to] of [
      ['float16', 'int32'],
      ['float32', 'float16'],
      ['int64', 'float64'],
      ['int8', 'uint16'],
    ] as const) {
      const entries = [{ name: 'x', dtype: from, shape: [1], bytes: 2 }];
      const cast: LayoutRule = { layout: 'cast', tensor: 'x', dtype: to };
      expect(() => invertLayouts([cast], entries)).toThrow('may lose values');
    }
    const widens: LayoutRule = { layout: 'cast', tensor: 'x', dtype: 'float32' };
    expect(invertLayouts([widens], [{ name: 'x', dtype: 'uint16', shape: [1], bytes: 2 }])).toEqual([
      { layout: 'cast', tensor: 'x', dtype: 'uint16' },
    ]);
  });

  it('go together with renames, and refuse what does not fit', async () => {
    const renamed = mapCheckpoint(checkpoint, {
      names: nameMap([{ prefix: 'old/', to: 'n/' }]),
      layouts: rules.slice(0, 1),
    });
    expect((await renamed.get('n/w')).shape).toEqual([3, 2]);
    for (const rule of [
      { layout: 'transpose', tensor: 'old/w', perm: [0, 0] },
      { layout: 'split', tensor: 'old/b', to: ['x', 'y'], axis: 0 },
      { layout: 'split', tensor: 'old/b', to: ['x'], axis: 4 },
      { layout: 'concatenate', tensors: ['old/w', 'old/b'], to: 'x', axis: 0 },
    ] as LayoutRule[]) {
      expect(() => mapCheckpoint(checkpoint, { layouts: [rule] })).toThrow(
        expect.objectContaining({ code: 'InvalidArgument' }),
      );
    }
    const onto: LayoutRule = { layout: 'split', tensor: 'old/b', to: ['old/w', 'y'], axis: 0, sizes: [1, 2] };
    expect(() => mapCheckpoint(checkpoint, { layouts: [onto] })).toThrow(expect.objectContaining({ code: 'Conflict' }));
    expect(() => mapCheckpoint(checkpoint, { layouts: [{ layout: 'cast', tensor: 'none', dtype: 'int32' }] })).toThrow(
      'no tensor none',
    );
  });

  it('transpose in any order, and cast with numpy’s values', () => {
    // numpy.arange(6.).reshape(1, 2, 3).transpose(2, 0, 1).ravel()
    expect(Array.from(transposeArray(ramp([1, 2, 3]), [2, 0, 1]).data as Float32Array)).toEqual([0, 3, 1, 4, 2, 5]);
    expect(transposeArray(ramp([0, 2]), [1, 0])).toEqual({
      dtype: 'float32',
      shape: [2, 0],
      data: new Float32Array(0),
    });
    const odd = { dtype: 'float32' as const, shape: [3], data: Float32Array.of(-1.7, 0, 65520) };
    expect(castArray(odd, 'int64').data).toEqual(BigInt64Array.of(-1n, 0n, 65520n));
    expect(castArray(odd, 'bool').data).toEqual(Uint8Array.of(1, 0, 1));
    expect(castArray(odd, 'float16').data).toEqual(Uint16Array.of(0xbecd, 0, 0x7c00));
    expect(castArray(castArray(odd, 'complex64'), 'complex128').data).toEqual(
      Float64Array.of(Math.fround(-1.7), 0, 0, 0, 65520, 0),
    );
    for (const dtype of ['int8', 'uint8', 'string'] as const) {
      expect(() => castArray(odd, dtype)).toThrow(expect.objectContaining({ code: 'Mismatch' }));
    }
    expect(() => castArray({ ...odd, data: Float32Array.of(Number.NaN, 0, 0) }, 'int32')).toThrow('NaN');
  });
});

describe('coverage', () => {
  it('explains both sides', async () => {
    await writeCheckpoint(join(folder, 'cover'), {
      'net/conv/weights': ramp([2]),
      'net/conv/biases': ramp([2]),
      'net/conv/weights/Momentum': ramp([2]),
      'net/conv/weights/RMSProp_1': ramp([2]),
      'net/conv/weights/ExponentialMovingAverage': ramp([2]),
      'net/bn/moving_mean': ramp([2]),
      'net/logits/weights': ramp([2, 1001]),
      'net/half': castArray(ramp([2]), 'float16'),
      global_step: ramp([]),
      beta1_power: ramp([]),
    });
    const report = coverage(await openCheckpoint(join(folder, 'cover')), [
      variable('net/conv/weights:0', [2]),
      variable('net/conv/BatchNorm/beta:0', [2]),
      variable('net/logits/weights:0', [2, 1000]),
      variable('net/half', [2]),
    ]);
    expect(report.restored).toEqual([{ variable: 'net/conv/weights', tensor: 'net/conv/weights' }]);
    expect(report.missing[0]!.cause).toContain('a batch norm where the checkpoint has biases');
    expect(report.conflicts.map(({ cause }) => cause)).toEqual([
      expect.stringContaining('checkpoint 1001, model 1000 (one has a background class)'),
      'dtype only: cast float16 to float32',
    ]);
    const kinds = Object.fromEntries(report.unused.map(({ tensor, kind }) => [tensor, kind]));
    expect(kinds).toEqual({
      'net/conv/biases': 'unknown',
      'net/conv/weights/Momentum': 'optimizer slot',
      'net/conv/weights/RMSProp_1': 'optimizer slot',
      'net/conv/weights/ExponentialMovingAverage': 'moving average',
      'net/bn/moving_mean': 'batch norm statistics',
      global_step: 'training state',
      beta1_power: 'training state',
    });
  });

  it('sees a prefix that one side has', () => {
    const variables = ['old/w', 'old/b', 'old/deep/w'].map((name) => variable(`model/${name}`, [1]));
    expect(coverage(checkpoint, variables).causes[0]).toBe(
      "the model's names begin with 'model/', the checkpoint's do not",
    );
    const names = nameMap([{ prefix: 'model/', to: '' }]);
    expect(coverage(checkpoint, variables, { names }).missing).toEqual([]);
    const short = ['w', 'b'].map((name) => variable(name, [1]));
    expect(coverage(checkpoint, short).causes[0]).toBe("the checkpoint's names begin with 'old/', the model's do not");
  });
});
