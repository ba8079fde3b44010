import type * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { proveSensitivity } from '../src/index.js';
import { Net, net } from './small-models.js';

const ones = { dtype: 'float32' as const, shape: [2, 9, 9, 3], data: new Float32Array(2 * 9 * 9 * 3).fill(1) };

describe.each(backends)('proveSensitivity on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('catches every fault by some step', async () => {
    const report = await proveSensitivity({ legacy: (x, o) => net(x as tf.Tensor, o), migrated: () => new Net({}), inputs: ones });
    console.log(report.summary, report.seconds);
    for (const f of report.faults)
      console.log(
        f.id.padEnd(24),
        f.status.padEnd(9),
        f.injections,
        f.where,
        f.steps.map((s) => `${s.step}:${s.outcome[0]}`).join(' '),
      );
    expect(report.passed).toBe(true);
  });
});
