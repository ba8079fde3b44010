import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cacheEntry, isKept, type NativeOrigin, type NativePackage, WHEEL_VERSION } from './native-package.js';
import { failureLine, type ProcessOptions, type ProcessResult, runProcess } from './node-process.js';

const MINUTE = 60_000;
/** node-gyp 11 is the newest that still runs on Node 20.0. */
const NODE_GYP = 'node-gyp@11.4.2';

/** Says what a long step is doing. */
export type Progress = (message: string) => void;

/** A step failed; the message is half a sentence that fits after "because". */
export class StepFailed extends Error {}

async function must(
  what: string,
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const result = await runProcess(command, args, options);
  if (result.code !== 0) throw new StepFailed(`${what} failed: ${failureLine(result)}`);
  return result;
}

/** Bytes below a folder, links not followed: tells a download that moves from one that hangs. */
function bytesBelow(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile())
      bytes += statSync(join(entry.parentPath ?? entry.path, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

/** Environment in which the package's own scripts find the programs and packages that they depend on. */
function packageEnvironment(pkg: NativePackage, staging: string): NodeJS.ProcessEnv {
  const modules = dirname(dirname(pkg.folder));
  symlinkSync(modules, join(staging, 'node_modules'), 'junction');
  const bins = [join(pkg.folder, 'node_modules', '.bin'), join(modules, '.bin'), dirname(process.execPath)];
  return { ...process.env, PATH: [...bins, process.env['PATH'] ?? ''].join(delimiter) };
}

/** tfjs-node's own install step: downloads libtensorflow and a prebuilt addon. Ended when nothing arrives for 20 s. */
async function ownInstallStep(pkg: NativePackage, staging: string, progress: Progress): Promise<void> {
  progress("running @tensorflow/tfjs-node's own install step (downloads TensorFlow, up to 10 minutes)");
  for (const part of ['scripts', 'binding', 'binding.gyp', 'package.json']) {
    cpSync(join(pkg.folder, part), join(staging, part), { recursive: true, dereference: true });
  }
  const env = packageEnvironment(pkg, staging);
  let bytes = 0;
  let since = 0;
  const stalled = (elapsed: number) => {
    const now = existsSync(join(staging, 'deps')) ? bytesBelow(join(staging, 'deps')) : 0;
    if (now !== bytes) since = elapsed;
    bytes = now;
    // Once the library is there the addon is fetched or compiled, which moves no bytes here.
    return bytes < 1e6 && elapsed - since > 20_000;
  };
  await must('the download', process.execPath, ['scripts/install.js'], {
    cwd: staging,
    env,
    timeout: 10 * MINUTE,
    stalled,
  });
}

/** Unpacks from a wheel only what the addon needs to link and run. */
const UNPACK = `
import sys, zipfile
wheel, target = sys.argv[1:]
wanted = ('tensorflow/libtensorflow_', 'tensorflow/include/tensorflow/c/', 'tensorflow/include/tensorflow/core/platform/',
          'tensorflow/include/xla/tsl/', 'tensorflow/include/tsl/')
with zipfile.ZipFile(wheel) as z:
    for name in z.namelist():
        if name.startswith(wanted): z.extract(name, target)
`;

/** The folder with `include/node/node_api.h` of this Node, or `undefined`: node-gyp then downloads its headers. */
function nodeHeaders(): string | undefined {
  const beside = dirname(dirname(process.execPath));
  return [beside, '/usr', '/usr/local'].find((folder) => existsSync(join(folder, 'include', 'node', 'node_api.h')));
}

/** TensorFlow's library from the tensorflow-cpu wheel, and the addon compiled against it with node-gyp. */
async function wheelStep(pkg: NativePackage, staging: string, progress: Progress): Promise<void> {
  if (process.platform !== 'linux') throw new StepFailed(`the wheel is for Linux only, not for ${process.platform}`);
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string];
  if (machine === undefined) throw new StepFailed(`there is no wheel for ${process.arch}`);
  const python = process.env['TFPARITY_PYTHON'] ?? 'python3';
  progress(`downloading TensorFlow ${WHEEL_VERSION} as a Python wheel (about 250 MB)`);
  // Named in full, so that a Python of any version fetches the same file: only the C library in it is used.
  const wanted = [
    '--python-version',
    '3.11',
    '--implementation',
    'cp',
    '--abi',
    'cp311',
    '--platform',
    `manylinux_2_27_${machine}`,
  ];
  const download = ['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary=:all:', ...wanted, '-d', staging];
  await must('pip', python, [...download, `tensorflow-cpu==${WHEEL_VERSION}`], { timeout: 15 * MINUTE });
  const wheel = readdirSync(staging).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new StepFailed('pip downloaded no wheel');
  progress('unpacking it');
  await must('unpacking the wheel', python, ['-c', UNPACK, join(staging, wheel), staging], { timeout: 5 * MINUTE });
  rmSync(join(staging, wheel));
  mkdirSync(join(staging, 'deps'));
  renameSync(join(staging, 'tensorflow', 'include'), join(staging, 'deps', 'include'));
  renameSync(join(staging, 'tensorflow'), join(staging, 'deps', 'lib'));
  const lib = join(staging, 'deps', 'lib');
  // The names that tfjs-node's build asks for; the C API is in the C++ library.
  for (const [link, target] of [
    ['libtensorflow.so.2', 'libtensorflow_cc.so.2'],
    ['libtensorflow.so', 'libtensorflow.so.2'],
    ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  ] as const) {
    symlinkSync(target, join(lib, link));
  }
  await compileAddon(pkg, staging, progress);
  rmSync(join(staging, 'deps', 'include'), { recursive: true });
}

async function compileAddon(pkg: NativePackage, staging: string, progress: Progress): Promise<void> {
  progress('compiling the addon with node-gyp (about 20 seconds)');
  for (const part of ['binding', 'binding.gyp', 'package.json']) {
    cpSync(join(pkg.folder, part), join(staging, part), { recursive: true, dereference: true });
  }
  const out = join(staging, 'lib', 'napi-v8');
  const headers = nodeHeaders();
  const options = ['--module_name=tfjs_binding', `--module_path=${out}`, `--module=${join(out, 'tfjs_binding.node')}`];
  const napi = ['--napi_version=9', '--napi_build_version=8'];
  const nodedir = headers === undefined ? [] : [`--nodedir=${headers}`];
  await must('node-gyp', 'npx', ['--yes', NODE_GYP, 'rebuild', ...nodedir, ...options, ...napi], {
    cwd: staging,
    timeout: 10 * MINUTE,
  });
}

const STEPS: Record<NativeOrigin, (pkg: NativePackage, staging: string, progress: Progress) => Promise<void>> = {
  install: ownInstallStep,
  wheel: wheelStep,
};

/**
 * Makes a native backend in the cache by one of the two ways and returns its folder; a failure leaves nothing behind.
 *
 * @throws {StepFailed} with the reason
 */
export async function makeNative(pkg: NativePackage, origin: NativeOrigin, progress: Progress): Promise<string> {
  const entry = cacheEntry(pkg, origin);
  if (isKept(entry)) return entry;
  const staging = `${entry}.${process.pid}.partial`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    await STEPS[origin](pkg, staging, progress);
    if (!isKept(staging)) throw new StepFailed('it ended without an addon');
    for (const part of readdirSync(staging)) {
      if (part !== 'lib' && part !== 'deps') rmSync(join(staging, part), { recursive: true, force: true });
    }
    rmSync(entry, { recursive: true, force: true });
    renameSync(staging, entry);
  } catch (error) {
    if (error instanceof StepFailed) throw error;
    throw new StepFailed((error as Error).message);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return entry;
}
