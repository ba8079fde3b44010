// What is written beside the terminal says what the exit code says.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeCheckpoint } from '@tfparity/checkpoint';
import { GoldenBundle } from '@tfparity/validate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { junitOf } from '../src/junit.js';
import { runTfparity } from './run-tfparity.js';

const array = (...values: number[]) => ({
  dtype: 'float32' as const,
  shape: [values.length],
  data: Float32Array.from(values),
});

let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfparity-results-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function tfparity(...args: string[]) {
  const files = ['--html', at('page.html'), '--junit', at('junit.xml')];
  const writes = ['compare', 'diff', 'validate'].includes(args[0]!);
  const all = [...args, ...(writes && !args.includes('--html') ? files : [])];
  const run = await runTfparity(all, { rows: 40, colors: true });
  const read = (name: string) => readFileSync(at(name), 'utf8');
  return { ...run, read };
}

const npz = (name: string, arrays: Record<string, ReturnType<typeof array>>) =>
  writeCheckpoint(at(name), arrays, { format: 'npz' });

describe('the files of a result', () => {
  it('have an error where nothing was compared', async () => {
    await npz('a.npz', { w: array(1) });
    const { code, read } = await tfparity('compare', at('a.npz'), at('a.npz'), '--filter', 'zz');
    expect(code).toBe(2);
    expect(read('junit.xml')).toContain('tests="1" failures="0" errors="1"');
    expect(read('page.html')).toContain('Nothing was compared');
  });

  it('have the names as well as the values that diff compares', async () => {
    await npz('a.npz', { v: array(1), w: array(2) });
    await npz('b.npz', { w: array(2), v: array(1) });
    const { code, read } = await tfparity('diff', at('a.npz'), at('b.npz'), '--order', '--values');
    expect(code).toBe(1);
    expect(read('junit.xml')).toContain('tests="3" failures="1"');
    expect(read('page.html')).toContain('All 2 arrays agree, but the lists of variables differ');
  });

  it('have the warnings of arrays that are identical', async () => {
    await npz('nan.npz', { w: array(Number.NaN, Number.NaN) });
    const { code, read } = await tfparity('compare', at('nan.npz'), at('nan.npz'));
    expect(code).toBe(0);
    expect(read('page.html')).toContain('Warning: w: every value is NaN on both sides');
  });

  it('have a case for each fault, and the steps as they are without one', async () => {
    const config = fileURLToPath(new URL('./small-migration.mjs', import.meta.url));
    const { code, read } = await tfparity(
      'validate',
      config,
      '--backend',
      'cpu',
      '--steps',
      'by-name',
      '--sensitivity',
    );
    const junit = read('junit.xml');
    expect(junit.match(/<testcase /g)!.length).toBeGreaterThan(20);
    expect(junit).toMatch(/<testcase name="by-name: [^>]*>(<system-out>|<\/testcase>)|name="by-name: [^>]*\/>/);
    expect(junit).toMatch(/name="fault input-range: [^>]*><system-out>caught/);
    expect(/failures="0" errors="0"/.test(junit)).toBe(code === 0);
  });

  it.each([
    ['stopped', 'unclear', { summary: 'stopped', steps: [{ id: 'a', status: 'passed' }] }, 'errors="1"'],
    ['skipped', 'unclear', { steps: [{ id: 'a', status: 'skipped' }] }, 'errors="1"'],
    ['not shown', 'different', { steps: [{ id: 'a', passed: true }] }, 'failures="1"'],
    ['missed', 'different', { baseline: { steps: [] }, faults: [{ id: 'a', status: 'missed' }] }, 'failures="1"'],
    ['the same', 'same', { steps: [{ id: 'a', status: 'passed' }] }, 'failures="0" errors="0"'],
  ] as const)('agree with the outcome: %s', (_, outcome, result, counts) => {
    expect(junitOf(result, outcome, 'x')).toContain(counts);
  });

  it('leave nothing behind where they cannot be written', async () => {
    await npz('a.npz', { w: array(1) });
    mkdirSync(at('page'));
    const { code, err } = await tfparity('compare', at('a.npz'), at('a.npz'), '--html', at('page'));
    expect([code, err[0]]).toEqual([2, expect.stringContaining('cannot be written')]);
    expect(readdirSync(folder).sort()).toEqual(['a.npz', 'page']);
  });

  it('are not made of what looks like a result alone', async () => {
    writeFileSync(at('r.json'), '{"mismatched": 0, "tolerance": {}, "bitIdentical": true}');
    const { code, err } = await tfparity('report', at('r.json'));
    expect([code, err[0]]).toEqual([2, expect.stringContaining('UnknownFormat')]);
  });
});

describe('what is read', () => {
  it('is what its manifest says, where it is a recording', async () => {
    const bundle = at('bundle');
    const run = { name: 'a', inputs: { input: array(1) }, outputs: { output: array(1, 2) } };
    await GoldenBundle.write(bundle, { variables: [], runs: [run] });
    expect((await tfparity('compare', bundle, bundle)).code).toBe(0);
    const arrays = { 'runs/a/inputs/input': array(1), 'runs/a/outputs/output': array(0, 0) };
    await npz('bundle/arrays.npz', arrays);
    const { code, err } = await tfparity('compare', bundle, bundle);
    expect([code, err[0]]).toEqual([2, expect.stringContaining('is not what was recorded')]);
  });

  it('is exact where JSON has integers', async () => {
    const codeOf = async (a: string, b: string, ...options: string[]) => {
      writeFileSync(at('a.json'), a);
      writeFileSync(at('b.json'), b);
      return (await tfparity('compare', at('a.json'), at('b.json'), ...options)).code;
    };
    expect(await codeOf('{"step": 10000000}', '{"step": 10000001}')).toBe(1);
    expect(await codeOf('[9007199254740993, 1]', '[9007199254740992, 1]')).toBe(1);
    expect(await codeOf('[9007199254740993, 1]', '[9007199254740993, 1]')).toBe(0);
    expect(await codeOf('{"a": 36893488147419103233}', '{"a": 36893488147419103232}')).toBe(1);
    expect(await codeOf('{"step": 10000000}', '{"step": 10000001}', '--rtol', '1e-6')).toBe(0);
    expect(
      await codeOf(
        '{"loss": [1, 2.5], "s": "1234567890123456789"}',
        '{"loss": [1.00000001, 2.5], "s": "1234567890123456789"}',
      ),
    ).toBe(0);
    expect(await codeOf('[[1, 2], [3]]', '[[1, 2], [4]]')).toBe(1);
    expect(await codeOf('{"a": 12345678901234567,}', '1')).toBe(2);
  });

  it('does not steer the terminal', async () => {
    await npz('a.npz', { 'w\u001b[31mred': array(1) });
    await npz('b.npz', { 'w\u001b[31mred': array(2) });
    for (const args of [
      ['compare', at('a.npz'), at('b.npz')],
      ['inspect', at('a.npz')],
    ]) {
      const { out } = await tfparity(...args);
      const text = out.join('\n');
      expect(text).toContain('w\ufffd[31mred');
      expect(text).not.toContain('\u001b[31mred');
      // The verdict keeps its colour.
      expect(out[0]!.startsWith('\u001b[3')).toBe(true);
    }
  });
});
