// One command that names the op, and says rounding or bug.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@tfparity/testing';
import { captureTrace, serializeTrace } from '@tfparity/validate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTfparity } from './run-tfparity.js';

const folder = mkdtempSync(join(tmpdir(), 'tfparity-triage-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

async function tfparity(...args: string[]) {
  const { code, out, err } = await runTfparity(args);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('tfparity triage', () => {
  const config = fileURLToPath(new URL('./small-migration.mjs', import.meta.url));

  it('finds nothing between the sides of a right migration, in one screen', async () => {
    const { code, out } = await tfparity('triage', config, '--backend', 'cpu');
    expect(out).toContain('✓ identical: Both sides compute the same bits.');
    expect(code).toBe(0);
    expect(out.split('\n').length).toBeLessThan(24);
  });

  it('names the op of a wrong one, in the terminal, on the page and for CI', async () => {
    const wrong = at('wrong.mjs');
    writeFileSync(
      wrong,
      `import * as tf from ${JSON.stringify(import.meta.resolve('@tensorflow/tfjs-core'))};
const side = (beta) => (x) => { const h = tf.relu(x); return { h, out: tf.softmax(tf.mul(h, beta)) }; };
export default () => ({ legacy: (x, _) => side(1)(x), migrated: (x, _) => side(1.5)(x), inputs: tf.tensor2d([[1, 2, 3]]) });
`,
    );
    const files = ['--html', at('t.html'), '--junit', at('t.xml'), '--out', at('t.json')];
    const { code, out } = await tfparity('triage', wrong, '--backend', 'cpu', '--step', 'inference', ...files);
    expect(code).toBe(1);
    expect(out).toMatch(/✗ different: Multiply: constant of shape .*1\.5/);
    expect(JSON.parse(readFileSync(at('t.json'), 'utf8'))).toMatchObject({
      format: 'tfparity-triage',
      verdict: 'different',
    });
    expect(readFileSync(at('t.html'), 'utf8')).toContain('Multiply');
    expect(readFileSync(at('t.xml'), 'utf8')).toMatch(/failures="1"[\s\S]*Multiply/);
    expect((await tfparity('triage', config, '--backend', 'cpu', '--step', 'inventory')).code).toBe(2);
  });
});

describe('tfparity compare', () => {
  beforeAll(() => useBackend('cpu'));

  it('triages two traces that were kept as JSON', async () => {
    const x = tf.keep(tf.tensor1d([1, -2, 3]));
    const trace = async (name: string, factor: number) => {
      const kept = await captureTrace({ name, run: () => ({ out: tf.relu(tf.mul(x, factor)) }) });
      writeFileSync(at(`${name}.json`), JSON.stringify(serializeTrace(kept)));
    };
    await trace('a', 1);
    await trace('b', 2);
    expect((await tfparity('compare', at('a.json'), at('a.json'))).code).toBe(0);
    const { code, out } = await tfparity('compare', at('b.json'), at('a.json'));
    expect(out).toContain('✗ different: Multiply');
    expect(code).toBe(1);
    writeFileSync(at('c.json'), '{"out": [1]}');
    expect((await tfparity('compare', at('a.json'), at('c.json'))).err).toContain(
      'one side is a trace and the other is not',
    );
  });
});
