// Tracing, lowering and warm runs of Inception-ResNet-v2, beside the same graph in Python's tf.compat.v1.Session.
// Run after a build: node --expose-gc bench/graph.bench.mjs [--long]; TFPARITY_PYTHON names the interpreter.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { Graph, globalVariablesInitializer, lowerGraph, Session } from '@tfparity/graph';
import { argScope, nets } from '@tfparity/slim';
import { inPython, leastSeconds } from './session-run.mjs';

const RUNS = 7;
const here = dirname(fileURLToPath(import.meta.url));
const long = process.argv.includes('--long');

try {
  // As the application finds it: tfjs-node is no dependency of this package.
  const require = createRequire(join(here, '..', '..', '..', 'package.json'));
  await import(pathToFileURL(require.resolve('@tensorflow/tfjs-node')).href);
  await tf.setBackend('tensorflow');
} catch (error) {
  console.log(`graph: not measured, the native backend is not there (${String(error.message).split('\n')[0]})`);
  process.exit(0);
}

const seconds = (start) => (performance.now() - start) / 1000;

let start = performance.now();
const graph = new Graph();
const { logits, init } = graph.asDefault(() => {
  // Node 20 has no "using".
  const outputs = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }), () =>
    nets.inceptionResnetV2(tf.ones([1, 299, 299, 3]), { numClasses: 1000, isTraining: false }),
  );
  return { logits: outputs.logits, init: globalVariablesInitializer() };
});
console.log(`tracing: ${seconds(start).toFixed(2)} s`);
start = performance.now();
lowerGraph(graph);
console.log(`lowering: ${seconds(start).toFixed(2)} s`);

for (const engine of ['tensorflow', 'replay']) {
  const session = new Session(graph, { engine });
  const ours = leastSeconds(session, init, logits, RUNS);
  const theirs = engine === 'tensorflow' ? inPython(graph, init, logits, RUNS)?.time : undefined;
  const beside =
    engine === 'replay'
      ? ''
      : theirs === undefined
        ? '; no Python TensorFlow here (TFPARITY_PYTHON)'
        : `; Python ${theirs.toFixed(3)} s, ratio ${(ours / theirs).toFixed(2)}`;
  console.log(`session.run, engine ${engine}, warm: ${ours.toFixed(3)} s${beside}`);
  if (long) flatness(session);
  session.close();
}

function flatness(session) {
  const before = { ...tf.memory(), rss: process.memoryUsage().rss };
  for (let i = 0; i < 200; i++) session.run(logits).dispose();
  globalThis.gc?.();
  const megabytes = (process.memoryUsage().rss - before.rss) / 2 ** 20;
  console.log(`200 runs: ${tf.memory().numTensors - before.numTensors} tensors and ${megabytes.toFixed(1)} MB more`);
}
