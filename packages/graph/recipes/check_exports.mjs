// Exports a few graphs, Inception-ResNet-v2 among them, and has Python TensorFlow load and run them: the same bits.
// Run after a build: node recipes/check_exports.mjs [NET…]; TFPARITY_PYTHON names the interpreter. Ends with 1 where a bit differs.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { Graph, importGraphDef, placeholder, Session, writeGraphDef, writeSavedModel } from '@tfparity/graph';
import { argScope, nets } from '@tfparity/slim';
import { getVariable } from '@tfparity/variables';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const python = process.env['TFPARITY_PYTHON'] ?? 'python3';

if (spawnSync(python, ['-c', 'import tensorflow'], { stdio: 'ignore' }).status !== 0) {
  console.log(`not checked: ${python} has no TensorFlow; TFPARITY_PYTHON names one that has`);
  process.exit(0);
}
try {
  // As the application finds it: tfjs-node is no dependency of this package.
  const require = createRequire(join(here, '..', '..', '..', 'package.json'));
  await import(pathToFileURL(require.resolve('@tensorflow/tfjs-node')).href);
  await tf.setBackend('tensorflow');
} catch (error) {
  console.log(`not checked: the native backend is not there (${String(error.message).split('\n')[0]})`);
  process.exit(0);
}

const noise = (shape) =>
  tf.tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.37)),
    shape,
  );
const sha = ({ data }) =>
  createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');

const nets1 = {
  dense: {
    shape: [5, 3],
    build: (x) => tf.softmax(tf.matMul(x, getVariable('w', { shape: [3, 4], initializer: noise }))),
  },
  gradients: {
    shape: [2, 9, 9, 3],
    build: (x) => {
      const w = getVariable('w', { shape: [3, 3, 3, 4], initializer: noise });
      const loss = (a) => tf.mean(tf.square(tf.softmax(tf.reshape(tf.relu(tf.conv2d(a, w, 1, 'same')), [2, -1]))));
      return tf.grad(loss)(x);
    },
  },
  'inception-resnet-v2': {
    shape: [1, 299, 299, 3],
    build: (x) =>
      argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }), () =>
        nets.inceptionResnetV2(x, { numClasses: 1000, isTraining: false }),
      ).logits,
  },
};

const folder = mkdtempSync(join(tmpdir(), 'tfparity-exports-'));
const cases = [];
try {
  for (const [name, { shape, build }] of Object.entries(nets1)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const graph = new Graph();
    const { x, y } = graph.asDefault(() => {
      const x = placeholder('float32', shape, 'x');
      return { x, y: build(x) };
    });
    const value = noise(shape);
    const session = new Session(graph, { engine: 'tensorflow' });
    session.initialize();
    const variables = session.variables();
    const expected = sha(session.runArrays(y, [[x, value]]));
    session.close();
    const off = new Session(graph, { engine: 'tensorflow', optimizer: false });
    off.assign(variables);
    const unoptimized = sha(off.runArrays(y, [[x, value]]));
    off.close();
    const feeds = { 'x:0': { shape, data: Array.from(value.dataSync()) } };
    const file = (ending) => join(folder, `${name}.${ending}`);
    const common = { feeds, fetches: [y.name.includes(':') ? y.name : `${y.name}:0`] };
    writeGraphDef(graph, file('pb'), { variables });
    // What is constant in the file is folded: the optimizer has more to do than in the session with variables.
    const again = new Session(importGraphDef(file('pb')));
    const frozen = sha(again.runArrays(common.fetches[0], { 'x:0': value }));
    again.close();
    cases.push({ ...common, name: `${name}: frozen .pb`, kind: 'graph', file: file('pb') });
    // As text the numbers of a net this size take a while to write and read.
    if (variables.size < 100) {
      writeGraphDef(graph, file('pbtxt'), { variables });
      cases.push({ ...common, name: `${name}: frozen .pbtxt`, kind: 'graph', file: file('pbtxt') });
    }
    const off2 = { ...common, name: `${name}: frozen .pb, optimizer off`, kind: 'graph', file: file('pb') };
    cases.push({ ...off2, optimizer: false });
    const signature = { serving_default: { inputs: { input: x }, outputs: { output: y } } };
    writeSavedModel(graph, file('saved'), signature, { variables });
    cases.push({ ...common, name: `${name}: SavedModel`, kind: 'savedModel', file: file('saved') });
    const keys = { keys: { input: 'x:0' }, outputs: ['output'] };
    cases.push({ ...common, ...keys, name: `${name}: SavedModel in TF2`, kind: 'tf2', file: file('saved') });
    for (const each of cases)
      each.expected ??= each.optimizer === false ? unoptimized : each.kind === 'graph' ? frozen : expected;
  }
  const manifest = join(folder, 'cases.json');
  writeFileSync(manifest, JSON.stringify(cases));
  const { stdout, stderr, status } = spawnSync(python, [join(here, 'check_exports.py'), manifest], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(stderr.slice(-2000));
  const results = stdout.trim().split('\n').map(JSON.parse);
  let different = 0;
  for (const [i, { name, expected }] of cases.entries()) {
    const same = results[i].sha256[0] === expected;
    if (!same) different += 1;
    console.log(`${same ? 'same bits' : 'DIFFERENT'}  ${name}`);
  }
  process.exitCode = different === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
