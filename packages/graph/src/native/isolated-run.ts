import type { NdArray } from '@tfparity/array';
import { DTYPES } from '@tfparity/array';
import { GraphError } from '../graph-error.js';
import { nodeModule } from '../import/node-file.js';
import { SESSION_TAG } from './saved-model-folder.js';

/** What the child process may use. */
export interface IsolationLimits {
  /** Milliseconds for one load with its runs. */
  readonly timeout: number;
  /** Bytes of address space (`ulimit -v`; TensorFlow alone maps some 3 GiB). Not enforced on Windows. */
  readonly memory: number;
}

/** The limits that hold for `isolated: true`. */
export const ISOLATION_LIMITS: IsolationLimits = { timeout: 60_000, memory: 16 * 2 ** 30 };

/** One run, as the child repeats it. */
export interface IsolatedRun {
  readonly feeds: readonly { readonly name: string; readonly array: NdArray }[];
  readonly fetches: readonly string[];
}

// The child needs the addon alone: no TensorFlow.js, no module of ours, so that it works from sources and from dist.
const CHILD = `
const job = require('node:v8').deserialize(require('node:fs').readFileSync(0));
const addon = require(job.addon);
const tensor = ({dtype, size, shape, bytes, strings}) => {
  if (strings) return addon.createTensor(shape, dtype, strings.map((s) => Uint8Array.from(s)));
  const raw = addon.createTensor(size === 1 ? shape : [...shape, size], 4, Uint8Array.from(bytes));
  return addon.executeOp('Bitcast', [{name: 'T', type: addon.TF_ATTR_TYPE, value: 4},
    {name: 'type', type: addon.TF_ATTR_TYPE, value: dtype}], [raw], 1)[0].id;
};
const bool = (t) => t.dtype === 10 ? addon.createTensor(t.shape, 10, Uint8Array.from(t.bytes)) : tensor(t);
try {
  const session = addon.loadSavedModel(job.folder, job.tag);
  for (const run of job.runs) {
    const ids = run.feeds.map((feed) => bool(feed));
    addon.runSavedModel(session, ids, run.feeds.map((f) => f.name).join(','), run.fetches.join(','));
  }
  process.stdout.write('\\ndone');
} catch (error) {
  process.stdout.write('\\nsaid ' + error.message);
}
`;

/**
 * Loads a SavedModel folder and repeats runs in a child process.
 *
 * @throws {GraphError} `Isolated` where the child crashed, took too long or too much; `TensorFlow` with what it said
 */
export function runIsolated(folder: string, runs: readonly IsolatedRun[], limits: IsolationLimits): void {
  const { spawnSync } = nodeModule('node:child_process');
  const job = { folder, tag: SESSION_TAG, addon: addonPath(), runs: runs.map(plainRun) };
  const input = nodeModule('node:v8').serialize(job);
  const node = [process.execPath, '-e', CHILD];
  const bounded = ['sh', '-c', `ulimit -v ${Math.ceil(limits.memory / 1024)} && exec "$0" "$@"`, ...node];
  const [command, ...args] = process.platform === 'win32' ? node : bounded;
  const child = spawnSync(command!, args, {
    input,
    timeout: limits.timeout,
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 26,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
  });
  const output = child.stdout?.toString() ?? '';
  if (output.endsWith('\ndone')) return;
  const said = output.lastIndexOf('\nsaid ');
  if (said >= 0) throw new GraphError('TensorFlow', output.slice(said + 6), { isolated: true });
  const late = (child.error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT';
  const how = late
    ? `took longer than ${limits.timeout} ms`
    : `ended by ${child.signal ?? `exit code ${child.status}`} (within ${limits.memory} bytes of memory)`;
  throw new GraphError('Isolated', `the graph was tried in a child process first, which ${how}`, {
    signal: child.signal,
    status: child.status,
    timeout: late,
    stderr: child.stderr?.toString().slice(-2000),
  });
}

function plainRun(run: IsolatedRun): object {
  const feeds = run.feeds.map(({ name, array: { dtype, shape, data } }) => ({
    name,
    dtype: DTYPES[dtype].enumValue,
    size: DTYPES[dtype].itemSize,
    shape: [...shape],
    ...(Array.isArray(data)
      ? { strings: data }
      : { bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }),
  }));
  return { feeds, fetches: run.fetches };
}

function addonPath(): string {
  const { cache } = nodeModule('node:module').createRequire(`${process.cwd()}/`);
  const path = Object.keys(cache).find((file) => file.endsWith('tfjs_binding.node'));
  if (path !== undefined) return path;
  throw new GraphError(
    'Unavailable',
    "tfjs-node's addon is not loaded: there is nothing to run in a child process",
    {},
  );
}
