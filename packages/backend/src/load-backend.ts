import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from './backend-error.js';
import { requireFrom } from './native-package.js';
import { restoreNodeUtil } from './node-util.js';
import { forgetProbe, probeBackend } from './probe.js';
import { type ProvideOptions, provideNative } from './provide-native.js';

/** Backends that run in Node, best first, and the package that holds each. */
export const BACKEND_PACKAGES = {
  tensorflow: '@tensorflow/tfjs-node',
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: '@tensorflow/tfjs-backend-cpu',
} as const;

/** A backend that `loadBackend` can load. */
export type BackendName = keyof typeof BACKEND_PACKAGES;

/** The backend in use, and what was passed over for it. */
export interface LoadedBackend {
  readonly name: BackendName;
  /** Version of TensorFlow's library, on `tensorflow`. */
  readonly library?: string;
  /** Better backends that could not be had, each with the reason. */
  readonly rejected: readonly { readonly backend: BackendName; readonly reason: string }[];
  /** One paragraph for people: what was chosen, and why the others were not. */
  readonly message: string;
}

/** Choices of `loadBackend`. */
export interface LoadOptions extends ProvideOptions {
  /** The one to load; no other will do. Default: `TFPARITY_BACKEND`, else the best that works. */
  backend?: string;
  /** Whether the native backend may be downloaded and compiled if it is missing (default false). */
  provide?: boolean;
}

type Attempt = { ok: true; library?: string } | { ok: false; reason: string };

async function attempt(name: BackendName, options: LoadOptions): Promise<Attempt> {
  const module = requireFrom(BACKEND_PACKAGES[name]);
  if (name === 'tensorflow') {
    const native = await provideNative(options.provide ? options : { ...options, ways: [] });
    if (native.ok) return { ok: true, library: native.library! };
    const reasons = native.failures.map(({ way, reason }) => `${way}: ${reason}`);
    return { ok: false, reason: reasons.join('; ') || 'its addon has not been built' };
  }
  if (module === undefined) return { ok: false, reason: `${BACKEND_PACKAGES[name]} is not installed` };
  const probe = await probeBackend(name, module.resolve());
  return probe.ok ? { ok: true } : { ok: false, reason: probe.reason! };
}

/** At its first tensor the cpu backend greets users of Node with an advertisement; tfparity says itself what it chose. */
function withoutGreeting<T>(load: () => T): T {
  const { warn } = console;
  console.warn = () => {};
  try {
    return load();
  } finally {
    console.warn = warn;
  }
}

async function activate(name: BackendName): Promise<void> {
  if (name === 'tensorflow') {
    restoreNodeUtil();
    // TensorFlow reads it when its library is loaded: information and warnings stay off the terminal.
    process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  }
  if (tf.findBackend(name) === null) withoutGreeting(() => requireFrom(BACKEND_PACKAGES[name])!.load());
  const ok = await tf.setBackend(name);
  await tf.ready();
  withoutGreeting(() => tf.scalar(0).dispose());
  if (!ok)
    throw new BackendError('NotAvailable', `${name} was loaded, but TensorFlow.js could not start it`, {
      backend: name,
    });
}

/** Why a backend that was found to work could not be loaded after all; `undefined` where it is loaded now. */
async function activationFailure(name: BackendName): Promise<string | undefined> {
  try {
    await activate(name);
    return undefined;
  } catch (error) {
    forgetProbe(name, requireFrom(BACKEND_PACKAGES[name])!.resolve());
    return `it was found to work, but loading it failed: ${(error as Error).message.split('\n')[0]}`;
  }
}

function describe(name: BackendName, library: string | undefined, rejected: LoadedBackend['rejected']): string {
  const chosen = `Backend: ${name}${library ? ` (TensorFlow ${library})` : ''}.`;
  return [chosen, ...rejected.map(({ backend, reason }) => `Not ${backend}: ${reason}.`)].join(' ');
}

/**
 * Loads a TensorFlow.js backend and makes it the current one: the one asked for, or the best that works here
 * (`tensorflow`, `wasm`, `cpu`). Each is probed in a child process first, so that a broken addon cannot crash the caller.
 *
 * @throws {BackendError} `UnknownBackend` for a name that is none, `NotAvailable` where the one asked for (or every one) does not work
 */
export async function loadBackend(options: LoadOptions = {}): Promise<LoadedBackend> {
  const asked = options.backend ?? (process.env['TFPARITY_BACKEND'] || undefined);
  const names = Object.keys(BACKEND_PACKAGES) as BackendName[];
  if (asked !== undefined && !names.includes(asked as BackendName)) {
    throw new BackendError('UnknownBackend', `'${asked}' is not a backend; choose one of ${names.join(', ')}`, {
      backend: asked,
    });
  }
  const rejected: { backend: BackendName; reason: string }[] = [];
  for (const name of asked === undefined ? names : [asked as BackendName]) {
    const result = await attempt(name, options);
    const failure = result.ok ? await activationFailure(name) : result.reason;
    if (result.ok && failure === undefined) {
      const message = describe(name, result.library, rejected);
      return { name, rejected, message, ...(result.library === undefined ? {} : { library: result.library }) };
    }
    rejected.push({ backend: name, reason: failure! });
  }
  const reasons = rejected.map(({ backend, reason }) => `${backend}: ${reason}`).join('. ');
  const advice = asked === undefined ? '' : ` Leave the backend open, or choose another of ${names.join(', ')}.`;
  throw new BackendError('NotAvailable', `No backend can be used. ${reasons}.${advice}`, { rejected });
}
