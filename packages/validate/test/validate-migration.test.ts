import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { validateMigration } from '../src/index.js';
import { Net, tf1 } from './small-models.js';

const ones = { dtype: 'float32' as const, shape: [2, 9, 9, 3], data: new Float32Array(2 * 9 * 9 * 3).fill(1) };

describe.each(backends)('validateMigration on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('passes a faithful migration in every step', async () => {
    const before = tf.memory().numTensors;
    const report = await validateMigration({ legacy: tf1, migrated: () => new Net({}), inputs: ones });
    for (const s of report.steps)
      console.log(
        s.id,
        s.status,
        s.seconds.toFixed(2),
        s.lines,
        s.warnings.map((w) => w.message),
      );
    console.log(report.summary, tf.memory().numTensors - before);
    expect(report.verdict).toBe('same');
  });
});
