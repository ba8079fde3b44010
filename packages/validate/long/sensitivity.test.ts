// The reference net itself, kept short: the reference migration runs every fault in a section of the net, and in all of it with --sensitivity full.
import type * as tf from '@tensorflow/tfjs-core';
import { argScope, nets } from '@tfparity/slim';
import { backends, useBackend } from '@tfparity/testing';
import { type CallOptions, Tf1Layer, trackTf1StyleVariables } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { FAULTS, proveSensitivity, type TensorTree } from '../src/index.js';

const ones = { dtype: 'float32' as const, shape: [1, 299, 299, 3], data: new Float32Array(299 * 299 * 3).fill(1) };

function forward(images: tf.Tensor, training: boolean): { [name: string]: TensorTree } {
  using _ = argScope(nets.inceptionResnetV2ArgScope({ batchNormScale: true }));
  return { ...nets.inceptionResnetV2(images as tf.Tensor4D, { numClasses: 1000, isTraining: training }) };
}

class InceptionResnetV2 extends Tf1Layer<{ [name: string]: TensorTree }> {
  static readonly className = 'ValidatedInceptionResnetV2';

  @trackTf1StyleVariables
  override call(images: tf.Tensor | tf.Tensor[], { training = false }: CallOptions = {}) {
    return forward(images as tf.Tensor, training);
  }
}

describe(`Inception-ResNet-v2 on ${backends[0]}`, () => {
  beforeAll(() => useBackend(backends[0]!));

  it('passes with its own values by name, which catch what the reset misses', async () => {
    const report = await proveSensitivity(
      {
        legacy: (images, { training }) => forward(images as tf.Tensor, training),
        migrated: () => new InceptionResnetV2({}),
        inputs: ones,
      },
      { steps: ['reset', 'by-name'], faults: FAULTS.filter(({ id }) => id === 'branch-order') },
    );
    expect(report.baseline.steps.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'reset passed',
      'by-name passed',
    ]);
    expect(report.faults[0]!.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      'reset missed',
      'by-name caught',
    ]);
    const outputs = report.baseline.steps[1]!.comparisons[0]!.comparison;
    expect(outputs.counts.compared).toBeGreaterThan(15);
    // Values by name keep activations in range, so that tolerances mean something everywhere.
    for (const { comparison } of outputs.items) {
      const [low, high] = comparison!.evidence!.range.expected!;
      expect(Math.max(-low, high)).toBeGreaterThan(0.01);
      expect(Math.max(-low, high)).toBeLessThan(1000);
    }
  });
});
