import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BACKEND_PACKAGES,
  findNativePackage,
  isBackendError,
  loadBackend,
  provideNative,
  restoreNodeUtil,
} from '../src/index.js';
import { makeNative } from '../src/native-steps.js';
import { failureLine, runProcess } from '../src/node-process.js';

const home = process.cwd();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfparity-backend-'));
});

afterEach(() => {
  process.chdir(home);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A project whose `@tensorflow/tfjs-node` is the given program, with or without an addon. */
function projectWith(program: string, { addon }: { addon: boolean }): void {
  const pkg = join(folder, 'node_modules/@tensorflow/tfjs-node');
  mkdirSync(join(pkg, 'lib/napi-v8'), { recursive: true });
  writeFileSync(
    join(pkg, 'package.json'),
    JSON.stringify({ name: '@tensorflow/tfjs-node', version: '4.22.0', main: 'index.js' }),
  );
  writeFileSync(join(pkg, 'index.js'), program);
  if (addon) writeFileSync(join(pkg, 'lib/napi-v8/tfjs_binding.node'), 'not an addon');
  writeFileSync(join(folder, 'package.json'), '{}');
  vi.stubEnv('TFPARITY_CACHE', join(folder, 'cache'));
  process.chdir(folder);
}

describe('restoreNodeUtil', () => {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;

  it('puts back what Node 23 removed, and leaves the rest', () => {
    const kept = util['isDeepStrictEqual'];
    const before = { isNullOrUndefined: util['isNullOrUndefined'], isArray: util['isArray'] };
    util['isNullOrUndefined'] = undefined;
    util['isArray'] = undefined;
    try {
      expect(restoreNodeUtil()).toEqual(expect.arrayContaining(['isArray', 'isNullOrUndefined']));
      const isNullOrUndefined = util['isNullOrUndefined'] as (value: unknown) => boolean;
      expect([null, undefined, 0, ''].map(isNullOrUndefined)).toEqual([true, true, false, false]);
      expect(util['isDeepStrictEqual']).toBe(kept);
      expect(restoreNodeUtil()).toEqual([]);
    } finally {
      Object.assign(util, before);
    }
  });
});

describe('loadBackend', () => {
  it('names the backends when asked for another', async () => {
    const error = await loadBackend({ backend: 'webgl2' }).catch((e: unknown) => e);
    expect(isBackendError(error) && error.code).toBe('UnknownBackend');
    expect((error as Error).message).toBe("'webgl2' is not a backend; choose one of tensorflow, wasm, cpu");
  });

  it('loads the one that TFPARITY_BACKEND names', async () => {
    vi.stubEnv('TFPARITY_BACKEND', 'cpu');
    const loaded = await loadBackend();
    expect(loaded).toMatchObject({ name: 'cpu', rejected: [], message: 'Backend: cpu.' });
    expect(tf.getBackend()).toBe('cpu');
  });

  it('lets the argument win over the environment', async () => {
    vi.stubEnv('TFPARITY_BACKEND', 'nonsense');
    expect((await loadBackend({ backend: 'wasm' })).name).toBe('wasm');
    expect(tf.getBackend()).toBe('wasm');
  });

  it('falls back when the addon crashes, and says so in one paragraph', async () => {
    projectWith('process.abort();', { addon: true });
    vi.stubEnv('TFPARITY_NATIVE', 'none');
    const loaded = await loadBackend({ provide: true });
    expect(loaded.name).toBe('wasm');
    expect(loaded.message).toBe('Backend: wasm. Not tensorflow: the installed addon: it crashed (SIGABRT).');
  });

  it('is an error when the one asked for does not work', async () => {
    projectWith("throw new Error('libtensorflow.so.2: cannot open shared object file');", { addon: true });
    const error = await loadBackend({ backend: 'tensorflow' }).catch((e: unknown) => e);
    expect(isBackendError(error) && error.code).toBe('NotAvailable');
    expect((error as Error).message).toContain('libtensorflow.so.2: cannot open shared object file');
    expect((error as Error).message).not.toContain('\n');
  });

  it.each(Object.keys(BACKEND_PACKAGES).filter((name) => name !== 'tensorflow'))('%s computes', async (backend) => {
    await loadBackend({ backend });
    expect(Array.from(tf.add([1, 2], [3, 4]).dataSync())).toEqual([4, 6]);
  });
});

describe('what was learnt of a backend', () => {
  it('is forgotten where loading it fails after all, and the next one is taken', async () => {
    projectWith('', { addon: true });
    const manifest = findNativePackage()!;
    mkdirSync(join(folder, 'cache'));
    const program = join(folder, 'node_modules/@tensorflow/tfjs-node/index.js');
    // Remembered as working by a probe of the same files.
    writeFileSync(
      program,
      "const tf = { setBackend: () => true, ready: () => {}, add: () => ({ data: () => [4, 6] }), backend: () => ({ binding: { TF_Version: '9' } }) }; module.exports = tf;",
    );
    const core = join(folder, 'node_modules/@tensorflow/tfjs-core');
    mkdirSync(core, { recursive: true });
    writeFileSync(join(core, 'package.json'), '{"main": "index.js"}');
    writeFileSync(join(core, 'index.js'), "module.exports = require('../tfjs-node/index.js');");
    expect(await provideNative({ ways: [] })).toMatchObject({ ok: true, library: '9' });
    rmSync(core, { recursive: true });
    writeFileSync(program, "throw new Error('libtensorflow.so.2: no such file');");
    const loaded = await loadBackend();
    expect(manifest.addon).toContain(folder);
    expect(loaded.name).toBe('wasm');
    expect(loaded.message).toContain('loading it failed: libtensorflow.so.2: no such file');
  });

  it('is asked anew when a library beside the addon is gone, or the memory is damaged', async () => {
    projectWith("throw new Error('broken');", { addon: true });
    mkdirSync(join(folder, 'cache'));
    writeFileSync(join(folder, 'cache/probes.json'), 'null');
    expect(await provideNative({ ways: [] })).toMatchObject({ ok: false, failures: [{ reason: 'Error: broken' }] });
  });
});

describe('provideNative', () => {
  it('says so when TFPARITY_NATIVE names no way', async () => {
    projectWith('', { addon: false });
    vi.stubEnv('TFPARITY_NATIVE', 'whell');
    const provided = await provideNative();
    expect(provided).toEqual({
      ok: false,
      failures: [{ way: 'TFPARITY_NATIVE', reason: "'whell' is no way; it takes install, wheel or none" }],
    });
  });

  it('names every way that failed, and leaves no half-made backend behind', async () => {
    projectWith('', { addon: false });
    vi.stubEnv('TFPARITY_PYTHON', join(folder, 'no-such-python'));
    const provided = await provideNative();
    expect(provided.ok).toBe(false);
    expect(provided.failures.map(({ way }) => way)).toEqual([
      "tfjs-node's own install step",
      'the tensorflow-cpu wheel',
    ]);
    expect(readdirSync(join(folder, 'cache/native'))).toEqual([]);
  });

  it('keeps to the ways that TFPARITY_NATIVE allows', async () => {
    projectWith('', { addon: false });
    vi.stubEnv('TFPARITY_NATIVE', 'none');
    expect(await provideNative()).toEqual({ ok: false, failures: [] });
  });

  it('does not make what is kept already', async () => {
    projectWith('', { addon: false });
    const pkg = findNativePackage()!;
    const entry = join(folder, `cache/native/tfjs-node-4.22.0-${process.platform}-${process.arch}-install`);
    mkdirSync(join(entry, 'lib/napi-v8'), { recursive: true });
    writeFileSync(join(entry, 'lib/napi-v8/tfjs_binding.node'), '');
    expect(await makeNative(pkg, 'install', () => expect.unreachable())).toBe(entry);
  });
});

describe('child processes', () => {
  it('are ended when they stall or take too long', async () => {
    const forever = ['-e', 'setInterval(() => {}, 1000)'];
    expect(await runProcess(process.execPath, forever, { timeout: 500 })).toMatchObject({
      code: -1,
      killed: 'timeout',
    });
    const stalled = await runProcess(process.execPath, forever, { timeout: 60_000, stalled: () => true });
    expect(failureLine(stalled)).toBe('no data arrived');
  });

  it('that cannot be started are a result, not an exception', async () => {
    expect((await runProcess(join(folder, 'nothing'), [], { timeout: 1000 })).killed).toContain('ENOENT');
  });

  it('are summed up by the line that names the error', async () => {
    const failed = await runProcess(process.execPath, ['-e', "throw new TypeError('no such thing')"], {
      timeout: 60_000,
    });
    expect(failureLine(failed)).toBe('TypeError: no such thing');
  });
});
