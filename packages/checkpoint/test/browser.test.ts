// The main entry in a browser: bundled without node's modules, by URL with ranges and by File, reading only what is needed.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { goldenPath } from '@tfparity/testing';
import { chromium } from 'playwright-core';
import { build, type Rollup } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../src/index.js';

const browserPath = [
  process.env['TFPARITY_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path && existsSync(path));

let bundled: Promise<string> | undefined;

function bundle(): Promise<string> {
  bundled ??= makeBundle();
  return bundled;
}

async function makeBundle(): Promise<string> {
  const result = (await build({
    logLevel: 'error',
    configFile: false,
    resolve: { conditions: ['@tfparity/source', 'browser', 'import', 'default'] },
    build: {
      write: false,
      target: 'es2022',
      minify: false,
      lib: { entry: fileURLToPath(new URL('../src/index.ts', import.meta.url)), formats: ['es'], fileName: 'index' },
      // HDF5 is large, and fetched only when an .h5 is opened.
      rollupOptions: { external: ['h5wasm'], output: { inlineDynamicImports: true } },
    },
  })) as Rollup.RollupOutput[];
  return result[0]!.output[0].code;
}

describe('the bundle for browsers', () => {
  it('has nothing of node in it', async () => {
    const code = await bundle();
    expect(code).not.toMatch(/["']node:|@node-rs|__vite-browser-external/);
  });
});

const inBrowser = browserPath ? describe : describe.skip;

inBrowser(
  browserPath ? 'in headless Chromium' : 'in headless Chromium (none is installed: set TFPARITY_CHROMIUM)',
  () => {
    let server: Server;
    let url = '';
    let sent: { path: string; bytes: number }[] = [];
    let code = '';

    beforeAll(async () => {
      code = await bundle();
      server = createServer((request, response) => {
        const path = new URL(request.url!, 'http://x').pathname.slice(1);
        if (path === '') {
          response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><input type="file" multiple>');
          return;
        }
        if (path === 'index.js') {
          response.writeHead(200, { 'content-type': 'text/javascript' }).end(code);
          return;
        }
        if (!existsSync(goldenPath(`checkpoints/${path}`))) {
          response.writeHead(404).end();
          return;
        }
        const bytes = readFileSync(goldenPath(`checkpoints/${path}`));
        const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
        if (!range) {
          response.writeHead(200, { 'content-length': bytes.length }).end(request.method === 'HEAD' ? '' : bytes);
          if (request.method !== 'HEAD') sent.push({ path, bytes: bytes.length });
          return;
        }
        const part = bytes.subarray(Number(range[1]), Number(range[2]) + 1);
        sent.push({ path, bytes: part.length });
        response.writeHead(206, { 'content-range': `bytes ${range[1]}-${range[2]}/${bytes.length}` }).end(part);
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    });
    afterAll(() => {
      server?.close();
      server?.closeAllConnections();
    });

    it('opens by URL and by File, lists, and reads one tensor with only its bytes', async () => {
      const here = await openCheckpoint(goldenPath('checkpoints/v2_many'));
      const { name, bytes } = here.entries[123]!;
      const expected = Array.from((await here.get(name)).data as Float32Array);
      const browser = await chromium.launch({ executablePath: browserPath!, args: ['--no-sandbox'] });
      try {
        const page = await browser.newPage();
        await page.goto(url);
        // As text: what runs in the page is not part of this program.
        const read = (source: string, tensor: string): Promise<{ count: number; values: number[] }> =>
          page.evaluate(`(async () => {
          const { openCheckpoint } = await import('/index.js');
          const checkpoint = await openCheckpoint(${source});
          const { data } = await checkpoint.get(${JSON.stringify(tensor)});
          return { count: checkpoint.entries.length, values: Array.from(data, Number) };
        })()`);
        const byUrl = await read(JSON.stringify(`${url}v2_many`), name);
        expect(byUrl).toEqual({ count: 900, values: expected });
        const data = sent.filter(({ path }) => path.includes('.data'));
        expect(data).toEqual([{ path: 'v2_many.data-00000-of-00001', bytes }]);
        const index = sent.filter(({ path }) => path.endsWith('.index')).reduce((sum, item) => sum + item.bytes, 0);
        expect(index).toBeLessThanOrEqual(readFileSync(goldenPath('checkpoints/v2_many.index')).length);
        sent = [];
        const files = ['v2_many.index', 'v2_many.data-00000-of-00001'].map((file) => goldenPath(`checkpoints/${file}`));
        await page.setInputFiles('input', files);
        const byFiles = await read("document.querySelector('input').files", name);
        expect(byFiles).toEqual({ count: 900, values: expected });
        await page.setInputFiles('input', [goldenPath('checkpoints/v1_partitioned')]);
        const v1 = await openCheckpoint(goldenPath('checkpoints/v1_partitioned'));
        const byFile = await read("document.querySelector('input').files[0]", 'emb/table');
        expect(byFile.values).toEqual(Array.from((await v1.get('emb/table')).data as Float32Array));
        expect(sent).toEqual([]);
        const path = await page.evaluate(
          `import('/index.js').then(({ openCheckpoint }) => openCheckpoint('some/path')).catch((error) => error.code)`,
        );
        expect(path).toBe('Unsupported');
      } finally {
        await browser.close();
      }
    });
  },
);
