// One command from two models to the op that is wrong.
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { GoldenBundle } from '../src/golden-bundle.js';
import { triageMigration } from '../src/triage-migration.js';
import { bundleNet } from './bundle-net.js';
import { Net, net, tf1 } from './small-models.js';

const inputs = { dtype: 'float32' as const, shape: [2, 13, 13, 3], data: new Float32Array(2 * 13 * 13 * 3).fill(1) };

class SwappedBranches extends Net {
  protected override forward(images: tf.Tensor, training: boolean) {
    return net(images, { training }, ([a, b]) => [b!, a!]);
  }
}

beforeAll(() => useBackend('cpu'));

describe('triageMigration', () => {
  it.each(['by-name', 'training'] as const)('names the op of TF1 code against a layer: %s', async (step) => {
    const report = await triageMigration({ legacy: tf1, migrated: () => new SwappedBranches({}), inputs }, { step });
    expect(report.verdict).toBe('different');
    expect(report.culprits[0]!.op!.name).toBe('net/Block/Concat');
    expect(report.culprits[0]!.causes[0]!.kind).toBe('input-order');
  });

  it.each(['reset', 'by-name', 'inference', 'training', 'by-name-training'] as const)(
    'finds nothing between equal sides: %s',
    async (step) => {
      const report = await triageMigration({ legacy: tf1, migrated: () => new Net({}), inputs }, { step });
      expect([report.verdict, report.ledger, report.warnings]).toEqual(['identical', null, []]);
      expect(report.growth.length).toBeGreaterThan(3);
    },
  );

  it("leaves a layer's own values and the number of tensors as they were", async () => {
    const layer = new Net({});
    tf.tidy(() => void layer.apply(tf.ones(inputs.shape), { training: false }));
    const before = layer.variables.map((v) => Array.from(v.dataSync()));
    const { numTensors } = tf.memory();
    await triageMigration({ legacy: tf1, migrated: layer, inputs });
    expect(layer.variables.map((v) => Array.from(v.dataSync()))).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('takes a golden bundle by its end points, drawing what it drew', async () => {
    const bundle = await GoldenBundle.open(fileURLToPath(new URL('bundles/small-net', import.meta.url)));
    for (const { name } of bundle.runs) {
      const report = await triageMigration({ legacy: bundle, migrated: bundleNet }, { step: `golden:${name}` });
      expect(report.culprits, report.summary).toEqual([]);
      expect(['identical', 'rounding', 'amplified-rounding'], `${name}: ${report.summary}`).toContain(report.verdict);
      expect(report.growth.length).toBeGreaterThan(2);
    }
    const wrong: typeof bundleNet = (x, options) => bundleNet(tf.mul(x as tf.Tensor, 1.01), options);
    expect((await triageMigration({ legacy: bundle, migrated: wrong })).verdict).toBe('different');
  });

  it('refuses a step that is none, and sides that it cannot trace', async () => {
    const migration = { legacy: tf1, migrated: () => new Net({}), inputs };
    await expect(triageMigration(migration, { step: 'inventory' })).rejects.toThrow(
      /there is no step 'inventory' that both sides run; steps are reset, by-name/,
    );
    const bundle = await GoldenBundle.open(fileURLToPath(new URL('bundles/small-net', import.meta.url)));
    await expect(triageMigration({ ...migration, migrated: bundle })).rejects.toThrow(
      /the migrated side is no code that could be traced/,
    );
  });
});
