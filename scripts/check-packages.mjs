// What a release needs of the packages: arrows that point down, a guarded surface, and tarballs that install and run.
// `node scripts/check-packages.mjs --update` rewrites the list of exported names.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const problems = [];
const problem = (where, what) => problems.push(`${where}: ${what}`);

/** The rows of the design, top to bottom: a package imports only from its own row or from rows below. */
const ROWS = [
  ['inception-resnet-v2'],
  ['tfparity'],
  ['@tfparity/validate'],
  ['@tfparity/slim', '@tfparity/training', '@tfparity/graph'],
  ['@tfparity/layers'],
  ['@tfparity/variables', '@tfparity/random', '@tfparity/backend'],
  ['@tfparity/checkpoint', '@tfparity/inventory', '@tfparity/numerics'],
  ['@tfparity/array'],
];
/** Rows whose packages import no TensorFlow.js. */
const WITHOUT_TFJS = new Set([...ROWS[6], ...ROWS[7]]);
const rowOf = (name) => ROWS.findIndex((row) => row.includes(name));

const packages = ['packages', 'apps']
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }));
const released = packages.filter(({ manifest }) => !manifest.private);

function sourcesOf(folder) {
  return readdirSync(join(folder, 'src'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, 'src', name));
}

/** Package names that a source imports, types and dynamic imports too. */
function importsOf(file) {
  // A program that is written out by another stands in a template literal.
  const text = readFileSync(file, 'utf8').replace(/`[^`]*`/g, '``');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)[^;'"`]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g,
  );
  return [...found].map((match) => match[1] ?? match[2]);
}

function checkArrows() {
  const edges = new Map();
  for (const { folder, manifest } of packages) {
    const name = manifest.name;
    if (name === '@tfparity/testing') continue;
    const row = rowOf(name);
    if (row < 0) problem(name, 'stands in no row of scripts/check-packages.mjs');
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
    for (const file of sourcesOf(folder)) {
      for (const specifier of importsOf(file)) {
        if (/^(\.|#|node:)/.test(specifier)) continue;
        const target = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/');
        const where = file.slice(root.length + 1);
        if (target !== name && !(target in declared))
          problem(where, `imports ${target}, which package.json does not list`);
        if (target.startsWith('@tensorflow/') && WITHOUT_TFJS.has(name))
          problem(where, `imports ${target}; its row has no TensorFlow.js`);
        const to = rowOf(target);
        if (to < 0 || target === name) continue;
        if (to < row) problem(where, `imports ${target}, which stands above it`);
        edges.set(name, (edges.get(name) ?? new Set()).add(target));
      }
    }
  }
  const state = new Map();
  const visit = (name, path) => {
    if (state.get(name) === 'done') return;
    if (state.get(name) === 'open') return problem(name, `imports itself: ${[...path, name].join(' -> ')}`);
    state.set(name, 'open');
    for (const next of edges.get(name) ?? []) visit(next, [...path, name]);
    state.set(name, 'done');
  };
  for (const name of edges.keys()) visit(name, []);
}

function checkManifests() {
  for (const { folder, manifest } of released) {
    const name = manifest.name;
    const wanted = { type: 'module', license: 'Apache-2.0' };
    for (const [key, value] of Object.entries(wanted)) {
      if (manifest[key] !== value)
        problem(name, `package.json ${key} is ${JSON.stringify(manifest[key])}, not ${JSON.stringify(value)}`);
    }
    // Only the matchers, which extend vitest's expect, do something when they are imported.
    const effects = [manifest.sideEffects].flat().filter((file) => file !== false && !/\/vitest\.[jt]s$/.test(file));
    if (manifest.sideEffects === undefined || effects.length > 0)
      problem(name, 'package.json sideEffects must be false');
    if (!manifest.description || !existsSync(join(folder, 'README.md')))
      problem(name, 'has no description or README.md');
    for (const dependency of Object.keys(manifest.dependencies ?? {})) {
      if (dependency.startsWith('@tensorflow/'))
        problem(name, `${dependency} must be a peer: the user's program owns the one copy`);
    }
  }
}

/** Every exported declaration has a doc comment before it; overloads share their first one's. */
function checkDocs() {
  for (const { folder, manifest } of released) {
    for (const file of sourcesOf(folder)) {
      const lines = readFileSync(file, 'utf8').split('\n');
      const documented = new Set();
      lines.forEach((line, i) => {
        const declared =
          /^export (?:declare |abstract |async )*(?:function\*?|class|interface|type|const|enum|namespace) (\w+)/.exec(
            line,
          );
        if (!declared || documented.has(declared[1])) return;
        let above = i - 1;
        while (/^\s*(@|\/\/ biome-ignore)/.test(lines[above] ?? '')) above--;
        if ((lines[above] ?? '').trim().endsWith('*/')) documented.add(declared[1]);
        else
          problem(
            `${file.slice(root.length + 1)}:${i + 1}`,
            `${manifest.name} exports ${declared[1]} without a doc comment`,
          );
      });
    }
  }
}

/** Whether every package has been built; the checks of what is published mean nothing before. */
function allBuilt() {
  const missing = released.filter(({ folder, manifest }) => !existsSync(join(folder, manifest.exports['.'].default)));
  for (const { manifest } of missing) problem(manifest.name, 'has not been built (turbo run build)');
  return missing.length === 0;
}

/** The names that each entry exports, as built; a change of them must be meant, so they are kept in a file. */
async function checkExports() {
  const file = join(root, 'scripts', 'exports.json');
  const found = {};
  for (const { folder, manifest } of released) {
    for (const [entry, target] of Object.entries(manifest.exports)) {
      if (typeof target !== 'object') continue;
      const path = join(folder, target.default);
      // A matcher file extends vitest's expect, which exists only inside a test run.
      const names = entry === './vitest' ? ['(see its README)'] : Object.keys(await import(pathToFileURL(path))).sort();
      found[`${manifest.name}${entry.slice(1)}`] = names;
    }
  }
  if (process.argv.includes('--update')) writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  for (const entry of new Set([...Object.keys(found), ...Object.keys(known)])) {
    const now = new Set(found[entry] ?? []);
    const before = new Set(known[entry] ?? []);
    const added = [...now].filter((name) => !before.has(name));
    const removed = [...before].filter((name) => !now.has(name));
    if (added.length || removed.length) {
      const change = `added ${added.join(', ') || 'none'}; removed ${removed.join(', ') || 'none'}`;
      problem(entry, `exported names changed (${change}); if meant, run node scripts/check-packages.mjs --update`);
    }
  }
}

async function checkWithPublint() {
  for (const { folder, manifest } of released) {
    const { messages } = await publint({ pkgDir: folder, strict: false, pack: false });
    for (const message of messages.filter(({ type }) => type !== 'suggestion')) {
      problem(manifest.name, `publint: ${formatMessage(message, manifest)}`);
    }
  }
}

/** Installs every tarball in an empty folder and uses it: by Node, by TypeScript, and bundled for a browser where no TensorFlow.js is needed. */
function checkTarballs() {
  const folder = mkdtempSync(join(tmpdir(), 'tfparity-release-'));
  try {
    const pnpm = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;
    const npx = (args, cwd) =>
      execFileSync('npx', ['--yes', '--prefer-offline', '--loglevel=error', ...args], {
        cwd,
        stdio: 'pipe',
        encoding: 'utf8',
      });
    for (const { folder: from, manifest } of released) {
      npx([pnpm, 'pack', '--pack-destination', folder], from);
      if (manifest.files?.includes('test')) problem(manifest.name, 'ships its tests');
    }
    const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    for (const tarball of tarballs) {
      execFileSync(
        join(root, 'node_modules/.bin/attw'),
        [tarball, '--profile', 'esm-only', '--format', 'ascii', '--exclude-entrypoints', './package.json'],
        { cwd: folder, stdio: 'pipe' },
      );
    }
    const tfjs = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', '@tensorflow/tfjs-backend-cpu'].map(
      (name) => `${name}@4.22.0`,
    );
    const overrides = Object.fromEntries(
      released.map(({ manifest }) => [
        manifest.name,
        `file:./${tarballs.find((file) => file === `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`)}`,
      ]),
    );
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({
        name: 'user',
        private: true,
        type: 'module',
        dependencies: {
          ...overrides,
          ...Object.fromEntries(tfjs.map((t) => [t.slice(0, t.lastIndexOf('@')), '4.22.0'])),
        },
        overrides,
      }),
    );
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: 'pipe',
    });
    const entries = released.flatMap(({ manifest }) =>
      Object.entries(manifest.exports)
        .filter(([entry, target]) => typeof target === 'object' && entry !== './vitest')
        .map(([entry]) => manifest.name + entry.slice(1)),
    );
    const uses = entries.map((entry, i) => `import * as m${i} from '${entry}';`).join('\n');
    const counts = `console.log(${entries.map((_, i) => `Object.keys(m${i}).length`).join(' + ')});`;
    writeFileSync(join(folder, 'use.mjs'), `${uses}\n${counts}\n`);
    execFileSync(process.execPath, ['use.mjs'], { cwd: folder, stdio: 'pipe' });
    writeFileSync(join(folder, 'use.ts'), `${uses}\n${counts}\n`);
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      '',
    ];
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, 'use.ts'], {
      cwd: folder,
      stdio: 'pipe',
    });
    const forBrowsers = released.filter(({ manifest }) => WITHOUT_TFJS.has(manifest.name));
    writeFileSync(
      join(folder, 'browser.mjs'),
      forBrowsers.map(({ manifest }, i) => `export * as m${i} from '${manifest.name}';`).join('\n'),
    );
    execFileSync(
      join(root, 'node_modules/.bin/esbuild'),
      ['browser.mjs', '--bundle', '--platform=browser', '--format=esm', '--outdir=bundled', '--log-level=error'],
      { cwd: folder, stdio: 'pipe' },
    );
  } catch (error) {
    const lines = `${error.stdout ?? ''}\n${error.stderr ?? ''}`.trim().split('\n').slice(-15).join('\n  ');
    problem('tarballs', `${error.message.split('\n')[0]}\n  ${lines}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

checkArrows();
checkManifests();
checkDocs();
if (allBuilt()) await checkExports();
await checkWithPublint();
if (problems.length === 0) checkTarballs();
for (const line of problems) console.error(line);
console.log(`${released.length} packages checked, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
