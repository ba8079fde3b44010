import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { writeCheckpoint } from '@tfparity/checkpoint';
import { Graph, placeholder } from '@tfparity/graph';
import { uniform } from '@tfparity/random';
import { l2Regularizer } from '@tfparity/slim';
import { backends, useBackend } from '@tfparity/testing';
import { getVariable, Module, Tf1Layer, trackTf1StyleVariables, variable, variableScope } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { fillValue, type ModelFunction, type StepId, type ValidationReport, validateMigration } from '../src/index.js';
import { Net, type NetOutputs, net, tf1 } from './small-models.js';

const array = (shape: number[], value: (i: number) => number) => ({
  dtype: 'float32' as const,
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
});
const ones = array([2, 9, 9, 3], () => 1);
const statuses = (report: ValidationReport) => Object.fromEntries(report.steps.map(({ id, status }) => [id, status]));
const stepOf = (report: ValidationReport, id: StepId) => report.steps.find((step) => step.id === id)!;

/** Concatenates its branches in another order. */
class SwappedNet extends Net {
  protected override forward(inputs: tf.Tensor, training: boolean): NetOutputs {
    return net(inputs, { training }, (tensors) => [...tensors].reverse());
  }
}

describe.each(backends)('validateMigration on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('passes a faithful migration in every step, and leaves nothing behind', async () => {
    const before = tf.memory().numTensors;
    const report = await validateMigration({ legacy: tf1, migrated: () => new Net({}), inputs: ones });
    expect(report.steps.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.verdict).toBe('same');
    expect(report.sides).toEqual({ legacy: 'TF1 code in a graph', migrated: 'a layer' });
    expect(report.environment.backend).toBe(backend);
    expect(report.inventories.migrated?.entries.length).toBe(24);
    for (const id of ['inference', 'training', 'training-constant'] as const) {
      expect(stepOf(report, id).ledger).toBeNull();
      expect(stepOf(report, id).draws?.legacy).toBeGreaterThan(0);
    }
    expect(stepOf(report, 'by-name-training').updates).toEqual({
      legacy: 8,
      migrated: 8,
      notUpdated: [],
      onlyMigrated: [],
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({ format: 'tfparity-validation', version: 1 });
  });

  it('says of the reset that it proves little, and fails in the steps that see swapped branches', async () => {
    const report = await validateMigration(
      { legacy: (x, options) => net(x as tf.Tensor, options), migrated: () => new SwappedNet({}), inputs: ones },
      { steps: ['reset', 'by-name'] },
    );
    expect(statuses(report)).toEqual({ reset: 'passed', 'by-name': 'failed' });
    expect(stepOf(report, 'reset').warnings.map(({ kind }) => kind)).toEqual(['degenerate', 'constant-input']);
    expect(stepOf(report, 'by-name').warnings).toEqual([]);
    expect(report.verdict).toBe('different');
    expect(report.summary).toMatch(/^by-name failed; outputs: 3 of 4 differ/);
  });
});

const small = array([2, 3], (i) => i / 3 - 1);
const dense: ModelFunction = (x) => {
  const weights = getVariable('dense/weights', { shape: [3, 4] });
  const biases = getVariable('dense/biases', { shape: [4] });
  return { logits: tf.add(tf.matMul(x as tf.Tensor, weights), biases) };
};

class Dense extends Tf1Layer<{ logits: tf.Tensor }> {
  static readonly className = 'ValidatedDense';

  @trackTf1StyleVariables
  override call(x: tf.Tensor): { logits: tf.Tensor } {
    return dense(x, { training: false }) as { logits: tf.Tensor };
  }
}

describe('validateMigration', () => {
  beforeAll(() => useBackend(backends[0]!));

  it('finds variables that every call makes anew', async () => {
    const migrated: ModelFunction = (x) => tf.add(x as tf.Tensor, variable(1, { name: 'bias' }));
    const report = await validateMigration({ legacy: dense, migrated, inputs: small }, { steps: ['created-once'] });
    expect(statuses(report)).toEqual({ 'created-once': 'failed' });
    expect(stepOf(report, 'created-once').created).toHaveLength(1);
  });

  it('names what the inventories do not have in common, and follows renames', async () => {
    const migrated: ModelFunction = (x, options) => variableScope('model', () => dense(x, options));
    const migration = { legacy: dense, migrated, inputs: small };
    const steps = ['inventory', 'by-name', 'inference'] as const;
    const report = await validateMigration(migration, { steps });
    expect(statuses(report)).toMatchObject({ inventory: 'failed', 'by-name': 'failed' });
    expect(stepOf(report, 'inventory').inventory?.missing.map(({ name }) => name)).toEqual([
      'dense/weights',
      'dense/biases',
    ]);
    const renamed = await validateMigration({ ...migration, rename: { 'model/': '' } }, { steps });
    expect(statuses(renamed)).toEqual({ inventory: 'passed', 'by-name': 'passed', inference: 'passed' });
  });

  it('names a random op too many before any number is compared', async () => {
    const migrated: ModelFunction = (x, options) => {
      tf.dispose(uniform([7]));
      return dense(x, options);
    };
    const report = await validateMigration({ legacy: dense, migrated, inputs: small }, { steps: ['inference'] });
    const { status, ledger, lines } = stepOf(report, 'inference');
    expect(status).toBe('failed');
    expect(ledger).toMatchObject({ kind: 'extra-in-b', index: 0 });
    expect(lines[0]).toContain('RandomUniform [7]');
  });

  it('runs a layer that exists with the values it is given, gives it its own back, and says what it can not do', async () => {
    const layer = new Dense({});
    tf.dispose(layer.apply(tf.zeros([2, 3])));
    const before = layer.variables.map((v) => [...v.dataSync()]);
    const report = await validateMigration({ legacy: dense, migrated: layer, inputs: small });
    expect(statuses(report)).toEqual({
      'created-once': 'passed',
      inventory: 'passed',
      reset: 'passed',
      'by-name': 'passed',
      inference: 'skipped',
      training: 'skipped',
      'training-constant': 'skipped',
      'by-name-training': 'passed',
    });
    expect(stepOf(report, 'inference').reason).toMatch(/give a function that makes it/);
    expect(report.verdict).toBe('same');
    expect(layer.variables.map((v) => [...v.dataSync()])).toEqual(before);
    tf.dispose(layer.variables);
  });

  it('takes a graph as it is, and an eager model with its variables', async () => {
    const graph = new Graph();
    const { x, logits } = graph.asDefault(() => {
      const input = placeholder('float32', [2, 3], 'x');
      return { x: input, logits: (dense(input, { training: false }) as { logits: tf.Tensor }).logits };
    });
    const weights = tf.variable(tf.zeros([3, 4]), true, 'dense/weights');
    const biases = tf.variable(tf.zeros([4]), true, 'dense/biases');
    const call: ModelFunction = (inputs) => ({ logits: tf.add(tf.matMul(inputs as tf.Tensor, weights), biases) });
    const report = await validateMigration({
      legacy: { graph, inputs: x, outputs: { logits } },
      migrated: { call, variables: () => [weights, biases] },
      inputs: small,
    });
    expect(statuses(report)).toMatchObject({
      inventory: 'passed',
      reset: 'passed',
      'by-name': 'passed',
      training: 'skipped',
    });
    expect(stepOf(report, 'training').reason).toMatch(/built for inference only/);
    expect([...weights.dataSync()]).toEqual(Array(12).fill(0));
    tf.dispose([weights, biases]);
  });

  it('notices updates that do not happen, and losses that are missing', async () => {
    const model =
      (training: boolean, regularized: boolean): ModelFunction =>
      (x) =>
        variableScope('m', () => {
          const average = getVariable('average', {
            shape: [],
            trainable: false,
            initializer: (shape) => tf.ones([...shape]),
          });
          const regularizer = regularized ? l2Regularizer(0.1) : undefined;
          const w = getVariable('w', { shape: [3, 3], ...(regularizer ? { regularizer } : {}) });
          const y = tf.matMul(x as tf.Tensor, w);
          if (training) average.assign(tf.mul(average, 0.5));
          return y;
        });
    const run = (migrated: ModelFunction) =>
      validateMigration({ legacy: model(true, true), migrated, inputs: small }, { steps: ['training'] });
    const dropped = stepOf(await run(model(false, true)), 'training');
    expect(dropped.status).toBe('failed');
    expect(dropped.updates).toEqual({ legacy: 1, migrated: 0, notUpdated: ['m/average'], onlyMigrated: [] });
    expect(dropped.lines[0]).toBe('1 update ops did not run in the migrated model: m/average');
    const unregularized = stepOf(await run(model(true, false)), 'training');
    expect(unregularized.comparisons.filter(({ comparison }) => !comparison.passed).map(({ of }) => of)).toEqual([
      'losses',
    ]);
  });

  it('can not tell where a side throws, where nothing is compared, and fails where nothing is in common', async () => {
    const steps = ['by-name'] as const;
    const throwing: ModelFunction = (x) => tf.reshape(x as tf.Tensor, [7, 7]);
    const thrown = await validateMigration({ legacy: dense, migrated: throwing, inputs: small }, { steps });
    expect(thrown.verdict).toBe('cannot-tell');
    expect(stepOf(thrown, 'by-name')).toMatchObject({ status: 'error', passed: false, error: { name: 'Error' } });
    const empty: ModelFunction = (x) => ({ nothing: (x as tf.Tensor).rank });
    const none = await validateMigration({ legacy: () => new Dense({}), migrated: empty, inputs: small }, { steps });
    expect(none.verdict).toBe('different');
    const aligned = await validateMigration(
      { legacy: new Dense({}), migrated: new Dense({}), inputs: small },
      { steps: ['inference'] },
    );
    expect(aligned.verdict).toBe('cannot-tell');
    expect(aligned.summary).toMatch(/^no step compared any numbers/);
  });

  it('ends early, by a failure or a signal, and tells how far it is', async () => {
    const wrong: ModelFunction = (x, options) => ({
      logits: tf.mul((dense(x, options) as { logits: tf.Tensor }).logits, 2),
    });
    const seen: string[] = [];
    const report = await validateMigration(
      { legacy: dense, migrated: wrong, inputs: small },
      {
        stopEarly: true,
        onProgress: ({ step, index, count, doing }) => seen.push(`${step} ${index + 1}/${count} ${doing}`.trim()),
      },
    );
    expect(report.steps.at(-1)).toMatchObject({ id: 'reset', status: 'failed' });
    expect(seen.slice(-3)).toEqual(['reset 3/8', 'reset 3/8 legacy side', 'reset 3/8 migrated side']);
    const aborted = await validateMigration(
      { legacy: dense, migrated: dense, inputs: small },
      { signal: AbortSignal.abort() },
    );
    expect(aborted).toMatchObject({ verdict: 'cannot-tell', steps: [] });
  });

  it('can not tell where it was stopped before its end, unless something differs', async () => {
    const run = async (migrated: ModelFunction, last: StepId) => {
      const controller = new AbortController();
      const { signal } = controller;
      const onProgress = ({ step }: { step: StepId }) => step === last && controller.abort();
      return validateMigration({ legacy: dense, migrated, inputs: small }, { signal, onProgress });
    };
    const wrongInTraining: ModelFunction = (x, options) => {
      const { logits } = dense(x, options) as { logits: tf.Tensor };
      return { logits: options.training ? tf.mul(logits, 2) : logits };
    };
    expect(await run(wrongInTraining, 'inference')).toMatchObject({
      verdict: 'cannot-tell',
      summary: 'nothing differs so far (stopped after 5 of 8 steps)',
    });
    expect(await run(wrongInTraining, 'training')).toMatchObject({
      verdict: 'different',
      summary: expect.stringContaining('stopped after 6 of 8 steps'),
    });
    expect(await run(dense, 'by-name-training')).toMatchObject({ verdict: 'same' });
  });

  it('can not tell where nothing but NaN was compared', async () => {
    const below = (x: unknown, offset: number) => tf.sub(tf.neg(tf.abs(x as tf.Tensor)), offset);
    const report = await validateMigration({
      legacy: (x) => tf.sqrt(below(x, 1)),
      migrated: (x) => tf.log(below(x, 5)),
      inputs: small,
    });
    expect(report.verdict).toBe('cannot-tell');
    expect(report.summary).toMatch(/^no step compared any numbers but NaN, infinities and empty arrays/);
    const inTraining: ModelFunction = (x, { training }) => tf.sqrt(training ? below(x, 1) : tf.abs(x as tf.Tensor));
    const partly = await validateMigration(
      { legacy: inTraining, migrated: inTraining, inputs: small },
      { steps: ['inference', 'training'] },
    );
    expect(partly.summary).toBe('2 of 2 steps passed, training with nothing but NaN and infinities');
  });

  it('fails a moving average that moves in inference', async () => {
    const model =
      (leaks: boolean): ModelFunction =>
      (x, { training }) => {
        const average = getVariable('average', { shape: [], trainable: false, initializer: (s) => tf.ones([...s]) });
        if (training || leaks) average.assign(tf.mul(average, 0.5));
        return tf.mul(x as tf.Tensor, 2);
      };
    const migration = { legacy: model(false), migrated: model(true), inputs: small };
    const report = await validateMigration(migration, { steps: ['inference', 'training'] });
    expect(statuses(report)).toEqual({ inference: 'failed', training: 'passed' });
    expect(stepOf(report, 'inference').updates?.onlyMigrated).toEqual(['average']);
  });

  it('applies tolerances by step and by output', async () => {
    const near: ModelFunction = (x, options) => ({
      logits: tf.mul((dense(x, options) as { logits: tf.Tensor }).logits, 1.001),
    });
    const run = (tolerances: Parameters<typeof validateMigration>[0]['tolerances']) =>
      validateMigration(
        { legacy: dense, migrated: near, inputs: small, ...(tolerances ? { tolerances } : {}) },
        { steps: ['by-name', 'inference'] },
      ).then(statuses);
    expect(await run(undefined)).toEqual({ 'by-name': 'failed', inference: 'failed' });
    expect(await run({ steps: { 'by-name': { rtol: 0.01 } } })).toEqual({ 'by-name': 'passed', inference: 'failed' });
    expect(await run({ overrides: [{ match: 'logits', rtol: 0.01, reason: 'a test' }] })).toEqual({
      'by-name': 'passed',
      inference: 'passed',
    });
    // A step that gives no limits of its own keeps the general ones.
    const overrides = [{ match: 'zzz', rtol: 1 }];
    expect(await run({ rtol: 0.01, steps: { inference: { overrides } } })).toMatchObject({ inference: 'passed' });
    expect(await run({ rtol: 0, steps: { inference: { equalNan: false } } })).toMatchObject({ inference: 'failed' });
    const exact = await validateMigration(
      { legacy: dense, migrated: near, inputs: small, tolerances: { steps: { inference: { overrides } } } },
      { steps: ['inference'] },
    );
    const [compared] = stepOf(exact, 'inference').comparisons;
    expect(compared!.comparison.items[0]!.comparison!.tolerance).toMatchObject({ rtol: 1e-6, atol: 1e-5 });
  });

  it('restores a checkpoint, and names the variable that is not in it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tfparity-validate-'));
    try {
      const shapes = { 'dense/weights': [3, 4], 'dense/biases': [4] };
      const values = Object.entries(shapes).map(
        ([name, shape]) => [name, fillValue({ name, shape, dtype: 'float32' }, { mode: 'byName', seed: 3 })] as const,
      );
      await writeCheckpoint(join(folder, 'all'), values);
      await writeCheckpoint(join(folder, 'part'), values.slice(0, 1));
      const migration = { legacy: dense, migrated: () => new Dense({}), inputs: small };
      const restored = await validateMigration(
        { ...migration, checkpoint: join(folder, 'all') },
        { steps: ['checkpoint'] },
      );
      expect(stepOf(restored, 'checkpoint').lines[0]).toBe('restored variables: all 2 identical to the last bit');
      expect(restored.verdict).toBe('same');
      const part = await validateMigration(
        { ...migration, checkpoint: join(folder, 'part') },
        { steps: ['checkpoint'] },
      );
      expect(stepOf(part, 'checkpoint')).toMatchObject({ status: 'failed' });
      expect(stepOf(part, 'checkpoint').lines[0]).toBe('1 of 2 variables are not in the checkpoint: dense/biases');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('takes several inputs, in order and by name', async () => {
    const sum = (a: tf.Tensor, b: tf.Tensor) => ({ y: tf.add(a, tf.mul(b, getVariable('w', { shape: [3] }))) });
    const inOrder: ModelFunction = (x) => sum(...(x as [tf.Tensor, tf.Tensor]));
    const byName: ModelFunction = (x) => {
      const { a, b } = x as Record<string, tf.Tensor>;
      return sum(a!, b!);
    };
    const steps = ['by-name', 'inference'] as const;
    for (const [model, inputs] of [
      [inOrder, [small, array([3], (i) => i)]],
      [byName, { a: small, b: array([3], (i) => i) }],
    ] as const) {
      const report = await validateMigration({ legacy: { trace: model }, migrated: model, inputs }, { steps });
      expect(statuses(report)).toEqual({ 'by-name': 'passed', inference: 'passed' });
    }
  });

  it('refuses what it does not know, and says what it takes', async () => {
    const valid = { legacy: dense, migrated: dense, inputs: small };
    await expect(validateMigration({ ...valid, legacy: 7 as never })).rejects.toMatchObject({ code: 'InvalidSide' });
    await expect(
      validateMigration({ ...valid, migrated: () => new (class extends Module {})() as never }),
    ).resolves.toMatchObject({
      verdict: 'cannot-tell',
    });
    await expect(validateMigration({ ...valid, inputs: 'x' as never })).rejects.toMatchObject({
      code: 'InvalidInputs',
    });
    await expect(validateMigration({ legacy: dense, migrated: dense })).rejects.toMatchObject({
      code: 'InvalidInputs',
    });
    const unknown = validateMigration(valid, { steps: ['resett' as never] });
    await expect(unknown).rejects.toThrow("there is no step 'resett' here; steps are created-once, inventory, reset");
  });
});
