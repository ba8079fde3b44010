import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compareTrees } from '@tfparity/numerics';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '../src/report/index.js';
import { whereItDiffers } from '../src/where-it-differs.js';
import { DRIFT, netStep, runResult, SAME } from './run-result.js';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env['TFPARITY_CHROMIUM'] ?? CANDIDATES.find((path) => existsSync(path));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const SIZES = { phone: { width: 390, height: 800 }, desktop: { width: 1280, height: 900 } } as const;

function comparison(): unknown {
  const expected = {
    dtype: 'float32' as const,
    shape: [1, 6, 5, 40],
    data: Float32Array.from({ length: 1200 }, (_, i) => i),
  };
  const actual = { ...expected, data: expected.data.map((v, i) => (i > 600 && i < 700 ? v + 0.25 : v)) };
  const tree = compareTrees({ 'net/conv/relu': actual }, { 'net/conv/relu': expected });
  return { ...tree, items: tree.items.map((item) => ({ ...item, where: whereItDiffers(actual, expected) })) };
}

const PAGES: Readonly<Record<string, unknown>> = {
  run: runResult(netStep('3-reset', true, SAME), netStep('4-training', false, DRIFT)),
  comparison: comparison(),
};

describe.skipIf(executablePath === undefined)(
  'the page in Chromium (needs one at /usr/bin or TFPARITY_CHROMIUM)',
  () => {
    let browser: Browser;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tfparity-page-'));
      browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox', '--disable-gpu'] });
    });

    afterAll(async () => {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    });

    /** The page as a user opens it: from a file, with every request noted. */
    async function visit(name: string, size: keyof typeof SIZES, colorScheme: 'light' | 'dark') {
      const file = join(folder, `${name}.html`);
      writeFileSync(file, renderReport(PAGES[name], { title: 'The title' }));
      // The page's policy forbids every script; axe is one, so the policy is lifted for it alone.
      const page = await browser.newPage({ viewport: SIZES[size], colorScheme, bypassCSP: true });
      const requests: string[] = [];
      const problems: string[] = [];
      page.on('request', (request) => requests.push(request.url()));
      page.on('console', (message) => problems.push(message.text()));
      await page.goto(pathToFileURL(file).href);
      return { page, requests, problems };
    }

    async function violations(page: Page): Promise<string[]> {
      await page.evaluate(axe);
      return page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        const { violations: found } = await axe.run();
        return found.map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)}`);
      });
    }

    // Every page in both widths and both schemes; what a scheme and a width could break together is nothing.
    for (const [name, size, scheme] of [
      ['run', 'phone', 'dark'],
      ['run', 'desktop', 'light'],
      ['comparison', 'phone', 'light'],
      ['comparison', 'desktop', 'dark'],
    ] as const) {
      it(`${name}, ${size}, ${scheme}: loads nothing, fits, and axe finds nothing`, async () => {
        const { page, requests, problems } = await visit(name, size, scheme);
        await page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true;
        });
        expect(requests.filter((url) => !/^(file|data):/.test(url))).toEqual([]);
        expect(problems).toEqual([]);
        const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
        expect(inner).toBeLessThanOrEqual(outer!);
        expect(await violations(page)).toEqual([]);
        await page.close();
      });
    }

    it('shows the picture drawn for the width, and only that', async () => {
      for (const [size, seen, hidden] of [
        ['phone', 'narrow', 'wide'],
        ['desktop', 'wide', 'narrow'],
      ] as const) {
        const { page } = await visit('run', size, 'light');
        expect(await page.locator(`figure .${seen}`).first().isVisible()).toBe(true);
        expect(await page.locator(`figure .${hidden}`).first().isVisible()).toBe(false);
        await page.close();
      }
    });

    it('is used with the keyboard: skip link, contents, and the tables behind pictures', async () => {
      const { page } = await visit('run', 'desktop', 'light');
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the results');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      expect(new URL(page.url()).hash).toBe('#3-reset');
      await page.locator('summary').first().focus();
      await page.keyboard.press('Enter');
      expect(await page.locator('details').first().getAttribute('open')).not.toBeNull();
      await page.close();
    });

    it('tells the marks apart without colour', async () => {
      const { page } = await visit('run', 'desktop', 'light');
      const section = page.locator('[id="4-training"] figure').first();
      const dashed = section.locator('.wide [stroke-dasharray="5,4"]');
      expect(await dashed.count()).toBeGreaterThan(0);
      expect(await section.locator('.key li').allTextContents()).toEqual([
        'migrated against TF1',
        'TF1 against recorded TensorFlow',
        'farther than allowed',
      ]);
      await page.close();
    });
  },
);
