// Warm runs of a graph in a session, here and in Python's tf.compat.v1.Session: what benchmarks of graphs compare.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeGraphDef } from '@tfparity/graph';

const here = dirname(fileURLToPath(import.meta.url));

/** The least seconds of a warm run that fetches one tensor. */
export function leastSeconds(session, init, fetch, runs) {
  session.run(init);
  for (let i = 0; i < 2; i++) session.run(fetch).dispose();
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    session.run(fetch).dispose();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

/** The same in Python, with the peak megabytes of its process; undefined where it has no TensorFlow. */
export function inPython(graph, init, fetch, runs) {
  const folder = mkdtempSync(join(tmpdir(), 'tfparity-bench-'));
  const file = join(folder, 'graph.pb');
  try {
    writeGraphDef(graph, file);
    const python = process.env['TFPARITY_PYTHON'] ?? 'python3';
    const parameters = [join(here, 'peer.py'), file, init.name, fetch.name, String(runs)];
    const { stdout, status, error } = spawnSync(python, parameters, { encoding: 'utf8' });
    if (error || status !== 0) return undefined;
    const [time, memory] = stdout.trim().split('\n').at(-1).split(' ').map(Number);
    return { time, memory };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
