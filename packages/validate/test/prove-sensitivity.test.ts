import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { getVariable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  FAULTS,
  type FaultResult,
  formatSensitivity,
  kernelFault,
  type Migration,
  type ModelFunction,
  proveSensitivity,
  type SensitivityReport,
} from '../src/index.js';
import { Net, net } from './small-models.js';

const ones = { dtype: 'float32' as const, shape: [2, 9, 9, 3], data: new Float32Array(2 * 9 * 9 * 3).fill(1) };
const migration: Migration = {
  legacy: (x, options) => net(x as tf.Tensor, options),
  migrated: () => new Net({}),
  inputs: ones,
};

const steps = ['inventory', 'reset', 'by-name', 'inference', 'by-name-training'] as const;
const outcomes = ({ steps: cells }: FaultResult) =>
  Object.fromEntries(cells.map(({ step, outcome }) => [step, outcome]));
const faultOf = (report: SensitivityReport, id: string) => report.faults.find((fault) => fault.id === id)!;

describe('proveSensitivity', () => {
  beforeAll(() => useBackend(backends[0]!));

  it('catches every fault that the net has a place for, though the reset alone would miss most of them', async () => {
    const before = tf.memory().numTensors;
    const { runKernel } = tf.engine();
    const report = await proveSensitivity(migration, { steps });
    expect(report.faults.filter(({ status }) => status === 'missed').map(({ id }) => id)).toEqual([]);
    // No two of its weights have the same shape.
    expect(report.faults.filter(({ status }) => status === 'not-injected').map(({ id }) => id)).toEqual([
      'swapped-variables',
    ]);
    expect(report.passed).toBe(true);
    expect(report.summary).toBe(
      `${FAULTS.length - 1} of ${FAULTS.length - 1} injected faults are caught; 1 have no place in this model`,
    );
    const missedByReset = report.faults.filter((fault) => outcomes(fault)['reset'] === 'missed').map(({ id }) => id);
    expect(missedByReset).toEqual(
      expect.arrayContaining([
        'branch-order',
        'transposed-kernel',
        'wrong-epsilon',
        'missing-scale',
        'rgb-bgr',
        'height-width',
      ]),
    );
    // With its initial values gamma is 1, so that only other values see that it is left out.
    expect(outcomes(faultOf(report, 'missing-scale'))).toEqual({
      inventory: 'not-run',
      reset: 'missed',
      'by-name': 'caught',
      inference: 'missed',
      'by-name-training': 'caught',
    });
    expect(faultOf(report, 'branch-order').where).toBe('Concat [2,5,5,4] [2,5,5,4], place 0');
    expect(outcomes(faultOf(report, 'extra-random-op'))['inference']).toBe('caught');
    expect(formatSensitivity(report).split('\n')).toHaveLength(FAULTS.length + 2);
    expect(tf.engine().runKernel).toBe(runKernel);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('proves nothing where the sides do not pass without a fault', async () => {
    const migrated: Migration['migrated'] = (x, { training }) => net(tf.mul(x as tf.Tensor, 2), { training });
    const report = await proveSensitivity(
      { ...migration, migrated },
      { steps: ['by-name'], faults: FAULTS.slice(0, 1) },
    );
    expect(report.passed).toBe(false);
    expect(report.summary).toMatch(/^the sides do not pass without a fault/);
    expect(outcomes(report.faults[0]!)).toEqual({ 'by-name': 'not-run' });
  });

  it('says so when a fault is missed, and takes faults of the user', async () => {
    const harmless = kernelFault({
      id: 'one-ulp',
      title: 'A product is off by a rounding',
      description: 'made for this test',
      applies: ({ kernel }) => kernel === 'Softmax',
      change: (_, proceed) => tf.mul(proceed() as tf.Tensor, 1 + 2 ** -23),
    });
    const report = await proveSensitivity(migration, { steps: ['by-name'], faults: [harmless] });
    expect(report).toMatchObject({ passed: false, summary: '0 of 1 injected faults are caught, missed: one-ulp' });
    expect(report.faults[0]).toMatchObject({ status: 'missed', injections: 1 });
  });

  const average = (name: string) =>
    getVariable(name, { shape: [], trainable: false, initializer: (shape) => tf.ones([...shape]) });
  const averaged: ModelFunction = (x, { training }) => {
    for (const name of ['a', 'b', 'c', 'd']) {
      const variable = average(name);
      if (training) variable.assign(tf.mul(variable, 0.5));
    }
    return tf.mul(x as tf.Tensor, getVariable('w', { shape: [1] }));
  };
  const inputs = { dtype: 'float32' as const, shape: [3], data: Float32Array.of(1, 2, 3) };
  const small: Migration = { legacy: averaged, migrated: averaged, inputs };
  const named = (...ids: string[]) => ids.map((id) => FAULTS.find((fault) => fault.id === id)!);

  it('puts a fault into the same place every time, and sees an update in inference', async () => {
    for (let i = 0; i < 2; i++) {
      const report = await proveSensitivity(small, {
        faults: named('dropped-update', 'update-in-inference'),
        steps: ['inference', 'training'],
      });
      expect(report.faults.map(({ where, status }) => `${where} ${status}`)).toEqual(['c caught', 'c caught']);
    }
  });

  it('has not passed where it was stopped, and lists what was not tried', async () => {
    const controller = new AbortController();
    const report = await proveSensitivity(small, {
      faults: named('training-flag', 'extra-random-op', 'dropped-update'),
      steps: ['training'],
      signal: controller.signal,
      onProgress: ({ index }) => index === 1 && controller.abort(),
    });
    expect(report.passed).toBe(false);
    expect(report.faults.map(({ status }) => status)).toEqual(['caught', 'not-run', 'not-run']);
    expect(report.summary).toBe('1 of 1 injected faults are caught; stopped: 2 of 3 faults were not tried to the end');
  });

  it('tells a step that throws from one that compares', async () => {
    const breaking = kernelFault({
      id: 'broken',
      title: 'A product that fails',
      description: 'made for this test',
      applies: ({ kernel }) => kernel === 'Multiply',
      change: () => {
        throw new Error('no such shape');
      },
    });
    const report = await proveSensitivity(small, { steps: ['inference'], faults: [breaking] });
    expect(outcomes(report.faults[0]!)).toEqual({ inference: 'threw' });
    expect(report.summary).toBe('1 of 1 injected faults are caught; 1 of them only because a side threw');
    expect(formatSensitivity(report)).toMatch(/broken +! +caught/);
  });
});

describe.each(backends.slice(1))('proveSensitivity on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('catches faults of every kind', async () => {
    const ids = ['branch-order', 'wrong-epsilon', 'rgb-bgr', 'variable-not-restored', 'dropout-rate', 'dropped-update'];
    const faults = FAULTS.filter(({ id }) => ids.includes(id));
    const report = await proveSensitivity(migration, { steps: ['by-name', 'by-name-training'], faults });
    expect(report.faults.map(({ id, status }) => `${id} ${status}`)).toEqual(faults.map(({ id }) => `${id} caught`));
  });
});
