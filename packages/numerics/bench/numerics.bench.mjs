// Full evidence and verdict over 59.3M float32 pairs that differ by a few ulps everywhere, in one run beside numpy.
// Python is what TFPARITY_PYTHON names, else python3; without numpy only our times are printed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { allclose, compareArrays } from '@tfparity/numerics';

const COUNT = 59_300_000;
const RUNS = 5;

/** The same values as peer.py makes. */
function makeArrays() {
  const expected = new Float32Array(COUNT);
  for (let i = 0; i < COUNT; i++) {
    expected[i] = Math.fround(((Math.imul(i, 2654435761) >>> 8) | 1) / 2 ** 23) - 1;
  }
  const actual = expected.slice();
  const bits = new Int32Array(actual.buffer);
  for (let i = 0; i < COUNT; i++) bits[i] += 1 + (i % 3);
  return { actual, expected };
}

function best(run) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    run();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

const { actual, expected } = makeArrays();
const limits = { rtol: 1e-5, atol: 1e-6 };
const before = process.memoryUsage.rss();
const verdict = best(() => allclose(actual, expected, limits));
const evidence = best(() => compareArrays(actual, expected, limits));
const grown = (process.memoryUsage.rss() - before) / 2 ** 20;

const python = process.env['TFPARITY_PYTHON'] ?? 'python3';
const script = fileURLToPath(new URL('peer.py', import.meta.url));
const peer = spawnSync(python, [script, String(COUNT), String(RUNS)], { encoding: 'utf8' });
const numpy = peer.status === 0 ? JSON.parse(peer.stdout) : undefined;

const line = (name, ours, theirs, bar) => {
  const beside =
    theirs === undefined
      ? 'no numpy'
      : `numpy ${theirs.toFixed(3)} s, ratio ${(ours / theirs).toFixed(2)} (bar ${bar})`;
  return `${name.padEnd(34)} ${ours.toFixed(3)} s, ${beside}`;
};
console.log(`${COUNT / 1e6}M float32 pairs, best of ${RUNS}`);
console.log(line('full evidence / assert_allclose', evidence, numpy?.['assertAllclose'], 0.5));
console.log(line('verdict alone / allclose', verdict, numpy?.['allclose'], 0.5));
console.log(`memory above the inputs            ${grown.toFixed(1)} MiB (bar 64)`);
if (numpy === undefined) console.log(`numpy was not run: '${python}' has none; name another with TFPARITY_PYTHON`);
