// npm start and npm test: sets up whatever is missing, then runs. Needs Node and npm, nothing else.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [command, ...args] = process.argv.slice(2);
const started = Date.now();

function say(message) {
  console.error(`tfparity: ${message}`);
}

/** Runs a program with the terminal as its own; ends this one with its exit code if it fails. */
function run(program, parameters, options = {}) {
  const result = spawnSync(program, parameters, {
    cwd: root,
    stdio: 'inherit',
    // npx is a script on Windows, which only a shell runs; a program's own path may hold blanks, which a shell splits.
    shell: process.platform === 'win32' && program === 'npx',
    ...options,
  });
  if (result.error) fail(`${program} could not be started: ${result.error.message}`);
  if (result.signal) fail(`${program} was ended by ${result.signal}`);
  if (result.status !== 0) process.exit(result.status);
}

function fail(message) {
  say(message);
  process.exit(2);
}

/** pnpm of the pinned version, whether or not one is installed; it puts itself on the path of what it runs. */
function pnpm(...parameters) {
  run('npx', ['--yes', '--prefer-offline', '--loglevel=error', packageManager, ...parameters]);
}

function workspaceFolders() {
  return ['packages', 'apps']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name)))
    .sort();
}

/** What an install depends on: while it stays the same, the next run skips it. */
function installKey() {
  const hash = createHash('sha256').update(process.version);
  const folders = ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name)),
  );
  const manifests = folders
    .map((folder) => join(folder, 'package.json'))
    .filter((file) => existsSync(join(root, file)));
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests.sort()]) {
    hash.update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

function install() {
  const stamp = join(root, 'node_modules', '.tfparity-installed');
  const key = installKey();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  say('installing packages (about half a minute the first time)');
  pnpm('install', '--frozen-lockfile', '--reporter=append-only');
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, key);
}

/** Names another golden folder in full, and adds what it holds to the key under which test results are kept. */
function pinGolden() {
  const named = process.env['TFPARITY_GOLDEN'];
  if (named === undefined) return;
  const folder = resolve(root, named);
  if (!existsSync(folder)) fail(`TFPARITY_GOLDEN: there is no folder ${folder}`);
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) hash.update(entry.name).update(readFileSync(join(entry.parentPath ?? entry.path, entry.name)));
  }
  process.env['TFPARITY_GOLDEN'] = folder;
  process.env['TFPARITY_GOLDEN_HASH'] = hash.digest('hex');
}

function turbo(task, ...parameters) {
  pnpm('exec', 'turbo', 'run', task, '--output-logs=new-only', ...parameters);
}

/** Sets up the native backend if it can be had; tests and benchmarks then include it. */
async function provide() {
  const { provideNative } = await import(pathToFileURL(join(root, 'packages/backend/dist/index.js')));
  // The packages are reachable from the app, which depends on all of them.
  process.chdir(join(root, 'apps/inception-resnet-v2'));
  const native = await provideNative({ onProgress: say });
  process.chdir(root);
  if (native.ok) say(`native backend: TensorFlow ${native.library}`);
  else {
    const reasons = native.failures.map(({ way, reason }) => `${way}: ${reason}`).join('; ');
    say(`no native backend here (${reasons}); the wasm backend, which needs none, is used instead`);
  }
  // Part of the key under which test results are kept: another library, other results.
  process.env['TFPARITY_LIBRARY'] = native.library ?? 'none';
}

const commands = {
  async start() {
    install();
    turbo('build', '--log-order=grouped');
    await provide();
    run(process.execPath, ['apps/inception-resnet-v2/dist/main.js', ...args]);
  },
  async test() {
    install();
    turbo('build', '--filter=@tfparity/backend');
    await provide();
    turbo('test', '--concurrency=2', '--log-order=grouped', ...args);
    say(`all tests passed in ${Math.round((Date.now() - started) / 1000)} s`);
  },
  async conformance() {
    install();
    turbo('build', '--filter=@tfparity/backend');
    await provide();
    turbo('conformance', '--concurrency=2', '--log-order=grouped', ...args);
  },
  /** `npm run bench -- NAME [--flag]`: the programs in packages/NAME/bench, one after the other; they are given the flags. */
  async bench() {
    install();
    turbo('build');
    await provide();
    const wanted = args.filter((arg) => !arg.startsWith('-'));
    const flags = args.filter((arg) => arg.startsWith('-') && arg !== '--');
    const programs = workspaceFolders().flatMap((folder) => {
      const bench = join(root, folder, 'bench');
      return existsSync(bench)
        ? readdirSync(bench)
            .filter((name) => name.endsWith('.bench.mjs'))
            .map((name) => join(bench, name))
        : [];
    });
    const chosen = programs.filter((file) => wanted.length === 0 || wanted.some((name) => file.includes(`/${name}/`)));
    if (chosen.length === 0) fail(`no benchmark for ${wanted.join(', ')}; there are ${programs.join(', ')}`);
    for (const file of chosen) run(process.execPath, ['--expose-gc', file, ...flags]);
  },
};

if (!Object.hasOwn(commands, command))
  fail(`unknown command ${command}; there are ${Object.keys(commands).join(', ')}`);
pinGolden();
await commands[command]();
