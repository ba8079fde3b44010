import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { DeterministicRandomTestTool, initializers } from '../src/index.js';

interface NetVariable {
  name: string;
  shape: number[];
  sha256: string;
}

/** TensorFlow.js's plain JavaScript kernels take 6 s for all 56 million numbers, most of it to scale them: every eighth there. */
const every = (backend: string) => (backend === 'cpu' ? 8 : 1);

// The graph's order of creation is the order of seeds: each weights variable takes one, in training mode.
describe.each(backends)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  describeGolden('nets/inception_resnet_v2.infer.json', () => {
    const { variables } = goldenJson<{ variables: NetVariable[] }>('nets/inception_resnet_v2.infer.json');

    it(`draws the initial values of the net's weights`, { timeout: 120_000 }, () => {
      const { xavier, ones, zeros } = initializers;
      const tool = new DeterministicRandomTestTool({ mode: 'num_random_ops' });
      const wrong: string[] = [];
      let drawn = 0;
      tool.scope(() => {
        let seed = 0;
        for (const { name, shape, sha256 } of variables) {
          const isWeights = /weights:0$/.test(name);
          if (isWeights) tool.operationSeed = seed++;
          if (isWeights && seed % every(backend) !== 0) continue;
          const make = isWeights ? xavier() : /(gamma|moving_variance):0$/.test(name) ? ones() : zeros();
          tf.tidy(() => {
            const data = make(shape).dataSync();
            drawn += data.length;
            const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
            if (createHash('sha256').update(bytes).digest('hex') !== sha256) wrong.push(name);
          });
        }
      });
      expect(wrong).toEqual([]);
      expect(drawn).toBeGreaterThan(5e7 / every(backend) / 2);
    });
  });
});
