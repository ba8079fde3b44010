// One training step of Inception-ResNet-v2 (batch 2, RMSProp as slim trains) in TensorFlow's own session, beside the same
// graph in Python's tf.compat.v1.Session: time of a warm step, and peak memory of the process.
// Run after a build: node --expose-gc bench/training.bench.mjs [--replay]; TFPARITY_PYTHON names the interpreter.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { Graph, globalVariablesInitializer, Session } from '@tfparity/graph';
import { argScope, nets } from '@tfparity/slim';
import {
  createTrainOp,
  exponentialDecay,
  getOrCreateGlobalStep,
  RMSPropOptimizer,
  softmaxCrossEntropyWithLogits,
} from '@tfparity/training';
import { getRegularizationLosses } from '@tfparity/variables';
import { inPython, leastSeconds } from '../../graph/bench/session-run.mjs';

const STEPS = 7;
const CLASSES = 1000;
const BATCH = 2;
const here = dirname(fileURLToPath(import.meta.url));

try {
  // As the application finds it: tfjs-node is no dependency of this package.
  const require = createRequire(join(here, '..', '..', '..', 'package.json'));
  await import(pathToFileURL(require.resolve('@tensorflow/tfjs-node')).href);
  await tf.setBackend('tensorflow');
} catch (error) {
  console.log(`training: not measured, the native backend is not there (${String(error.message).split('\n')[0]})`);
  process.exit(0);
}

const seconds = (start) => (performance.now() - start) / 1000;
const peakMegabytes = () => process.resourceUsage().maxRSS / 1024;

/** slim's train step; its ops are named here, so that Python can run them. */
function record(order) {
  const graph = new Graph();
  return graph.asDefault(() => {
    const images = tf.randomUniform([BATCH, 299, 299, 3], 0, 1, 'float32', 7);
    // Node 20 has no "using".
    const { logits } = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }), () =>
      nets.inceptionResnetV2(images, { numClasses: CLASSES, isTraining: true }),
    );
    const labels = tf.oneHot(tf.tensor1d([0, 7], 'int32'), CLASSES);
    const crossEntropy = tf.mean(softmaxCrossEntropyWithLogits(tf.cast(labels, 'float32'), logits));
    const total = tf.add(crossEntropy, tf.addN(getRegularizationLosses()));
    const globalStep = getOrCreateGlobalStep();
    const learningRate = exponentialDecay({ learningRate: 0.01, globalStep, decaySteps: 1000, decayRate: 0.94 });
    const optimizer = new RMSPropOptimizer({ learningRate, decay: 0.9, momentum: 0.9, epsilon: 1 });
    const { loss } = createTrainOp(total, optimizer, { globalStep, order });
    return { graph, loss, init: globalVariablesInitializer() };
  });
}

let start = performance.now();
const step = record('graph');
console.log(
  `recording net, gradients and updates: ${seconds(start).toFixed(2)} s, ${step.graph.operations.length} ops`,
);
start = performance.now();
const session = new Session(step.graph, { engine: 'tensorflow' });
const ours = { time: leastSeconds(session, step.init, step.loss, STEPS), memory: peakMegabytes() };
console.log(`lowering, loading, initial values and ${STEPS + 2} steps: ${seconds(start).toFixed(2)} s`);
session.close();
const theirs = inPython(step.graph, step.init, step.loss, STEPS);
const ratio = (key) => (ours[key] / theirs[key]).toFixed(2);
console.log(
  theirs === undefined
    ? `a training step: ${ours.time.toFixed(3)} s, peak memory ${ours.memory.toFixed(0)} MB; no Python TensorFlow here (TFPARITY_PYTHON)`
    : `a training step: ${ours.time.toFixed(3)} s, Python ${theirs.time.toFixed(3)} s, ratio ${ratio('time')} (at most 1.15); peak memory ${ours.memory.toFixed(0)} MB, Python ${theirs.memory.toFixed(0)} MB, ratio ${ratio('memory')} (at most 1.3)`,
);
if (process.argv.includes('--replay')) {
  const replayed = record('session');
  const session = new Session(replayed.graph, { engine: 'replay' });
  console.log(`replayed kernel by kernel: ${leastSeconds(session, replayed.init, replayed.loss, STEPS).toFixed(3)} s`);
  session.close();
}
