import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, findNativePackage } from './native-package.js';
import { failureLine, runProcess } from './node-process.js';

/** What a backend showed when one op was run on it in a process of its own. */
export interface Probe {
  readonly ok: boolean;
  /** Version of TensorFlow's library, for the native backend. */
  readonly library?: string;
  /** Why it does not work; half a sentence. */
  readonly reason?: string;
}

/** Loads a backend in a child process, which a broken addon may crash, and runs one op. */
const PROGRAM = `
const util = require('node:util');
util.isNullOrUndefined ??= (v) => v === null || v === undefined;
util.isArray ??= Array.isArray;
const [name, path] = process.argv.slice(1);
require(path);
const tf = require(require.resolve('@tensorflow/tfjs-core', { paths: [path] }));
(async () => {
  if (!(await tf.setBackend(name))) throw new Error('setBackend refused it');
  await tf.ready();
  const y = (await tf.add([1, 2], [3, 4]).data()).join();
  if (y !== '4,6') throw new Error('1+3, 2+4 gave ' + y);
  console.log('PROBE ' + JSON.stringify({ library: name === 'tensorflow' ? tf.backend().binding.TF_Version : undefined }));
})().catch((error) => { console.error('Error: ' + error.message); process.exit(1); });
`;

const TIMEOUT = 60_000;

async function probeNow(name: string, path: string): Promise<Probe> {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  const result = await runProcess(process.execPath, ['-e', PROGRAM, name, path], { env, timeout: TIMEOUT });
  const found = /^PROBE (.*)$/m.exec(result.stdout);
  if (result.code === 0 && found) return { ok: true, ...(JSON.parse(found[1]!) as { library?: string }) };
  const reason = result.killed?.startsWith('SIG') ? `it crashed (${result.killed})` : failureLine(result);
  return { ok: false, reason };
}

/** Identifies a file as it lies there now; a link that leads nowhere is told from what it led to before. */
function fileMark(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return `${file}:${stat ? `${stat.mtimeMs}:${stat.size}` : 'absent'}`;
}

/** Identifies what would be loaded as it lies there now: the package's file, or the native addon and its libraries. */
function fingerprintOf(name: string, path: string): string | undefined {
  const addon = name === 'tensorflow' ? findNativePackage()?.addon : undefined;
  const file = addon ?? path;
  if (!existsSync(file)) return undefined;
  const libraries = addon === undefined ? undefined : join(dirname(addon), '..', '..', 'deps', 'lib');
  const beside = libraries && existsSync(libraries) ? readdirSync(libraries).map((lib) => join(libraries, lib)) : [];
  return [process.version, ...[file, ...beside.sort()].map(fileMark)].join('|');
}

/**
 * Whether a backend works here, found by running one op in a child process. A success is remembered in the cache until
 * the addon (or package) or Node changes, since a probe takes about a second; a failure never is.
 */
export async function probeBackend(name: string, path: string): Promise<Probe> {
  const fingerprint = fingerprintOf(name, path);
  if (fingerprint === undefined) return probeNow(name, path);
  const file = join(cacheFolder(), 'probes.json');
  const known = readProbes(file);
  if (known[fingerprint]) return known[fingerprint];
  const probe = await probeNow(name, path);
  if (probe.ok) {
    try {
      mkdirSync(cacheFolder(), { recursive: true });
      writeFileSync(file, JSON.stringify({ ...known, [fingerprint]: probe }, null, 2));
    } catch {
      // A cache that cannot be written costs a second next time, nothing else.
    }
  }
  return probe;
}

/** The successes remembered earlier; a file that is not what this module writes counts as none. */
function readProbes(file: string): Record<string, Probe> {
  try {
    const known: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const entries = Object.entries(typeof known === 'object' && known !== null ? known : {});
    return Object.fromEntries(entries.filter(([, probe]) => (probe as Probe | null)?.ok === true)) as Record<
      string,
      Probe
    >;
  } catch {
    return {};
  }
}

/** Forgets what was learnt of a backend, since it turned out otherwise. */
export function forgetProbe(name: string, path: string): void {
  const fingerprint = fingerprintOf(name, path);
  const file = join(cacheFolder(), 'probes.json');
  const { [fingerprint ?? '']: _, ...others } = readProbes(file);
  try {
    writeFileSync(file, JSON.stringify(others, null, 2));
  } catch {
    // What cannot be written could not have been remembered either.
  }
}
