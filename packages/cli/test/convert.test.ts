import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OptimizerState, openCheckpoint, writeCheckpoint, writeObjectCheckpoint } from '@tfparity/checkpoint';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runTfparity } from './run-tfparity.js';

const array = (shape: number[], ...values: number[]) => ({
  dtype: 'float32' as const,
  shape,
  data: Float32Array.from(values),
});

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfparity-cli-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

async function tfparity(...args: string[]) {
  const run = await runTfparity(args);
  return { ...run, json: (): Record<string, never> => JSON.parse(run.out.join('\n')) };
}

describe('convert', () => {
  it('carries every tensor over, renamed, and replaces nothing unasked', async () => {
    await writeCheckpoint(at('a.npz'), { 'net/w': array([2], 1, 2), 'net/b': array([1], -0) }, { format: 'npz' });
    for (const to of ['b.safetensors', 'c.ckpt', 'model.json']) {
      expect((await tfparity('convert', at('a.npz'), at(to), '--rename', 'net/=n/')).code).toBe(0);
      const checkpoint = await openCheckpoint(at(to));
      expect((await checkpoint.get('n/w')).data).toEqual(Float32Array.of(1, 2));
      expect(Object.is((await checkpoint.get('n/b')).data[0], -0)).toBe(true);
      await checkpoint.close();
      const again = await tfparity('convert', at('a.npz'), at(to));
      expect([again.code, again.err[0]]).toEqual([2, expect.stringContaining('--force')]);
    }
  });

  it('keeps the objects of an object-based checkpoint, with slots, names and what TensorFlow escapes', async () => {
    const kernel = Object.assign(array([1], 1), { name: 'k:0' });
    const slots = [{ variable: kernel, slot: 'm', value: array([1], 2) }];
    const optimizer = new OptimizerState({ iter: array([], 3) }, slots);
    await writeObjectCheckpoint(at('o'), { model: { 'block/conv': { kernel }, 'a.b': array([1], 4) }, optimizer });
    const source = await openCheckpoint(at('o'));
    expect((await tfparity('convert', at('o'), at('copy'))).code).toBe(0);
    expect((await openCheckpoint(at('copy'))).objectGraph).toEqual(source.objectGraph);
    expect((await tfparity('convert', at('o'), at('part'), '--rename', 'model/=net/')).code).toBe(0);
    const part = await openCheckpoint(at('part'));
    expect(part.entries.map(({ name, fullName }) => [name.split('/.ATT')[0], fullName])).toEqual([
      ['net/a..b', undefined],
      ['net/block.Sconv/kernel', 'k'],
      ['optimizer/iter', undefined],
      ['save_counter', 'save_counter'],
    ]);
    expect((await tfparity('convert', at('o'), at('n'), '--format', 'V2')).code).toBe(0);
    const named = await openCheckpoint(at('n'));
    expect(named.entries.map(({ name }) => name)).toEqual([
      'k',
      'model/a..b',
      'model/block.Sconv/kernel/.OPTIMIZER_SLOT/optimizer/m',
      'optimizer/iter',
      'save_counter',
    ]);
  });

  it('changes layouts and names by a file of rules, and back', async () => {
    await writeCheckpoint(at('a'), {
      'net/w': array([2, 3], 1, 2, 3, 4, 5, 6),
      'net/b': array([2], 7, 8),
      step: array([], 9),
    });
    const rules = [
      { layout: 'transpose', tensor: 'net/w', perm: [1, 0] },
      { layout: 'split', tensor: 'net/b', to: ['net/b0', 'net/b1'], axis: 0 },
      { exact: 'step', to: 'global_step' },
      { prefix: 'net/', to: 'n/' },
    ];
    writeFileSync(at('rules.json'), JSON.stringify(rules));
    expect((await tfparity('convert', at('a'), at('b.npz'), '--rename', at('rules.json'))).code).toBe(0);
    const there = await openCheckpoint(at('b.npz'));
    expect(there.entries.map(({ name }) => name).sort()).toEqual(['global_step', 'n/b0', 'n/b1', 'n/w']);
    expect(await there.get('n/w')).toEqual(array([3, 2], 1, 4, 2, 5, 3, 6));
    expect((await tfparity('convert', at('b.npz'), at('c'), '--rename', at('rules.json'), '--inverse')).code).toBe(0);
    expect((await tfparity('compare', at('c'), at('a'))).out[0]).toContain('bit-identical: 3 arrays');
  });

  it('refuses what would lose something, or do nothing', async () => {
    await writeCheckpoint(at('a'), { w: array([1], 1) });
    writeFileSync(at('lost.data-00000-of-00002'), 'an index was lost');
    writeFileSync(at('q.group1-shard1of1.bin'), 'a shard');
    writeFileSync(at('model.json'), JSON.stringify({ modelTopology: {}, weightsManifest: [] }));
    mkdirSync(at('folder'));
    writeFileSync(at('bad.json'), '[{"from": "a", "to": "b"}]');
    for (const [to, message, ...flags] of [
      ['lost', 'is there already'],
      ['q.json', 'is there already'],
      ['weights.h5', '.h5 is not written here'],
      ['model.json', "holds a model's topology", '--force'],
      ['folder', 'is a folder', '--force'],
      ['b', 'fits no name', '--rename', 'none/=x/'],
      ['b', 'a rule is', '--rename', at('bad.json')],
      ['b', 'no tensor whose name', '--filter', 'none'],
    ] as const) {
      const before = readdirSync(folder);
      const { code, err } = await tfparity('convert', at('a'), at(to), ...flags);
      expect([to, code, err[0]]).toEqual([to, 2, expect.stringContaining(message)]);
      expect(readdirSync(folder)).toEqual(before);
    }
  });

  it('says how far it is', async () => {
    await writeCheckpoint(at('a'), { v: array([1], 1), w: array([1], 2) });
    for (const [to, ...flags] of [['b'], ['c.safetensors'], ['d', '--format', 'object'], ['e.npz', '--filter', 'w']]) {
      const { code, progress } = await tfparity('convert', at('a'), at(to!), ...flags);
      expect(code).toBe(0);
      expect(progress.some((text) => text.startsWith(to === 'e.npz' ? '1 of 1: w' : '2 of 2: w'))).toBe(true);
    }
  });

  it('writes nothing outside the target, whatever a tensor is called', async () => {
    await writeCheckpoint(at('a.npz'), { '../../x': array([1], 1), '__proto__/y': array([1], 2) }, { format: 'npz' });
    mkdirSync(at('deep/deeper'), { recursive: true });
    const before = readdirSync(folder);
    for (const [to, format] of [
      ['o.ckpt', 'object'],
      ['p.ckpt', 'V2'],
      ['q.json', 'tfjs'],
      ['r.npz', 'npz'],
    ] as const) {
      const inner = `deep/deeper/${to}`;
      expect((await tfparity('convert', at('a.npz'), at(inner), '--format', format)).code).toBe(0);
    }
    expect([readdirSync(folder), readdirSync(at('deep'))]).toEqual([before, ['deeper']]);
    expect(existsSync(join(tmpdir(), 'x'))).toBe(false);
    expect(Object.hasOwn(Object.prototype, 'y')).toBe(false);
  });
});
