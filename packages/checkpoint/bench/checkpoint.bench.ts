// Speed and memory of reading, beside Python TensorFlow where TFPARITY_PYTHON names an interpreter that has it.
// Run: npx tsx --expose-gc --conditions=@tfparity/source bench/checkpoint.bench.ts [--large]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NdArray } from '@tfparity/array';
import { goldenJson } from '@tfparity/testing';
import { openCheckpoint, writeCheckpoint } from '../src/index.js';

const RUNS = 7;
const python = process.env['TFPARITY_PYTHON'];
const folder = mkdtempSync(join(tmpdir(), 'tfparity-bench-'));
const peer = join(dirname(fileURLToPath(import.meta.url)), 'peer.py');

function values(shape: readonly number[], seed: number): NdArray {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  let state = seed * 2654435761 + 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = state / 2 ** 31;
  }
  return { dtype: 'float32', shape: [...shape], data };
}

async function best(run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    globalThis.gc?.();
    const start = performance.now();
    await run();
    least = Math.min(least, performance.now() - start);
  }
  return least / 1000;
}

async function readAll(prefix: string): Promise<number> {
  let bytes = 0;
  for await (const { data } of (await openCheckpoint(prefix)).tensors()) bytes += (data as Float32Array).byteLength;
  return bytes;
}

async function getEach(prefix: string): Promise<void> {
  const checkpoint = await openCheckpoint(prefix);
  for (const { name } of checkpoint.entries) await checkpoint.get(name);
  await checkpoint.close();
}

function peerSeconds(task: 'read' | 'list', prefix: string): number | undefined {
  if (!python) return undefined;
  const { stdout, status, stderr } = spawnSync(python, [peer, task, prefix], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the peer failed: ${stderr.slice(-500)}`);
  return Number(stdout.trim().split('\n').at(-1));
}

function report(what: string, ours: number, theirs: number | undefined): void {
  const beside = theirs === undefined ? 'no peer' : `TensorFlow ${theirs.toFixed(3)} s, ratio ${(ours / theirs).toFixed(2)}`;
  console.log(`${what}: ${ours.toFixed(3)} s; ${beside}`);
}

async function speed(): Promise<void> {
  const { variables } = goldenJson<{ variables: { name: string; shape: number[] }[] }>(
    'nets/inception_resnet_v2.reset.json',
  );
  const v2 = join(folder, 'v2');
  await writeCheckpoint(v2, variables.map(({ name, shape }, i) => [name.replace(/:0$/, ''), values(shape, i)] as const));
  report('V2, all tensors streamed', await best(() => readAll(v2)), peerSeconds('read', v2));
  report('V2, one get each', await best(() => getEach(v2)), peerSeconds('read', v2));
  const v1 = join(folder, 'v1.ckpt');
  if (python && spawnSync(python, [peer, 'save-v1', v2, v1]).status === 0) {
    report('V1, all tensors streamed', await best(() => readAll(v1)), peerSeconds('read', v1));
    report('V1, one get each', await best(() => getEach(v1)), peerSeconds('read', v1));
  } else console.log('V1: not measured, as only TensorFlow writes it (set TFPARITY_PYTHON)');
}

async function listing(): Promise<void> {
  const prefix = join(folder, 'many');
  const one = values([1], 1);
  const names = Array.from({ length: 100_000 }, (_, i) => `tower_${i % 8}/block_${i >> 3}/conv/weights/part_${i}`);
  await writeCheckpoint(
    prefix,
    names.map((name) => [name, one] as const),
  );
  const start = performance.now();
  const { entries } = await openCheckpoint(prefix);
  const first = (performance.now() - start) / 1000;
  console.log(`listing ${entries.length} variables, first time in this process: ${first.toFixed(3)} s`);
  report('listing 100,000 variables', await best(() => openCheckpoint(prefix)), peerSeconds('list', prefix));
}

/** Two checkpoints of 2 GB, streamed side by side and compared. */
async function memory(): Promise<void> {
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
    if (Buffer.compare(viewOf(data as Float32Array), viewOf(other.data as Float32Array)) !== 0) throw new Error(name);
    compared += (data as Float32Array).byteLength * 2;
    most = Math.max(most, process.memoryUsage().rss);
  }
  clearInterval(watch);
  const grown = ((most - before) / 2 ** 20).toFixed(0);
  console.log(`compared ${(compared / 2 ** 30).toFixed(1)} GiB, streamed: ${grown} MiB above the start`);
}

const viewOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

try {
  if (!python) console.log('Python TensorFlow is not measured: set TFPARITY_PYTHON to an interpreter that has it');
  else if (!existsSync(python)) throw new Error(`TFPARITY_PYTHON: no ${python}`);
  await listing();
  await speed();
  if (process.argv.includes('--large')) await memory();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
