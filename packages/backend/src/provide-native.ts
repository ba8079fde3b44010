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

/** The ways that `TFPARITY_NATIVE` asks for, and what in it names no way. */
function waysFromEnvironment(): { ways: readonly NativeOrigin[]; unknown: readonly string[] } {
  const asked = (process.env['TFPARITY_NATIVE'] || WAYS.join()).split(',').map((way) => way.trim());
  return {
    ways: WAYS.filter((way) => asked.includes(way)),
    unknown: asked.filter((way) => way !== 'none' && !(WAYS as readonly string[]).includes(way)),
  };
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
  const asked = waysFromEnvironment();
  for (const way of asked.unknown) {
    failures.push({ way: 'TFPARITY_NATIVE', reason: `'${way}' is no way; it takes ${WAYS.join(', ')} or none` });
  }
  const ways = options.ways ?? asked.ways;
  const allowed = [...ways, ...asked.ways];
  const kept = WAYS.filter((way) => isKept(cacheEntry(pkg, way)) && allowed.includes(way));
  // What an earlier run made costs nothing: it goes before any download, and counts even where nothing may be made.
  for (const origin of [...kept, ...ways.filter((way) => !kept.includes(way))]) {
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
