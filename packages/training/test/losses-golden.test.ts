// golden/losses.json: TF1's losses with weights and reductions, in a session.
import * as tf from '@tensorflow/tfjs-core';
import { Graph } from '@tfparity/graph';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  absoluteDifference,
  computeWeightedLoss,
  cosineDistance,
  getLosses,
  getTotalLoss,
  hingeLoss,
  huberLoss,
  type LossOptions,
  logLoss,
  meanSquaredError,
  type Reduction,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
} from '../src/index.js';

interface Golden {
  readonly labels: number[][];
  readonly predictions: number[][];
  readonly logits: number[][];
  readonly rows: number[];
  readonly label_smoothing: number;
  readonly delta: number;
  readonly cases: { weights: 'one' | 'rows'; reduction: Reduction; values: Record<string, number> }[];
}

describeGolden('losses.json', () => {
  const golden = goldenJson<Golden>('losses.json');

  describe.each(backends)('%s', (backend) => {
    beforeAll(() => useBackend(backend));

    it.each(golden.cases.map((c) => [`${c.weights} ${c.reduction}`, c] as const))('%s', (_, c) => {
      const [labels, predictions, logits] = [golden.labels, golden.predictions, golden.logits].map((a) =>
        tf.tensor2d(a),
      );
      const perRow: LossOptions = {
        reduction: c.reduction,
        lossCollection: null,
        weights: c.weights === 'one' ? 1 : tf.tensor1d(golden.rows),
      };
      const options = { ...perRow, weights: c.weights === 'one' ? 1 : tf.tensor2d(golden.rows, [2, 1]) };
      const labelSmoothing = golden.label_smoothing;
      const found: Record<string, tf.Tensor> = {
        absoluteDifference: absoluteDifference(labels!, predictions!, options),
        meanSquaredError: meanSquaredError(labels!, predictions!, options),
        hingeLoss: hingeLoss(labels!, logits!, options),
        huberLoss: huberLoss(labels!, logits!, { ...options, delta: golden.delta }),
        logLoss: logLoss(labels!, predictions!, options),
        cosineDistance: cosineDistance(labels!, predictions!, 1, options),
        sigmoidCrossEntropy: sigmoidCrossEntropy(labels!, logits!, { ...options, labelSmoothing }),
        softmaxCrossEntropy: softmaxCrossEntropy(labels!, logits!, { ...perRow, labelSmoothing }),
      };
      expect(Object.keys(found).sort()).toEqual(Object.keys(c.values).sort());
      for (const [name, value] of Object.entries(c.values)) {
        const loss = found[name]!.dataSync()[0]!;
        // A session folds and fuses what is evaluated op by op here, and libraries' logs differ in the last bit.
        expect(Math.abs(loss - value), name).toBeLessThanOrEqual(4e-7 * Math.max(1, Math.abs(value)));
      }
    });
  });

  it('puts losses into the collection of a graph, whose sum is the total', () => {
    const graph = new Graph();
    using _ = graph.asDefault();
    expect(() => getTotalLoss()).toThrow('there is no loss');
    const main = computeWeightedLoss(tf.tensor1d([1, 3]));
    const auxiliary = computeWeightedLoss(tf.tensor1d([1, 3]), { weights: 0.4 });
    expect(getLosses()).toEqual([main, auxiliary]);
    expect(getTotalLoss().shape).toEqual([]);
    expect(() => computeWeightedLoss(tf.ones([2, 3]), { weights: tf.ones([3, 3]) })).toThrow(
      'weights can not be broadcast',
    );
  });
});
