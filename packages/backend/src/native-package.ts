import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** TensorFlow's library version whose wheel is used where tfjs-node's own download cannot be. */
export const WHEEL_VERSION = '2.21.0';

/** An installed `@tensorflow/tfjs-node`, and where its native addon belongs. */
export interface NativePackage {
  readonly folder: string;
  readonly version: string;
  /** Path of the compiled addon, whether it is there or not. */
  readonly addon: string;
}

/** Resolves packages as the running program would: from the folder it runs in, then from here. */
export function requireFrom(specifier: string): { resolve(): string; load(): unknown } | undefined {
  for (const base of [join(process.cwd(), 'package.json'), import.meta.url]) {
    const require = createRequire(base);
    try {
      require.resolve(specifier);
      return { resolve: () => require.resolve(specifier), load: () => require(specifier) as unknown };
    } catch {
      // Not reachable from there.
    }
  }
  return undefined;
}

/** The `@tensorflow/tfjs-node` that this program would load, or `undefined` where none is installed. */
export function findNativePackage(): NativePackage | undefined {
  const manifest = requireFrom('@tensorflow/tfjs-node/package.json')?.resolve();
  if (manifest === undefined) return undefined;
  const folder = dirname(manifest);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  // tfjs-node 4.22.0 is built for Node-API 8, whatever the version of Node.
  return { folder, version, addon: join(folder, 'lib', 'napi-v8', 'tfjs_binding.node') };
}

/**
 * The folder in which native backends and what was learnt of them are kept between installs:
 * `TFPARITY_CACHE`, else `XDG_CACHE_HOME/tfparity`, else `~/.cache/tfparity`.
 */
export function cacheFolder(): string {
  const { TFPARITY_CACHE, XDG_CACHE_HOME } = process.env;
  return TFPARITY_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tfparity');
}

/** How a kept native backend was made. */
export type NativeOrigin = 'install' | 'wheel';

/** The folder of one kept native backend: `lib/` with the addon, `deps/` with TensorFlow's library. */
export function cacheEntry(pkg: NativePackage, origin: NativeOrigin): string {
  const library = origin === 'wheel' ? `-tensorflow-${WHEEL_VERSION}` : '';
  return join(
    cacheFolder(),
    'native',
    `tfjs-node-${pkg.version}-${process.platform}-${process.arch}-${origin}${library}`,
  );
}

/** Whether a kept native backend is whole (its folder is renamed into place only when it is). */
export function isKept(entry: string): boolean {
  return existsSync(join(entry, 'lib', 'napi-v8', 'tfjs_binding.node'));
}

/** Links the addon and TensorFlow's library of a kept native backend into the installed package. */
export function linkIntoPackage(pkg: NativePackage, entry: string): void {
  for (const part of ['lib', 'deps']) {
    const link = join(pkg.folder, part);
    const there = lstatSync(link, { throwIfNoEntry: false });
    if (there?.isSymbolicLink() || there) rmSync(link, { recursive: true, force: true });
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(entry, part), link, 'junction');
  }
}
