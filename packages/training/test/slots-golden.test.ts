// golden/slots: TF1 trainings saved in the middle by TF1's Saver, with their slots, and the steps that it took after.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openCheckpoint, writeCheckpoint } from '@tfparity/checkpoint';
import { Graph, type Operation, placeholder, Session } from '@tfparity/graph';
import { captureInventory } from '@tfparity/inventory';
import { backends, describeGolden, goldenJson, goldenPath, useBackend } from '@tfparity/testing';
import { getVariable, variable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AdamOptimizer,
  exponentialDecay,
  getOrCreateGlobalStep,
  IndexedSlices,
  isTrainingError,
  type LearningRate,
  MomentumOptimizer,
  RMSPropOptimizer,
  restoreTraining,
  type Tf1Optimizer,
  trainingState,
} from '../src/index.js';
import { camelCase, type GoldenArray, tensorOf, ulpsApart, valuesOf } from './golden-optimizer.js';

interface Golden {
  readonly schedule: Readonly<Record<string, number>>;
  readonly cases: Record<
    string,
    {
      readonly args: Record<string, number>;
      readonly checkpoint: string;
      readonly steps: readonly {
        readonly w: GoldenArray;
        readonly emb: GoldenArray;
        readonly ids: number[];
        readonly after: Record<string, GoldenArray | number>;
      }[];
    }
  >;
}

const MAKERS: Readonly<Record<string, (options: never) => Tf1Optimizer>> = {
  momentum: (options) => new MomentumOptimizer(options),
  rmsprop: (options) => new RMSPropOptimizer(options),
  adam: (options) => new AdamOptimizer(options),
};

describeGolden('slots/slots.json', () => {
  const { cases, schedule } = goldenJson<Golden>('slots/slots.json');
  /** A program that was just started: other values, no slots, no steps. */
  const start = (name: string) => {
    const globalStep = tf.variable(tf.scalar(0, 'int32'), false, undefined, 'int32');
    globalStep.name = 'global_step';
    const w = variable(tf.zeros([3, 4]), { name: 'net/w' });
    const emb = variable(tf.zeros([6, 2]), { name: 'net/emb' });
    const learningRate: LearningRate = exponentialDecay({ ...camelCase(schedule), globalStep } as never);
    const optimizer = MAKERS[name]!({ learningRate, ...camelCase(cases[name]!.args) } as never);
    return { optimizer, globalStep, w, emb, variables: [w, emb] };
  };
  type Run = ReturnType<typeof start>;
  const step = ({ optimizer, w, emb, globalStep }: Run, given: Golden['cases'][string]['steps'][number]) =>
    tf.tidy(() => {
      const rows = new IndexedSlices(tensorOf(given.emb), tf.tensor1d(given.ids, 'int32'), emb.shape);
      optimizer.applyGradients(
        [
          [tensorOf(given.w), w],
          [rows, emb],
        ],
        { globalStep },
      );
    });

  describe.each(backends)('%s', (backend) => {
    beforeAll(() => useBackend(backend));

    it.each(Object.keys(cases))("%s: goes on from TF1's checkpoint as TF1 did", async (name) => {
      const run = start(name);
      const checkpoint = await openCheckpoint(goldenPath(`slots/${cases[name]!.checkpoint}`));
      await restoreTraining(checkpoint, run);
      expect(valuesOf(run.globalStep)[0]).toBe(3);
      // The names that TF1 saved, and no others.
      const names = checkpoint.entries.map((entry) => entry.name);
      expect(Object.keys(trainingState(run)).sort()).toEqual([...names].sort());
      const inventory = captureInventory([...run.variables, ...run.optimizer.variables()]);
      expect(inventory.entries.map((entry) => entry.name)).toEqual(
        expect.arrayContaining(names.filter((n) => n !== 'global_step')),
      );
      for (const [t, given] of cases[name]!.steps.entries()) {
        step(run, given);
        for (const found of [...run.variables, ...run.optimizer.variables()]) {
          const apart = ulpsApart(found, given.after[found.name] as GoldenArray);
          expect(apart, `step ${t} ${found.name}`).toBeLessThanOrEqual(backend === 'tensorflow' ? 0 : 2 * (t + 1));
        }
        expect(valuesOf(run.globalStep)[0]).toBe(given.after['global_step']);
      }
      run.optimizer.dispose();
      tf.dispose([run.w, run.emb, run.globalStep]);
    });

    it.each(Object.keys(cases))('%s: goes on from it in a session of a graph', async (name) => {
      const graph = new Graph();
      const program = graph.asDefault();
      const globalStep = getOrCreateGlobalStep();
      const [w, emb] = [getVariable('net/w', { shape: [3, 4] }), getVariable('net/emb', { shape: [6, 2] })];
      const rate = exponentialDecay({ ...camelCase(schedule), globalStep } as never);
      const optimizer = MAKERS[name]!({ learningRate: rate, ...camelCase(cases[name]!.args) } as never);
      const [gradient, rows] = [placeholder('float32', [3, 4], 'g'), placeholder('float32', [3, 2], 'rows')];
      const ids = placeholder('int32', [3], 'ids') as unknown as tf.Tensor1D;
      const ops = optimizer.applyGradients(
        [
          [gradient, w],
          [new IndexedSlices(rows, ids, [6, 2]), emb],
        ],
        { globalStep },
      ) as Operation[];
      program[Symbol.dispose]();
      using session = new Session(graph, { engine: 'replay' });
      const state = { variables: [w, emb], optimizer, globalStep };
      expect(() => trainingState(state)).toThrow('net/w is a variable of a graph; give the session');
      await expect(restoreTraining({ has: () => true, get: () => expect.fail() }, state)).rejects.toThrow(
        'give the session',
      );
      const checkpoint = await openCheckpoint(goldenPath(`slots/${cases[name]!.checkpoint}`));
      await restoreTraining(checkpoint, { ...state, session });
      const operations = graph.operations.length;
      await restoreTraining(checkpoint, { ...state, session });
      // The ops that restore are recorded once.
      expect(graph.operations.length).toBe(operations);
      for (const given of cases[name]!.steps) {
        session.run(ops, { 'g:0': tensorOf(given.w), 'rows:0': tensorOf(given.emb), 'ids:0': given.ids });
      }
      const saved = trainingState({ ...state, session });
      const { after } = cases[name]!.steps.at(-1)!;
      expect(Object.keys(saved).sort()).toEqual(Object.keys(after).sort());
      expect(saved['global_step']).toMatchObject({ dtype: 'int64', data: BigInt64Array.of(7n) });
      for (const [key, expected] of Object.entries(after)) {
        if (typeof expected === 'number') continue;
        const found = tf.tensor(saved[key]!.data as Float32Array, [...saved[key]!.shape]);
        expect(ulpsApart(found, expected), key).toBeLessThanOrEqual(backend === 'tensorflow' ? 0 : 8);
      }
    });

    it.each(Object.keys(cases))('%s: what it saves is what it goes on with', async (name) => {
      const folder = await mkdtemp(join(tmpdir(), 'tfparity-slots-'));
      try {
        const [first, second] = [start(name), start(name)];
        await restoreTraining(await openCheckpoint(goldenPath(`slots/${cases[name]!.checkpoint}`)), first);
        const [a, b, ...rest] = cases[name]!.steps;
        step(first, a!);
        step(first, b!);
        const saved = await openCheckpoint(await writeCheckpoint(join(folder, 'model.ckpt-5'), trainingState(first)));
        expect(saved.entries.find((entry) => entry.name === 'global_step')?.dtype).toBe('int64');
        await restoreTraining(saved, second);
        for (const given of rest) for (const run of [first, second]) step(run, given);
        expect(trainingState(second)).toEqual(trainingState(first));
        for (const run of [first, second]) run.optimizer.dispose();
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });

  it('changes nothing where something is missing or does not fit', async () => {
    const run = start('adam');
    const checkpoint = await openCheckpoint(goldenPath(`slots/${cases['momentum']!.checkpoint}`));
    const restored = restoreTraining(checkpoint, run).catch((error: unknown) => error);
    const error = await restored;
    expect(isTrainingError(error) && error.code).toBe('LookupError');
    expect((error as Error).message).toBe('Key beta1_power not found in checkpoint (and 5 more)');
    expect(valuesOf(run.w)[0]).toBe(0);
    const wrong = { ...run, variables: [variable(tf.zeros([4, 3]), { name: 'net/w' })] };
    const right = await openCheckpoint(goldenPath(`slots/${cases['adam']!.checkpoint}`));
    await expect(restoreTraining(right, { variables: wrong.variables })).rejects.toThrow(
      'has (3, 4), the variable is (4, 3)',
    );
    const late = {
      has: () => true,
      get: async () => ({ dtype: 'int64', shape: [], data: BigInt64Array.of(2n ** 40n) }),
    };
    await expect(restoreTraining(late as never, { variables: [], globalStep: run.globalStep })).rejects.toThrow(
      'does not fit into int32',
    );
    const twice = [variable(tf.zeros([1]), { name: 'net/w' }), run.w];
    expect(() => trainingState({ variables: twice })).toThrow('At least two variables have the same name: net/w');
  });
});
