// Speed and memory of reading, beside Python TensorFlow where TFPARITY_PYTHON names an interpreter that has it.
// Run after a build: node --expose-gc bench/checkpoint.bench.mjs (TFPARITY_BENCH_LARGE=1 streams 4 GB, too)
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint, writeCheckpoint } from '@tfparity/checkpoint';

const RUNS = 7;
const python = process.env['TFPARITY_PYTHON'];
const folder = mkdtempSync(join(tmpdir(), 'tfparity-bench-'));
const here = dirname(fileURLToPath(import.meta.url));
const peer = join(here, 'peer.py');
const golden = process.env['TFPARITY_GOLDEN'] ?? join(here, '..', '..', '..', 'golden');

function values(shape, seed) {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  let state = seed * 2654435761 + 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = state / 2 ** 31;
  }
  return { dtype: 'float32', shape: [...shape], data };
}

async function best(run) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    globalThis.gc?.();
    const start = performance.now();
    await run();
    least = Math.min(least, performance.now() - start);
  }
  return least / 1000;
}

async function readAll(prefix) {
  let bytes = 0;
  for await (const { data } of (await openCheckpoint(prefix)).tensors()) bytes += data.byteLength;
  return bytes;
}

async function getEach(prefix) {
  const checkpoint = await openCheckpoint(prefix);
  for (const { name } of checkpoint.entries) await checkpoint.get(name);
  await checkpoint.close();
}

function peerSeconds(task, prefix) {
  if (!python) return undefined;
  const { stdout, status, stderr } = spawnSync(python, [peer, task, prefix], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the peer failed: ${stderr.slice(-500)}`);
  return Number(stdout.trim().split('\n').at(-1));
}

function report(what, ours, theirs) {
  const beside =
    theirs === undefined ? 'no peer' : `TensorFlow ${theirs.toFixed(3)} s, ratio ${(ours / theirs).toFixed(2)}`;
  console.log(`${what}: ${ours.toFixed(3)} s; ${beside}`);
}

async function speed() {
  const { variables } = JSON.parse(readFileSync(join(golden, 'nets/inception_resnet_v2.reset.json'), 'utf8'));
  const v2 = join(folder, 'v2');
  await writeCheckpoint(
    v2,
    variables.map(({ name, shape }, i) => [name.replace(/:0$/, ''), values(shape, i)]),
  );
  report('V2, all tensors streamed', await best(() => readAll(v2)), peerSeconds('read', v2));
  report('V2, one get each', await best(() => getEach(v2)), peerSeconds('read', v2));
  const v1 = join(folder, 'v1.ckpt');
  if (python && spawnSync(python, [peer, 'save-v1', v2, v1]).status === 0) {
    report('V1, all tensors streamed', await best(() => readAll(v1)), peerSeconds('read', v1));
    report('V1, one get each', await best(() => getEach(v1)), peerSeconds('read', v1));
  } else console.log('V1: not measured, as only TensorFlow writes it (set TFPARITY_PYTHON)');
}

async function listing() {
  const prefix = join(folder, 'many');
  const one = values([1], 1);
  const names = Array.from({ length: 100_000 }, (_, i) => `tower_${i % 8}/block_${i >> 3}/conv/weights/part_${i}`);
  await writeCheckpoint(
    prefix,
    names.map((name) => [name, one]),
  );
  const start = performance.now();
  const { entries } = await openCheckpoint(prefix);
  const first = (performance.now() - start) / 1000;
  console.log(`listing ${entries.length} variables, first time in this process: ${first.toFixed(3)} s`);
  report('listing 100,000 variables', await best(() => openCheckpoint(prefix)), peerSeconds('list', prefix));
}

/** Two checkpoints of 2 GB, streamed side by side and compared. */
async function memory() {
  async function* tensors() {
    const array = values([4 * 2 ** 20], 7);
    for (let i = 0; i < 128; i++) yield { name: `layer_${String(i).padStart(3, '0')}/kernel`, ...array };
  }
  const [a, b] = [join(folder, 'a'), join(folder, 'b')];
  await writeCheckpoint(a, tensors());
  await writeCheckpoint(b, tensors(), { shards: 2 });
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 20);
  const [left, right] = [await openCheckpoint(a), await openCheckpoint(b)];
  let compared = 0;
  for await (const { name, data } of left.tensors()) {
    const other = await right.get(name);
    if (Buffer.compare(viewOf(data), viewOf(other.data)) !== 0) throw new Error(name);
    compared += data.byteLength * 2;
    most = Math.max(most, process.memoryUsage().rss);
  }
  clearInterval(watch);
  const grown = ((most - before) / 2 ** 20).toFixed(0);
  console.log(`compared ${(compared / 2 ** 30).toFixed(1)} GiB, streamed: ${grown} MiB above the start`);
}

const viewOf = (data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

try {
  if (!python) console.log('Python TensorFlow is not measured: set TFPARITY_PYTHON to an interpreter that has it');
  else if (!existsSync(python)) throw new Error(`TFPARITY_PYTHON: no ${python}`);
  await listing();
  await speed();
  if (process.env['TFPARITY_BENCH_LARGE']) await memory();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
