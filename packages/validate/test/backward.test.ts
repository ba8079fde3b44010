// The backward pass, triaged as the forward pass is: first diverging gradient, accumulated against isolated, rounding or bug.
import * as tf from '@tensorflow/tfjs-core';
import { Graph, globalVariablesInitializer, Session } from '@tfparity/graph';
import { fusedBatchNorm } from '@tfparity/layers';
import { DeterministicRandomTestTool } from '@tfparity/random';
import { backends, useBackend } from '@tfparity/testing';
import { gradients, softmaxCrossEntropyWithLogits, variableGrads } from '@tfparity/training';
import { trainableVariables } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { captureTrace, type TraceSide, traceGradients, traceSession, triage } from '../src/index.js';
import { setAttrs, skip, withKernelFault } from './kernel-faults.js';
import { net, smallNet } from './traced-net.js';

const labels = () => tf.keep(tf.cast(tf.oneHot([1, 3], 5), 'float32')) as tf.Tensor2D;
const lossOf = (target: tf.Tensor2D, logits: tf.Tensor) =>
  tf.mean(softmaxCrossEntropyWithLogits(target, logits as tf.Tensor2D)) as tf.Scalar;

/** The small net in training, its loss, and a side that runs both ways, in which `fault` may happen. */
function trained(backend?: string) {
  const { layer, images } = smallNet({ training: true, ...(backend === undefined ? {} : { backend }) });
  const target = labels();
  const variables = layer.variables.filter(({ trainable }) => trainable);
  // Making the variables took a step, which rounds on every backend in its own way.
  for (const v of layer.variables) if (!v.trainable) v.assign(/mean$/.test(v.name) ? tf.zerosLike(v) : tf.onesLike(v));
  const around = <R>(body: () => R): R => new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(body);
  const loss = () => lossOf(target, layer.apply(images, { training: true }).logits as tf.Tensor);
  const side = (fault: <R>(body: () => R) => R = (body) => body()): TraceSide =>
    traceGradients({
      loss,
      variables,
      around: (body) => around(() => fault(body)),
      ...(backend === undefined ? {} : { backend }),
    });
  return { loss, variables, around, side, images, target };
}

type Side = ReturnType<typeof trained>;

/** A gradient times a number that a wrong line put there; the first call in the scope is by the layer's input. */
const scaledGradient =
  (scope: string, nth = 0) =>
  <R>(body: () => R): R =>
    withKernelFault(
      scope,
      'BatchMatMul',
      ({ kernel, inputs, attrs }, compute) => tf.mul(compute(kernel, inputs, attrs), 1.5),
      body,
      nth,
    );
const SCOPE = 'gradients/net/Logits/BatchMatMul_grad';

const FAULTS: [name: string, culprit: RegExp, kinds: string[], fault: <R>(body: () => R) => R][] = [
  [
    'a wrong gradient of one op',
    /^gradients\/net\/Logits\/BatchMatMul_grad\/Multiply$/,
    ['extra-op'],
    scaledGradient(SCOPE),
  ],
  [
    'a contribution dropped',
    /^gradients\/AddN$/,
    ['missing-op'],
    (body) => withKernelFault('gradients', 'AddN', skip, body),
  ],
  [
    "another epsilon in a batch norm's gradient",
    /^gradients\/net\/Repeat\/Block\/Branch_0\/Conv_1x1\/BatchNorm\/FusedBatchNormV3_grad\/FusedBatchNormGradV3$/,
    ['attribute'],
    (body) =>
      withKernelFault(
        'Block/Branch_0/Conv_1x1/BatchNorm/FusedBatchNormV3_grad',
        'FusedBatchNormGradV3',
        setAttrs({ epsilon: 0.01 }),
        body,
      ),
  ],
];

describe('on one backend', () => {
  let legacy: Side;
  let migrated: Side;
  beforeAll(async () => {
    await useBackend('cpu');
    legacy = trained();
    migrated = trained();
  });

  it('traces the gradient of each activation, from the loss back to the first layer', async () => {
    const report = await triage({ legacy: legacy.side(), migrated: migrated.side() });
    expect(report).toMatchObject({ verdict: 'identical', culprits: [], firstDivergence: null });
    const { backward } = report;
    expect(backward).toMatchObject({ differing: 0, first: null, missing: [], extra: [] });
    const reached = backward!.points.map(({ of }) => of);
    expect(reached[0]).toBe('SoftmaxCrossEntropyWithLogits');
    expect(reached.at(-1)).toBe('net/Conv_1/Conv2D');
    // Both blocks, numbered as the graph numbers them.
    expect(reached).toContain('net/Repeat/Block_1/Branch_1/Conv_b/BatchNorm/FusedBatchNormV3');
    expect(reached).toContain('net/Repeat/Block/Concat');
    expect(report.growth.map(({ name }) => name)).toContain('gradients/net/Conv_1/weights');
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it.each(FAULTS)('names the op: %s', async (_, culprit, kinds, fault) => {
    const report = await triage({ legacy: legacy.side(), migrated: migrated.side(fault) });
    const [first] = report.culprits;
    expect((first?.op ?? first?.reference)?.name, report.summary).toMatch(culprit);
    expect(kinds).toContain(first!.causes[0]!.kind);
    expect(report.verdict).toBe('different');
    // The forward pass is not to blame, and what lies behind the culprit is inherited.
    expect(report.growth.find(({ name }) => name === 'loss')?.verdict).toBe('identical');
    expect(report.culprits).toHaveLength(1);
    expect(report.backward!.differing).toBeGreaterThan(0);
    expect(report.backward!.first!.accumulated).not.toBe('rounding');
  });

  it('tells accumulated from isolated', async () => {
    const scope = 'Block_1/Branch_1/Conv_b/BatchNorm/FusedBatchNormV3_grad';
    const fault = <R>(body: () => R) =>
      withKernelFault(scope, 'FusedBatchNormGradV3', setAttrs({ epsilon: 0.01 }), body);
    const { backward } = await triage({ legacy: legacy.side(), migrated: migrated.side(fault) });
    const { first, points } = backward!;
    expect(first).toMatchObject({ of: 'net/Repeat/Block_1/Branch_1/Conv_b/Conv2D', isolated: 'different' });
    expect(first!.op.kernel).toBe('FusedBatchNormGradV3');
    const behind = points.filter(({ accumulated }) => accumulated !== 'identical').slice(1);
    expect(behind.length).toBeGreaterThan(3);
    // On one backend, what is set, wired and fed alike is not run again.
    expect(behind.every(({ isolated }) => isolated === null)).toBe(true);
  });

  it("names TensorFlow.js's own backward pass alike, and finds a fault in it", async () => {
    const { loss, variables, around } = migrated;
    const stock = (fault: <R>(body: () => R) => R = (body) => body()): TraceSide => ({
      run: () =>
        around(() =>
          fault(() => {
            const { value, grads } = tf.variableGrads(loss, variables);
            return { loss: value, gradients: grads };
          }),
        ),
    });
    const { ops } = await captureTrace(stock());
    const names = ops.map(({ name }) => name);
    expect(names).toContain('gradients/net/Conv_1/Conv2D_grad/Conv2DBackpropFilter');
    // It sums contributions two by two.
    expect(names).toContain('gradients/Add');
    const filter = ops.find(({ name }) => name === 'gradients/net/Conv_1/Conv2D_grad/Conv2DBackpropFilter')!;
    expect(filter.inputs.map(({ origin }) => origin.kind)).toEqual(['input', 'op']);
    const { addTapeNode } = tf.engine() as unknown as { addTapeNode: unknown };
    const report = await triage({ legacy: stock(), migrated: stock(scaledGradient('', 1)) });
    expect(report.culprits[0]!.op!.name).toBe(`${SCOPE}/Multiply`);
    expect((tf.engine() as unknown as { addTapeNode: unknown }).addTapeNode).toBe(addTapeNode);
  });
});

/** The step as a TF1 graph in a replay session; without dropout, which a session draws anew. */
function graphSide(fault: <R>(body: () => R) => R = (body) => body()) {
  const images = tf.keep(tf.randomUniform([2, 19, 19, 3], 0, 1, 'float32', 7));
  const target = labels();
  const graph = new Graph();
  const step = new DeterministicRandomTestTool({ mode: 'num_random_ops' }).scope(() => {
    using _ = graph.asDefault();
    const loss = lossOf(target, net(tf.clone(images), true, 1).logits);
    const variables = trainableVariables();
    const found = fault(() => gradients(loss, variables));
    const init = globalVariablesInitializer();
    return { loss, init, names: variables.map(({ name }) => name), found };
  });
  const session = new Session(graph, { engine: 'replay' });
  session.run(step.init);
  const named = Object.fromEntries(step.names.map((name, i) => [name, step.found[i] as tf.Tensor]));
  return traceSession(session, { loss: step.loss, gradients: named });
}

describe('a TF1 graph', () => {
  let legacy: TraceSide;
  beforeAll(async () => {
    await useBackend('cpu');
    legacy = graphSide();
  });

  it('has the gradients of its activations under the same names as eager code', async () => {
    const ours = await captureTrace(legacy);
    const eager = trained();
    const traced = await captureTrace(eager.side());
    const backward = ({ ops }: typeof ours) =>
      ops.map(({ name }) => name).filter((name) => /^gradients\/.*(Conv2DBackprop|BatchNormGrad|AddN)/.test(name));
    expect(backward(ours)).toEqual(backward(traced));
    expect(backward(ours).length).toBeGreaterThan(20);
  });

  it('is triaged backwards: identical untouched, the culprit with a fault', async () => {
    const untouched = await triage({ legacy, migrated: graphSide() });
    expect(untouched).toMatchObject({ verdict: 'identical', backward: { differing: 0 } });
    const faulty = graphSide(scaledGradient(SCOPE));
    const report = await triage({ legacy, migrated: faulty });
    expect(report.culprits.map(({ op }) => op?.name)).toEqual([`${SCOPE}/Multiply`]);
    expect(report.backward!.first!.of).toBe('net/Flatten/Reshape');
  });
});

const [faster, other] = backends.includes('tensorflow') ? ['tensorflow', 'wasm'] : ['wasm', 'cpu'];

describe('the bound of a gradient kernel', () => {
  const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);
  const positive = (size: number, seed: number) => tf.add(tf.abs(random([size], seed)), 0.5) as tf.Tensor1D;
  const batchNorm = (training: boolean) => (x: tf.Tensor) => {
    const moments = training ? {} : { mean: random([5], 7) as tf.Tensor1D, variance: positive(5, 8) };
    const options = { scale: positive(5, 5), offset: random([5], 6) as tf.Tensor1D, isTraining: training, ...moments };
    return fusedBatchNorm(x, options).y;
  };
  const LAYERS: [kernel: string, layer: (x: tf.Tensor4D) => tf.Tensor][] = [
    ['FusedBatchNormGradV3', batchNorm(true)],
    ['FusedBatchNormGradV3', batchNorm(false)],
    ['MaxPoolGrad', (x) => tf.maxPool(x, 3, 2, 'same')],
    ['AvgPoolGrad', (x) => tf.avgPool(x, 3, 1, 'same')],
    ['BiasAddGrad', (x) => tf.add(x, tf.variable(tf.zeros([5])))],
    ['Conv2DBackpropFilter', (x) => tf.conv2d(x, tf.variable(random([3, 3, 5, 4], 9)) as tf.Tensor4D, 2, 'same')],
  ];

  const scaledBy = (factor: number) => (info: tf.TensorInfo) =>
    tf.mul(tf.engine().makeTensorFromTensorInfo(info), factor);

  // On some backends a kernel of ours stands for tfjs's.
  const nameOf = (kernel: string) =>
    tf.getKernel(`Window${kernel}`, other!) === undefined ? kernel : `Window${kernel}`;

  it.each(LAYERS)('holds between backends, and not for a result that is a hundredth off: %s', async (kernel, layer) => {
    const step = (backend: string): TraceSide => ({
      backend,
      run: () => {
        const x = tf.variable(random([4, 9, 9, 5], 1) as tf.Tensor4D);
        const weights = random(layer(x as tf.Tensor4D).shape, 2);
        const side = traceGradients({ loss: () => tf.sum(tf.mul(layer(x as tf.Tensor4D), weights)) as tf.Scalar });
        return side.run();
      },
    });
    await useBackend(faster!);
    await useBackend(other!);
    const report = await triage({ legacy: step(faster!), migrated: step(other!) }, { noise: false });
    expect(report.culprits.map(({ op, isolated }) => [op?.name, isolated?.shareOfBound])).toEqual([]);
    const name = nameOf(kernel);
    const right = tf.getKernel(name, other!);
    tf.unregisterKernel(name, other!);
    tf.registerKernel({ ...right, kernelFunc: (args) => [right.kernelFunc(args)].flat().map(scaledBy(1.01)) });
    try {
      const found = await triage({ legacy: step(faster!), migrated: step(other!) }, { noise: false });
      expect(found.culprits[0]?.op?.kernel, found.summary).toBe(name);
      expect(found.culprits[0]!.isolated!.verdict).toBe('different');
    } finally {
      tf.unregisterKernel(name, other!);
      tf.registerKernel(right);
    }
    tf.disposeVariables();
  });
});

describe(`${faster} against ${other}`, () => {
  it('calls rounding in the backward pass by its name, and a wrong gradient a fault', async () => {
    await useBackend(faster!);
    const legacy = trained(faster);
    await useBackend(other!);
    const migrated = trained(other);
    const report = await triage({ legacy: legacy.side(), migrated: migrated.side() });
    expect(report.culprits.map(({ op, isolated }) => [op?.name, isolated])).toEqual([]);
    expect(['rounding', 'amplified-rounding']).toContain(report.verdict);
    expect(report.backward!.differing).toBeGreaterThan(5);
    for (const { isolated } of report.backward!.points) expect(['identical', 'rounding', null]).toContain(isolated);
    const broken = migrated.side(scaledGradient(SCOPE));
    const found = await triage({ legacy: legacy.side(), migrated: broken }, { noise: false });
    expect(found.verdict).toBe('different');
    expect(found.culprits[0]!.op!.name).toBe(`${SCOPE}/Multiply`);
  });
});

it('variableGrads leaves the name scopes as they were', async () => {
  await useBackend('cpu');
  const { loss, variables, around } = trained();
  const before = tf.memory().numTensors;
  const { value, gradients: found } = around(() => variableGrads(loss, variables));
  tf.dispose([value, ...found.map(([gradient]) => gradient as tf.Tensor)]);
  expect(tf.memory().numTensors).toBe(before);
});
