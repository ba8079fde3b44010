// The net as it is, on wasm, against what TensorFlow computed: rounding in inference; in training with an input of ones,
// where means of constants are off in their last bits and each layer takes that times 31, rounding that the net amplifies.
import * as tf from '@tensorflow/tfjs-core';
import { describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RecordedSample, traceOfSamples } from '../src/trace-recorded.js';
import { triage } from '../src/triage.js';
import type { TriageReport } from '../src/triage-report.js';
import { inception } from './inception.js';

async function against(run: 'infer' | 'train'): Promise<TriageReport> {
  const golden = goldenJson<{ endpoints: Record<string, RecordedSample> }>(`nets/inception_resnet_v2.${run}.json`);
  const net = inception('ones', { name: 'wasm', backend: 'wasm', training: run === 'train' });
  const report = await triage(
    { legacy: traceOfSamples('TensorFlow 2.21', golden.endpoints), migrated: net.side() },
    {
      onProgress: (what) => console.log(what),
    },
  );
  tf.dispose(net.layer.variables);
  console.log(report.verdict, report.seconds, report.summary, JSON.stringify(report.isolated));
  for (const { name, maxAbsolute, relativeL2, noise, verdict } of report.growth) {
    console.log(
      `${name} ${maxAbsolute.toExponential(1)} ${relativeL2?.toExponential(1)} noise ${noise?.toExponential(1)} ${verdict}`,
    );
  }
  return report;
}

describe('untouched, wasm against TensorFlow', () => {
  beforeAll(() => useBackend('wasm'));

  describeGolden('nets/inception_resnet_v2.infer.json', () => {
    it('is rounding in inference, and no op is to blame', async () => {
      const report = await against('infer');
      expect(report.culprits).toEqual([]);
      expect(report.verdict).toBe('rounding');
    });
  });

  describeGolden('nets/inception_resnet_v2.train.json', () => {
    it('is amplified rounding in training with ones, and says where it grew', async () => {
      const report = await against('train');
      expect(report.culprits).toEqual([]);
      expect(report.verdict).toBe('amplified-rounding');
      expect(report.amplification?.factor).toBeGreaterThan(1e4);
      expect(report.amplification?.at.length).toBeGreaterThan(0);
    });
  });
});
