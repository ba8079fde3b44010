// Speed and memory of reading, beside Python TensorFlow where TFPARITY_PYTHON names an interpreter that has it.
// Run after a build: node --expose-gc bench/checkpoint.bench.mjs (TFPARITY_BENCH_LARGE=1 streams and diffs 4 GB, too)
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
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
  // Names, dtypes and shapes, each looked at.
  const list = async () => {
    const { entries } = await openCheckpoint(prefix);
    let sum = 0;
    for (const {
      name: { length },
      shape,
      dtype,
    } of entries)
      sum += length + shape.length + dtype.length;
    if (sum < entries.length) throw new Error('nothing was listed');
    return entries;
  };
  const start = performance.now();
  const entries = await list();
  const first = (performance.now() - start) / 1000;
  console.log(`listing ${entries.length} variables, first time in this process: ${first.toFixed(3)} s`);
  report('listing 100,000 variables', await best(list), peerSeconds('list', prefix));
}

const GIB = 2 ** 30;
const cli = join(here, '..', '..', 'cli', 'dist', 'bin.js');
// Tells the most memory (KiB) that a process had, when it ends. On Linux maxRSS begins with what its parent had.
const tellPeak = `data:text/javascript,${encodeURIComponent(`
  import { existsSync, readFileSync } from 'node:fs';
  const status = '/proc/self/status';
  process.on('exit', () => {
    const linux = existsSync(status) && readFileSync(status, 'utf8').match(/VmHWM:[^0-9]*([0-9]+)/)[1];
    process.stderr.write('peak ' + (linux || process.resourceUsage().maxRSS));
  });`)}`;

/** The most memory that `tfparity diff A B --values` has, in MiB. */
function diffPeak(a, b) {
  const args = ['--import', tellPeak, cli, 'diff', a, b, '--values'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the diff says ${status}: ${stdout}${stderr}`);
  return Number(/peak (\d+)/.exec(stderr)[1]) / 1024;
}

/** Two checkpoints of `count` tensors, the second in two shards: their prefixes. */
async function pair(name, count, elements) {
  async function* tensors() {
    const array = values([elements], 7);
    for (let i = 0; i < count; i++) yield { name: `layer_${String(i).padStart(3, '0')}/kernel`, ...array };
  }
  const [a, b] = [join(folder, `${name}-a`), join(folder, `${name}-b`)];
  await writeCheckpoint(a, tensors());
  await writeCheckpoint(b, tensors(), { shards: 2 });
  return [a, b];
}

async function streamPeak(prefix) {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let most = before;
  for await (const { data } of (await openCheckpoint(prefix)).tensors()) {
    if (data.length === 0) throw new Error('no values');
    most = Math.max(most, process.memoryUsage().rss);
  }
  return (most - before) / 2 ** 20;
}

/** 4 GB in tensors of 16 MB, and two tensors of 1 GB: what streaming and diffing them takes above what small ones take. */
async function memory() {
  const start = diffPeak(...(await pair('small', 2, 16)));
  const many = await pair('many', 128, 4 * 2 ** 20);
  console.log(`streamed ${(128 * 2 ** 24) / GIB} GiB: ${(await streamPeak(many[0])).toFixed(0)} MiB above the start`);
  console.log(
    `diff --values of 2 x 2 GiB in tensors of 16 MiB: ${(diffPeak(...many) - start).toFixed(0)} MiB above the start`,
  );
  for (const prefix of many) for (const file of filesOf(prefix)) rmSync(file);
  const one = await pair('one', 1, GIB / 4);
  console.log(`diff --values of two tensors of 1 GiB: ${(diffPeak(...one) - start).toFixed(0)} MiB above the start`);
}

const filesOf = (prefix) =>
  readdirSync(dirname(prefix))
    .filter((file) => file.startsWith(`${basename(prefix)}.`))
    .map((file) => join(dirname(prefix), file));

try {
  if (!python) console.log('Python TensorFlow is not measured: set TFPARITY_PYTHON to an interpreter that has it');
  else if (!existsSync(python)) throw new Error(`TFPARITY_PYTHON: no ${python}`);


  if (process.env['TFPARITY_BENCH_LARGE']) await memory();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
