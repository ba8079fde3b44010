import { existsSync } from 'node:fs';
import {
  cacheEntry,
  findNativePackage,
  isKept,
  linkIntoPackage,
  type NativeOrigin,
  requireFrom,
} from './native-package.js';
import { makeNative, type Progress, StepFailed } from './native-steps.js';
import { type Probe, probeBackend } from './probe.js';

/** What became of the native backend. */
export interface ProvidedNative {
  readonly ok: boolean;
  /** Where it came from: it was there, or it was made by one of the two ways (now or earlier). */
  readonly how?: 'present' | NativeOrigin;
  /** Version of TensorFlow's library. */
  readonly library?: string;
  /** The ways that were tried without success, and why each failed. */
  readonly failures: readonly { readonly way: string; readonly reason: string }[];
}

/** Choices of `provideNative`. */
export interface ProvideOptions {
  /** Ways to try, in this order; `TFPARITY_NATIVE` (`install,wheel`, or `none`) is the default. */
  ways?: readonly NativeOrigin[];
  /** Told what is being done, since it can take minutes. */
  onProgress?: Progress;
}

const WAYS: readonly NativeOrigin[] = ['install', 'wheel'];
const WAY_NAMES = {
  present: 'the installed addon',
  install: "tfjs-node's own install step",
  wheel: 'the tensorflow-cpu wheel',
};

function waysFromEnvironment(): readonly NativeOrigin[] {
  const asked = process.env['TFPARITY_NATIVE'];
  if (asked === undefined || asked === '') return WAYS;
  return asked.split(',').flatMap((way) => WAYS.filter((known) => known === way.trim()));
}

/**
 * Makes the native backend (`tensorflow`) loadable by `@tensorflow/tfjs-node`, and says how or why not; never throws.
 *
 * In this order: the addon that is there; one kept from earlier; tfjs-node's own install step; the library inside the
 * `tensorflow-cpu` wheel with the addon compiled against it (Linux; needs Python with pip, and a C++ compiler). Each is
 * probed in a child process before it counts. What was made is kept in `cacheFolder()` and linked into the package.
 */
export async function provideNative(options: ProvideOptions = {}): Promise<ProvidedNative> {
  const pkg = findNativePackage();
  if (pkg === undefined) {
    return {
      ok: false,
      failures: [{ way: '@tensorflow/tfjs-node', reason: 'it is not installed (npm install @tensorflow/tfjs-node)' }],
    };
  }
  const failures: { way: string; reason: string }[] = [];
  const path = () => requireFrom('@tensorflow/tfjs-node')!.resolve();
  const probed = async (how: 'present' | NativeOrigin): Promise<ProvidedNative | undefined> => {
    const probe: Probe = await probeBackend('tensorflow', path());
    if (probe.ok) return { ok: true, how, library: probe.library!, failures };
    failures.push({ way: WAY_NAMES[how], reason: probe.reason! });
    return undefined;
  };
  if (existsSync(pkg.addon)) {
    const done = await probed('present');
    if (done) return done;
  }
  const ways = options.ways ?? waysFromEnvironment();
  // What an earlier run made costs nothing, so it goes before any download.
  for (const origin of [...ways].sort(
    (a, b) => Number(isKept(cacheEntry(pkg, b))) - Number(isKept(cacheEntry(pkg, a))),
  )) {
    try {
      linkIntoPackage(pkg, await makeNative(pkg, origin, options.onProgress ?? (() => {})));
      const done = await probed(origin);
      if (done) return done;
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
      failures.push({ way: WAY_NAMES[origin], reason: error.message });
    }
  }
  return { ok: false, failures };
}
