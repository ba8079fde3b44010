import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCheckpoint, writeObjectCheckpoint } from '@tfparity/checkpoint';
import { describeGolden, goldenPath } from '@tfparity/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { netStep, runResult, SAME } from './run-result.js';
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

describe('the command line itself', () => {
  it('says in one message what it does not understand, and exits with 2', async () => {
    for (const [args, message] of [
      [['bogus'], "there is no command 'bogus'"],
      [['inspect'], 'missing required args'],
      [['inspect', 'x', '--nonsense'], 'Unknown option'],
      [['inspect', at('nothing')], 'nothing'],
      [['report', at('nothing.json')], 'does not exist'],
      [['compare', at('a'), at('b'), '--rtol', 'much'], '--rtol is a number'],
      [['convert', 'a', 'b', '--format', 'zip'], '--format is one of'],
      [['random', 'Uniform'], "'Uniform' is not drawn here"],
      [['diff', 'a', 'b', '--rename', 'nothing'], '--rename is from=to'],
      [['validate', at('missing.mjs')], 'does not exist'],
    ] as const) {
      const { code, out, err } = await tfparity(...args);
      expect([args, code, out, err.length]).toEqual([args, 2, [], 1]);
      expect(err[0]).toContain(message);
      expect(err[0]).not.toMatch(/\n\s+at /);
    }
  });

  it('says it as JSON too, where JSON is asked for', async () => {
    const { code, json } = await tfparity('report', at('nothing.json'), '--json');
    expect(code).toBe(2);
    expect(json()).toEqual({ error: { code: 'NotFound', message: expect.stringContaining('does not exist') } });
  });

  it('prints help for all commands and for one', async () => {
    const info = vi.spyOn(console, 'info').mockImplementation(() => {});
    expect((await tfparity('--help')).code).toBe(0);
    const all = String(info.mock.lastCall);
    for (const name of ['doctor', 'inspect', 'diff', 'compare', 'convert', 'random', 'validate', 'report']) {
      expect(all).toContain(`  ${name}`);
      await tfparity(name, '--help');
      expect(String(info.mock.lastCall)).toContain(`tfparity ${name}`);
      expect(String(info.mock.lastCall)).toContain('--json');
    }
    info.mockRestore();
  });

  it('annotates what differs on GitHub', async () => {
    await writeCheckpoint(at('a.npz'), { 'x%': array([1], 1) }, { format: 'npz' });
    await writeCheckpoint(at('b.npz'), { 'x%': array([1], 2) }, { format: 'npz' });
    vi.stubEnv('GITHUB_ACTIONS', 'true');
    const { err } = await tfparity('compare', at('a.npz'), at('b.npz'));
    expect(err).toEqual([expect.stringMatching(/^::error title=tfparity::x%25: 1 of 1 /)]);
  });
});

describe('compare', () => {
  const expected = { w: array([2, 2], 1, 2, 3, 4), b: array([2], 0, 1) };

  it('exits with 0 for the same, 1 for another value, a missing array, one too many, another shape', async () => {
    await writeCheckpoint(at('e.npz'), expected, { format: 'npz' });
    for (const [code, actual] of [
      [0, expected],
      [0, { ...expected, w: array([2, 2], 1, 2, 3, 4.000001) }],
      [1, { ...expected, w: array([2, 2], 1, 2, 3, 4.01) }],
      [1, { ...expected, w: array([2, 2], 1, 2, 3, Number.NaN) }],
      [1, { w: expected.w }],
      [1, { ...expected, more: array([1], 1) }],
      [1, { ...expected, b: array([1, 2], 0, 1) }],
    ] as const) {
      await writeCheckpoint(at('a.safetensors'), actual, { format: 'safetensors' });
      const result = await tfparity('compare', at('a.safetensors'), at('e.npz'));
      expect([result.code, result.err]).toEqual([code, []]);
    }
  });

  it('takes tolerances, renames and filters', async () => {
    await writeCheckpoint(at('e.npz'), { 'new/w': array([1], 100), 'new/b': array([1], 1) }, { format: 'npz' });
    await writeCheckpoint(at('a.npz'), { 'old/w': array([1], 101), 'old/b': array([1], 1) }, { format: 'npz' });
    const compare = ['compare', at('a.npz'), at('e.npz'), '--rename', 'old/=new/'];
    expect((await tfparity(...compare)).code).toBe(1);
    expect((await tfparity(...compare, '--rtol', '0.02')).code).toBe(0);
    expect((await tfparity(...compare, '--filter', '/b')).code).toBe(0);
    expect((await tfparity(...compare, '--filter', 'nothing')).code).toBe(2);
  });

  it('compares what is large in pieces, with the same outcome', async () => {
    const data = new Float32Array(2 ** 22 + 5).map((_, i) => i % 1000);
    const write = (name: string, last: number, cuts?: number) => {
      const changed = data.slice();
      changed[data.length - 1] = last;
      const tensors = { big: { dtype: 'float32' as const, shape: [data.length], data: changed }, w: array([1], 1) };
      return cuts === undefined
        ? writeCheckpoint(at(name), tensors)
        : writeCheckpoint(at(name), tensors, { format: 'safetensors' });
    };
    await write('a', 7);
    await write('b.safetensors', 7, 1);
    await write('c', 8);
    expect((await tfparity('compare', at('a'), at('b.safetensors'))).out[0]).toContain('bit-identical: 2 arrays');
    const { code, json } = await tfparity('compare', at('c'), at('b.safetensors'), '--json');
    expect([code, json()['counts']]).toMatchObject([1, { compared: 2, failed: 1 }]);
    const [item] = json()['items'] as unknown as [
      { name: string; comparison: { mismatched: number; first: object[] } },
    ];
    expect(item).toMatchObject({ name: 'big', comparison: { mismatched: 1, first: [{ index: [data.length - 1] }] } });
    const shard = at('a.data-00000-of-00001');
    const bytes = readFileSync(shard);
    bytes[data.length * 4 - 1]! ^= 1;
    writeFileSync(shard, bytes);
    const damaged = await tfparity('compare', at('a'), at('b.safetensors'));
    expect([damaged.code, damaged.err[0]]).toEqual([2, expect.stringContaining('Checksum does not match')]);
  });

  it('finds the variables of objects by their own names, whichever side they are on', async () => {
    const kernel = Object.assign(array([2], 1, 2), { name: 'dense/kernel:0' });
    await writeObjectCheckpoint(at('objects'), { model: { dense: { kernel } }, step: array([], 3) });
    await writeCheckpoint(at('names'), { 'dense/kernel': array([2], 1, 2), step: array([], 3) });
    await writeCheckpoint(at('other'), { 'dense/kernel': array([2], 1, 3), step: array([], 3) });
    for (const command of [['compare'], ['diff'], ['diff', '--values']] as const) {
      const [name, ...flags] = command;
      expect((await tfparity(name, at('objects'), at('names'), ...flags)).code).toBe(0);
      expect((await tfparity(name, at('names'), at('objects'), ...flags)).code).toBe(0);
    }
    expect((await tfparity('compare', at('objects'), at('other'))).code).toBe(1);
    expect((await tfparity('convert', at('objects'), at('converted'), '--format', 'V2')).code).toBe(0);
    expect((await tfparity('compare', at('converted'), at('objects'))).code).toBe(0);
  });

  it('cannot tell of two empty files', async () => {
    await writeCheckpoint(at('a.npz'), {}, { format: 'npz' });
    expect((await tfparity('compare', at('a.npz'), at('a.npz'))).code).toBe(2);
    expect((await tfparity('diff', at('a.npz'), at('a.npz'))).code).toBe(2);
    expect((await tfparity('diff', at('a.npz'), at('a.npz'), '--values')).code).toBe(2);
  });

  it('compares JSON trees', async () => {
    writeFileSync(at('a.json'), JSON.stringify({ loss: 1, logits: [1, 2] }));
    writeFileSync(at('b.json'), JSON.stringify({ loss: 1, logits: [1, 2.5] }));
    expect((await tfparity('compare', at('a.json'), at('a.json'))).code).toBe(0);
    const { code, json } = await tfparity('compare', at('a.json'), at('b.json'), '--json');
    expect([code, json()['firstDivergence']]).toEqual([1, 'logits']);
  });

  it('prints one screen, however much differs, and writes a page and JUnit', async () => {
    const many = (value: number) =>
      Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`net/<${i}>&`, array([9], ...Array(9).fill(value))]));
    await writeCheckpoint(at('a.npz'), many(1), { format: 'npz' });
    await writeCheckpoint(at('b.npz'), many(2), { format: 'npz' });
    const { out } = await tfparity(
      'compare',
      at('a.npz'),
      at('b.npz'),
      '--html',
      at('deep/page.html'),
      '--junit',
      at('j.xml'),
    );
    expect(out.length).toBeLessThanOrEqual(24);
    expect(readFileSync(at('deep/page.html'), 'utf8')).toContain('90 of 90 arrays differ');
    const junit = readFileSync(at('j.xml'), 'utf8');
    expect(junit.match(/<testcase /g)).toHaveLength(90);
    expect(junit).toContain('tests="90" failures="90"');
    expect(junit).toContain('net/&lt;0&gt;&amp;');
  });
});

describe('diff', () => {
  it('compares names, shapes and dtypes, and values when asked', async () => {
    await writeCheckpoint(at('a.npz'), { w: array([2], 1, 2) }, { format: 'npz' });
    await writeCheckpoint(at('b.safetensors'), { w: array([2], 1, 3) }, { format: 'safetensors' });
    await writeCheckpoint(at('c.npz'), { w: array([1, 2], 1, 2), v: array([1], 0) }, { format: 'npz' });
    expect((await tfparity('diff', at('a.npz'), at('b.safetensors'))).code).toBe(0);
    expect((await tfparity('diff', at('a.npz'), at('b.safetensors'), '--values')).code).toBe(1);
    const { code, json } = await tfparity('diff', at('a.npz'), at('c.npz'), '--json');
    expect(code).toBe(1);
    expect(json()).toMatchObject({ same: false, missing: [{ name: 'v' }], shape: [{ name: 'w' }] });
  });
});

describe('random', () => {
  // The guide's own: tf.random.uniform under seed 42, first op.
  it("draws the guide's published numbers", async () => {
    const { code, json } = await tfparity(
      'random',
      'RandomUniform',
      '--shape',
      '3,1',
      '--seed',
      '42',
      '--seed2',
      '0',
      '--json',
    );
    const [draw] = json()['draws'] as unknown as [{ shape: number[]; data: number[] }];
    expect([code, draw.shape]).toEqual([0, [3, 1]]);
    // Printed there with eight digits, after times 3.
    for (const [i, published] of [2.5063772, 2.7488918, 1.4839486].entries()) {
      expect(Math.abs(draw.data[i]! * 3 - published)).toBeLessThan(2e-7 * published);
    }
  });

  it('keeps every digit of a seed, and continues the stream', async () => {
    const seeds = ['--seed', '9007199254740993', '--seed2', '1'];
    const near = ['--seed', '9007199254740992', '--seed2', '1'];
    const draw = async (...args: string[]) =>
      (await tfparity('random', 'RandomUniform', '--shape', '2', ...args, '--json')).json()['draws'];
    expect(await draw(...seeds)).not.toEqual(await draw(...near));
    expect((await tfparity('random', 'RandomUniform', '--seed=-5', '--seed2', '-7')).code).toBe(0);
    const [first, second] = (await draw(...seeds, '--draws', '2')) as unknown as unknown[];
    expect(first).not.toEqual(second);
  });
});

describe('inspect', () => {
  it('shows statistics of values, NaN and infinities apart', async () => {
    await writeCheckpoint(
      at('a.npz'),
      { w: array([5], -1, 0, 3, Number.NaN, Number.POSITIVE_INFINITY), e: array([0]) },
      { format: 'npz' },
    );
    const { json } = await tfparity('inspect', at('a.npz'), '--values', '--json');
    const entries = json()['entries'] as unknown as { name: string; values: object }[];
    const values = Object.fromEntries(entries.map((entry) => [entry.name, entry.values]));
    expect(values['w']).toMatchObject({ count: 5, nan: 1, infinite: 1, zero: 1, min: -1, max: 3 });
    expect(values['e']).toMatchObject({ count: 0, min: null, histogram: [] });
  });

  it('keeps every digit of large integers, and the spread of large floats', async () => {
    const step = { dtype: 'int64' as const, shape: [2], data: BigInt64Array.of(9007199254740993n, 0n) };
    const wide = { dtype: 'float64' as const, shape: [2], data: Float64Array.of(1.7e308, -1.7e308) };
    await writeCheckpoint(at('a'), { step, wide });
    const { json } = await tfparity('inspect', at('a'), '--values', '--json');
    const entries = json()['entries'] as unknown as { values: { histogram: number[] } }[];
    expect(entries[0]!.values).toMatchObject({ min: 0, max: '9007199254740993', zero: 1 });
    expect(entries[1]!.values).toMatchObject({ min: -1.7e308, max: 1.7e308, mean: 0, deviation: 1.7e308 });
    expect(entries[1]!.values.histogram.at(-1)).toBe(1);
  });

  describeGolden('checkpoints/v2_many.index', () => {
    it('folds 900 tensors into one screen', async () => {
      const { code, out } = await tfparity('inspect', goldenPath('checkpoints/v2_many'));
      expect(code).toBe(0);
      expect(out.length).toBeLessThanOrEqual(24);
      expect(out[0]).toContain('900 tensors');
    });
  });

  describeGolden('checkpoints/tf1_frozen.pb', () => {
    it('lists the ops, inputs, outputs and seeds of a graph', async () => {
      const { code, out } = await tfparity('inspect', goldenPath('checkpoints/tf1_frozen.pb'));
      expect(code).toBe(0);
      const text = out.join('\n');
      for (const part of ['Conv2D 1', 'x:0 float32', 'net/logits:0', 'seed 42, seed2 1']) expect(text).toContain(part);
    });
  });

  describeGolden('checkpoints/saved_model', () => {
    it('says where the variables of a SavedModel are damaged', async () => {
      cpSync(goldenPath('checkpoints/saved_model'), at('sm'), { recursive: true });
      const index = at('sm/variables/variables.index');
      const bytes = readFileSync(index);
      bytes[5]! ^= 1;
      writeFileSync(index, bytes);
      const { code, err } = await tfparity('inspect', at('sm'));
      expect([code, err[0]]).toEqual([2, expect.stringContaining('variables.index')]);
      rmSync(at('sm/variables'), { recursive: true });
      expect((await tfparity('inspect', at('sm'))).code).toBe(0);
    });

    it('shows graph and variables of a SavedModel', async () => {
      const { json } = await tfparity('inspect', goldenPath('checkpoints/saved_model'), '--json');
      expect(json()).toMatchObject({
        graph: { signatures: expect.arrayContaining(['serving_default']) },
        variables: { tensors: 4 },
      });
    });
  });
});

describe('report', () => {
  it('makes a page beside the result', async () => {
    writeFileSync(at('run.json'), JSON.stringify(runResult(netStep('a', true, SAME))));
    const { code } = await tfparity('report', at('run.json'), '--title', 'My net');
    expect(code).toBe(0);
    expect(readFileSync(at('run.html'), 'utf8')).toContain('<h1>My net</h1>');
  });

  it('refuses JSON that is no result, and what is no JSON', async () => {
    writeFileSync(at('x.json'), '{"a":1}');
    writeFileSync(at('y.json'), '<html>');
    for (const name of ['x.json', 'y.json']) expect((await tfparity('report', at(name))).code).toBe(2);
  });
});

describe('validate', () => {
  const config = new URL('small-migration.mjs', import.meta.url).pathname;

  it('runs the steps of a config and tells a migration from a faulty one', async () => {
    const same = await tfparity(
      'validate',
      config,
      '--backend',
      'cpu',
      '--steps',
      'inventory,by-name',
      '--out',
      at('r.json'),
    );
    expect([same.code, same.err]).toEqual([0, []]);
    expect(JSON.parse(readFileSync(at('r.json'), 'utf8'))).toMatchObject({
      verdict: 'same',
      steps: [{ id: 'inventory' }, { id: 'by-name' }],
    });
    vi.stubEnv('TFPARITY_TEST_BIAS', '0.5');
    const other = await tfparity(
      'validate',
      config,
      '--backend',
      'cpu',
      '--steps',
      'by-name',
      '--html',
      at('p.html'),
      '--junit',
      at('j.xml'),
    );
    expect(other.code).toBe(1);
    expect(readFileSync(at('p.html'), 'utf8')).toContain('The migrated model differs');
    expect(readFileSync(at('j.xml'), 'utf8')).toContain('failures="1"');
  });

  it('refuses a step that is none, and a module without a migration', async () => {
    expect((await tfparity('validate', config, '--backend', 'cpu', '--steps', 'nothing')).code).toBe(2);
    writeFileSync(at('empty.mjs'), 'export const a = 1;');
    const { code, err } = await tfparity('validate', at('empty.mjs'), '--backend', 'cpu');
    expect([code, err[0]]).toEqual([2, expect.stringContaining('must export by default')]);
  });
});
