// The backward pass of Inception-ResNet-v2 in training: nothing between equal nets, and the op of a fault by its name.
import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { softmaxCrossEntropyWithLogits } from '@tfparity/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceSide } from '../src/trace-capture.js';
import { traceGradients } from '../src/trace-gradients.js';
import { triage } from '../src/triage.js';
import { setAttrs, setInput, skip, withKernelFault } from '../test/kernel-faults.js';
import { inception } from './inception.js';

const BLOCK = 'gradients/InceptionResnetV2/Repeat/block35_4';
const FAULTS: [name: string, culprit: RegExp, fault: <R>(body: () => R) => R][] = [
  [
    "another epsilon in a batch norm's gradient",
    new RegExp(`^${BLOCK}/Branch_1/Conv2d_0b_3x3/BatchNorm/FusedBatchNormV3_grad/FusedBatchNormGradV3$`),
    (body) =>
      withKernelFault(
        'block35_4/Branch_1/Conv2d_0b_3x3/BatchNorm/FusedBatchNormV3_grad',
        'FusedBatchNormGradV3',
        setAttrs({ epsilon: 0.01 }),
        body,
      ),
  ],
  ['a contribution dropped', /^gradients\/AddN/, (body) => withKernelFault('gradients', 'AddN', skip, body, 20)],
  [
    'a gradient of the wrong sign',
    new RegExp(`^${BLOCK}/Conv2d_1x1/Conv2D_grad/Neg$`),
    (body) =>
      withKernelFault(
        'block35_4/Conv2d_1x1/Conv2D_grad',
        'Conv2DBackpropInput',
        setInput('dy', (dy) => tf.neg(dy)),
        body,
      ),
  ],
];

describe.runIf(backends.includes('tensorflow'))('the backward pass, on tensorflow', () => {
  let side: (fault?: <R>(body: () => R) => R) => TraceSide;
  const disposables: tf.Variable[] = [];
  beforeAll(async () => {
    await useBackend('tensorflow');
    const net = inception('image', { backend: 'tensorflow', training: true });
    disposables.push(...net.layer.variables);
    const variables = net.layer.variables.filter(({ trainable }) => trainable);
    const labels = tf.keep(tf.cast(tf.oneHot([7], 1000), 'float32')) as tf.Tensor2D;
    const loss = () => tf.mean(softmaxCrossEntropyWithLogits(labels, net.call().logits as tf.Tensor2D)) as tf.Scalar;
    side = (around = (body) => body()) => traceGradients({ loss, variables, around });
  });
  afterAll(() => tf.dispose(disposables));

  it('finds nothing between equal nets', async () => {
    const report = await triage({ legacy: side(), migrated: side() }, { noise: false });
    console.log(report.verdict, report.seconds, report.backward?.gradients);
    expect(report).toMatchObject({ verdict: 'identical', culprits: [], backward: { differing: 0 } });
    expect(report.backward!.gradients).toBeGreaterThan(700);
  });

  it.each(FAULTS)('names the op: %s', async (name, culprit, fault) => {
    const report = await triage({ legacy: side(), migrated: side(fault) }, { noise: false });
    console.log(name, report.verdict, report.seconds, report.summary);
    const [first] = report.culprits;
    expect((first?.op ?? first?.reference)?.name, report.summary).toMatch(culprit);
    expect(report.verdict).toBe('different');
    expect(report.backward!.first).not.toBeNull();
  });
});
