// The same pairs of runs through Polygraphy's comparator and through ours: what each names, and what each lets pass.
// Python is what TFPARITY_PYTHON names, else python3; without polygraphy only our side is printed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { toNdArray } from '@tfparity/array';
import { loadBackend } from '@tfparity/backend';
import { writeCheckpoint } from '@tfparity/checkpoint';
import { compareTrees } from '@tfparity/numerics';
import { triage } from '@tfparity/validate';
import { run } from './net.mjs';

const LIMITS = { rtol: 1e-5, atol: 1e-5 };

/** Changes of the migrated side, or of what it returned. */
const CASES = {
  same: {},
  epsilon: { changes: { epsilon: 0.01 } },
  'branch-order': { changes: { order: ([a, b]) => [b, a] } },
  'transposed-kernel': { changes: { kernel: (w) => tf.transpose(w, [1, 0, 2, 3]) } },
  'residual-scale': { changes: { scale: 0.2 } },
  'other-pool': { changes: { pool: tf.avgPool } },
  // Polygraphy passes these three.
  'output-missing': { returned: ({ logits: _, ...rest }) => rest },
  'fewer-iterations': { iterations: 1 },
  'float-against-int': {
    legacy: wholeNumbers,
    returned: (points) => ({ ...wholeNumbers(points), logits: tf.cast(wholeNumbers(points).logits, 'int32') }),
  },
};

/** Logits that are whole numbers, so that only their type can differ. */
function wholeNumbers(points) {
  return { ...points, logits: tf.round(tf.mul(points.logits, 8)) };
}

const same = (points) => points;

function sidesOf({ changes = {}, returned = same, legacy = same, iterations = 2 }) {
  const all = (count, change, given) => () => {
    const runs = Array.from({ length: count }, (_, i) => tf.tidy(() => change(run(given, i))));
    return Object.fromEntries(runs.map((points, i) => [`run_${i}`, points]));
  };
  return { legacy: all(2, legacy, {}), migrated: all(iterations, returned, changes) };
}

const arraysOf = (points) =>
  Object.fromEntries(Object.entries(points).map(([name, tensor]) => [name, toNdArray(tensor)]));

async function write(folder, { legacy, migrated }) {
  mkdirSync(folder, { recursive: true });
  let order = [];
  for (const [side, program] of Object.entries({ legacy, migrated })) {
    for (const [name, points] of Object.entries(program())) {
      if (side === 'legacy') order = Object.keys(points);
      await writeCheckpoint(join(folder, `${side}-${name}.npz`), arraysOf(points), { format: 'npz' });
    }
  }
  writeFileSync(join(folder, 'order.json'), JSON.stringify(order));
}

const lastPart = (name) => name.split(/[/.]/).at(-1);

async function ours({ legacy, migrated }) {
  const report = await triage({ legacy: { run: legacy }, migrated: { run: migrated } }, { noise: false });
  const trees = compareTrees(await plain(migrated), await plain(legacy), LIMITS);
  const failed = new Set(trees.items.filter(({ passed }) => !passed).map(({ name }) => lastPart(name)));
  const [culprit] = report.culprits;
  const op = culprit?.op ?? culprit?.reference;
  return {
    verdict: report.verdict,
    passed: trees.passed && report.verdict !== 'different',
    failed,
    op: op?.name,
    why: culprit?.causes[0]?.message ?? report.warnings[0] ?? '',
  };
}

const plain = (program) =>
  Object.fromEntries(Object.entries(program()).map(([name, points]) => [name, arraysOf(points)]));

await loadBackend({ backend: 'cpu' });
const root = mkdtempSync(join(tmpdir(), 'tfparity-peer-'));
try {
  const verdicts = {};
  for (const [name, change] of Object.entries(CASES)) {
    const sides = sidesOf(change);
    await write(join(root, name), sides);
    verdicts[name] = await ours(sides);
  }
  const python = process.env['TFPARITY_PYTHON'] ?? 'python3';
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const peer = spawnSync(python, [script, root, String(LIMITS.rtol), String(LIMITS.atol)], { encoding: 'utf8' });
  const theirs = peer.status === 0 ? JSON.parse(peer.stdout.split('\n').at(-2)) : undefined;
  let behind = 0;
  for (const [name, { verdict, passed, failed, op, why }] of Object.entries(verdicts)) {
    const other = theirs?.[name];
    const unnamed = (other?.failed ?? []).filter((output) => !failed.has(output));
    if (unnamed.length > 0) behind++;
    const said =
      other === undefined
        ? 'not run'
        : other.passed
          ? 'passes'
          : `fails ${other.failed.length} outputs, first ${other.failed[0]}`;
    console.log(
      `${name.padEnd(18)} ours: ${passed ? 'passes' : `fails ${failed.size} outputs`}, ${verdict}${op === undefined ? '' : `, ${op}`}${why === '' ? '' : ` (${why})`}`,
    );
    console.log(
      `${''.padEnd(18)} Polygraphy: ${said}${unnamed.length > 0 ? `; we do not name ${unnamed.join(', ')}` : ''}`,
    );
  }
  if (theirs === undefined)
    console.log(
      `Polygraphy was not run: '${python}' has none (pip install polygraphy); name another with TFPARITY_PYTHON`,
    );
  else
    console.log(
      behind === 0 ? 'Every output that Polygraphy names, we name too.' : `In ${behind} cases Polygraphy names more.`,
    );
} finally {
  rmSync(root, { recursive: true });
}
