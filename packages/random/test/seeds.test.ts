import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  eagerSeedContext,
  getSeed,
  graphSeedContext,
  normal,
  pushSeedContext,
  type RandomKernelAttrs,
  releaseStreams,
  setSeed,
  truncatedNormal,
  uniform,
} from '../src/index.js';
import { randomStateCount } from '../src/random-states.js';

interface Recorded {
  sha256: string;
  head: number[];
}

interface EagerSeeds {
  context: 'eager';
  set_seed: number;
  draws: { fn: 'uniform' | 'normal' | 'truncated_normal'; seed?: number; value: Recorded }[];
}

interface GraphSeeds {
  context: 'graph';
  set_seed: number;
  op_seed: number;
  pair: [number, number];
  runs: Recorded[];
}

interface Golden {
  seeds: (EagerSeeds | GraphSeeds)[];
  get_seed: { graph_seed: number | null; op_seed: number; pair: [number, number] }[];
}

const sha256 = (tensor: tf.Tensor) =>
  createHash('sha256')
    .update(new Uint8Array(tensor.dataSync().buffer.slice(0)))
    .digest('hex');
const FUNCTIONS = { uniform, normal, truncated_normal: truncatedNormal };

describe.each(backends)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => {
    tf.engine().endScope();
    eagerSeedContext().seed = null;
  });

  describeGolden('initializers.json', () => {
    const golden = goldenJson<Golden>('initializers.json');
    const eager = golden.seeds.filter((c) => c.context === 'eager');
    const graph = golden.seeds.filter((c) => c.context === 'graph');

    it.each(eager)('eager code draws by setSeed($set_seed)', ({ set_seed, draws }) => {
      // Twice: setting the seed again starts everything afresh.
      for (let time = 0; time < 2; time++) {
        setSeed(set_seed);
        const found = draws.map(({ fn, seed }) => sha256(FUNCTIONS[fn]([4], { seed })));
        expect(found).toEqual(draws.map(({ value }) => value.sha256));
      }
    });

    it.each(graph)(
      'a graph with seed $set_seed gives op seed $op_seed its pair',
      ({ set_seed, op_seed, pair, runs }) => {
        using _ = pushSeedContext(graphSeedContext('graph', set_seed));
        const [seed, seed2] = getSeed(op_seed);
        expect([seed, seed2]).toEqual(pair);
        // What a session does: one node, run twice in a stream of its own.
        uniform([1]);
        for (const session of ['session/1', 'session/2']) {
          const attrs = {
            shape: [4],
            dtype: 'float32',
            seed: seed!,
            seed2: seed2!,
            stream: `${session}/node`,
          } as const;
          const run = () =>
            tf.engine().runKernel('RandomUniform', {}, attrs satisfies RandomKernelAttrs as never) as tf.Tensor;
          expect([sha256(run()), sha256(run())]).toEqual(runs.map((r) => r.sha256));
          releaseStreams(`${session}/`);
        }
      },
    );

    it.each(golden.get_seed)('get_seed($op_seed) with graph seed $graph_seed', ({ graph_seed, op_seed, pair }) => {
      using _ = pushSeedContext(graphSeedContext('graph', graph_seed));
      expect(getSeed(op_seed)).toEqual(pair);
    });
  });

  it('draws from entropy where no seed is set', () => {
    expect(getSeed()).toEqual([null, null]);
    const [a, b] = [uniform([8]), uniform([8])].map((t) => [...t.dataSync()]);
    expect(a).not.toEqual(b);
  });

  it('numbers the unseeded ops of a graph from 0, and those with a seed not at all', () => {
    const context = graphSeedContext('graph', 7);
    using _ = pushSeedContext(context);
    expect([getSeed(), getSeed(3), getSeed(), getSeed(null)]).toEqual([
      [7, 0],
      [7, 3],
      [7, 1],
      [7, 2],
    ]);
    setSeed(8);
    expect(context.seed).toBe(8);
    expect(eagerSeedContext().seed).toBeNull();
  });

  it('takes seeds of 64 bits', () => {
    setSeed(2n ** 63n - 1n);
    expect(getSeed(-(2n ** 63n))[0]).toBe(Number((2n ** 63n - 1n) % (2n ** 31n - 1n)));
    expect(() => setSeed(2n ** 63n)).toThrow(/seed 9223372036854775808 is not a 64-bit integer/);
    expect(() => setSeed(2 ** 53)).toThrow(/give it as a bigint/);
    expect(() => setSeed(0.5)).toThrow(/seed 0.5 is not a 64-bit integer/);
    expect(() => uniform([1], { seed: Number.NaN })).toThrow(/op seed NaN is not a 64-bit integer/);
  });

  it('forgets the states of streams that ended', () => {
    setSeed(5);
    const attrs = (stream: string) => ({ shape: [2], dtype: 'float32', seed: 2n ** 60n, seed2: 1, stream }) as never;
    const draw = (stream: string) => [
      ...(tf.engine().runKernel('RandomUniform', {}, attrs(stream)) as tf.Tensor).dataSync(),
    ];
    const before = randomStateCount();
    const first = draw('session/9/a');
    expect(draw('session/9/a')).not.toEqual(first);
    expect(draw('session/9/b')).toEqual(first);
    expect(randomStateCount()).toBe(before + 2);
    releaseStreams('session/9/');
    expect(randomStateCount()).toBe(before);
    expect(draw('session/9/a')).toEqual(first);
    releaseStreams('session/9/');
    setSeed(5);
    const kept = randomStateCount();
    uniform([2], { seed: 3 });
    uniform([2], { seed: 4 });
    expect(randomStateCount()).toBeGreaterThan(kept);
    setSeed(5);
    expect(randomStateCount()).toBe(kept);
  });

  it('contexts that close out of order are an error that names both', () => {
    const outer = pushSeedContext(graphSeedContext('outer'));
    const inner = pushSeedContext(graphSeedContext('inner'));
    expect(() => outer[Symbol.dispose]()).toThrow(/graph outer is being closed while .* graph inner is open/);
    inner[Symbol.dispose]();
    outer[Symbol.dispose]();
    expect(getSeed()).toEqual([null, null]);
  });
});
