import * as tf from '@tensorflow/tfjs-core';
import { Graph, globalVariablesInitializer, Session } from '@tfparity/graph';
import { RandomOp } from '@tfparity/random/philox';
import { useBackend } from '@tfparity/testing';
import { getVariable, variableScope } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BisectionRecord, bisectBlocks } from '../src/bisect.js';
import { ablate } from '../src/trace-ablation.js';
import { longestCommon } from '../src/trace-alignment.js';
import { captureTrace } from '../src/trace-capture.js';
import { digestOf } from '../src/trace-digest.js';
import { traceSession } from '../src/trace-session.js';
import { triage } from '../src/triage.js';
import { smallNet } from './traced-net.js';

beforeAll(() => useBackend('cpu'));

describe('alignment', () => {
  /** Length of the longest common subsequence, by the table that textbooks have. */
  function lcs(a: readonly string[], b: readonly string[]): number {
    const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
    for (let i = 1; i <= a.length; i++) {
      for (let j = 1; j <= b.length; j++) {
        table[i]![j] =
          a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!);
      }
    }
    return table[a.length]![b.length]!;
  }

  it('finds as many pairs as there can be, in order', () => {
    const random = new RandomOp('RandomUniformInt', { seed: 7, seed2: 1, dtype: 'int32' });
    for (let round = 0; round < 300; round++) {
      const draw = random.draw({ shape: [30], minval: 0, maxval: 4 }).data as Int32Array;
      const letters = Array.from(draw, (x) => 'abcd'[x]!);
      const [a, b] = [letters.slice(0, round % 15), letters.slice(15, 15 + (Math.floor(round / 15) % 15))];
      const pairs = longestCommon(a, b);
      expect(pairs.length).toBe(lcs(a, b));
      pairs.forEach(([i, j], k) => {
        expect(a[i]).toBe(b[j]);
        if (k > 0) expect(i > pairs[k - 1]![0] && j > pairs[k - 1]![1]).toBe(true);
      });
    }
  });
});

describe('digests', () => {
  it.each([0, 1, 2, 3, 4, 1000, 1001])('tells any one changed element among %s', (n) => {
    const data = Float32Array.from({ length: n }, (_, i) => Math.sin(i));
    const seen = new Set([digestOf({ dtype: 'float32', shape: [n], data }).hash]);
    for (let i = 0; i < n; i++) {
      const other = data.slice();
      // -0 is not 0, and the last bit counts.
      new Uint32Array(other.buffer)[i]! ^= i === 0 ? 0x80000000 : 1;
      seen.add(digestOf({ dtype: 'float32', shape: [n], data: other }).hash);
    }
    expect(seen.size).toBe(n + 1);
  });

  it('counts what is no number, and keeps a sample', () => {
    const digest = digestOf({
      dtype: 'float32',
      shape: [5],
      data: Float32Array.of(1, Number.NaN, -3, Number.POSITIVE_INFINITY, 2),
    });
    expect(digest).toMatchObject({ finite: 3, nan: 1, infinite: 1, min: -3, max: 2, mean: 0, stride: 1 });
    expect(
      digestOf({ dtype: 'float32', shape: [5000], data: new Float32Array(5000) }).samples.length,
    ).toBeLessThanOrEqual(1024);
  });

  it('hashes views that do not begin at a word', () => {
    const bytes = new Uint8Array(new Uint8Array([9, 1, 2, 3, 4, 5]).buffer, 1, 5);
    const copy = Uint8Array.from(bytes);
    expect(digestOf({ dtype: 'uint8', shape: [5], data: bytes }).hash).toBe(
      digestOf({ dtype: 'uint8', shape: [5], data: copy }).hash,
    );
  });
});

/** A program that eager code and a graph share. */
function program(x: tf.Tensor): tf.Tensor {
  return variableScope('dense', () => {
    const options = { shape: [3, 2], initializer: (shape: number[]) => tf.fill(shape, 0.5) };
    return tf.relu(tf.matMul(x as tf.Tensor2D, getVariable('kernel', options) as tf.Tensor2D));
  });
}

describe('sessions', () => {
  it('traces a graph under its own names, and agrees with a changed one up to the change', async () => {
    const build = (change: (y: tf.Tensor) => tf.Tensor) => {
      const graph = new Graph();
      using _ = graph.asDefault();
      const y = change(program(tf.tensor2d([[1, 2, 3]])));
      const session = new Session(graph);
      session.run(globalVariablesInitializer());
      return traceSession(session, { y });
    };
    const plain = build((y) => tf.mul(y, 2));
    const trace = await captureTrace(plain);
    expect(trace.ops.map(({ name }) => name)).toEqual(['dense/BatchMatMul', 'dense/Relu', 'Multiply']);
    expect(trace.ops[0]!.inputs[1]!.origin).toEqual({ kind: 'variable', name: 'dense/kernel' });
    expect((await triage({ legacy: plain, migrated: build((y) => tf.mul(y, 2)) })).verdict).toBe('identical');
    const report = await triage({ legacy: plain, migrated: build((y) => tf.mul(y, 3)) });
    expect(report.culprits[0]!.op!.name).toBe('Multiply');
    expect(report.culprits[0]!.causes[0]!.message).toContain('2 in the reference, 3 here');
  });
});

describe('ablation', () => {
  it('runs only what lies between fixed values and the wanted outputs', async () => {
    const { side } = smallNet();
    const trace = await captureTrace(side);
    const pool = trace.endPoints.find(({ name }) => name.endsWith('Pool_1'))!;
    const whole = await ablate(side, trace, { inputs: {} });
    expect(Object.keys(whole)).toEqual(trace.endPoints.map(({ name }) => name));
    const same = await ablate(side, trace, { inputs: { [pool.name]: pool.value! } });
    expect(same['logits']).toEqual(whole['logits']);
    const zeros = { ...pool.value!, data: new Float32Array(pool.value!.data.length) };
    const [name] = Object.keys(whole).filter((point) => point.endsWith('Blocks'));
    const part = await ablate(side, trace, { inputs: { [pool.name]: zeros }, outputs: [name!] });
    expect(Object.keys(part)).toEqual([name]);
    expect(part[name!]).not.toEqual(whole[name!]);
    await expect(ablate(side, trace, { inputs: { nowhere: zeros } })).rejects.toThrow(
      /no op and no end point 'nowhere'/,
    );
    await expect(ablate(side, trace, { inputs: { logits: zeros } })).rejects.toThrow(/what is to stand for it/);
  });
});

describe('bisection', () => {
  it.each([0, 1, 2, 7, 64])(
    'finds the first bad of %s blocks wherever it is, and resumes from its record',
    async (n) => {
      const blocks = Array.from({ length: n }, (_, i) => `block_${i}`);
      for (let bad = 0; bad <= n; bad++) {
        const records: BisectionRecord[] = [];
        const { block, tries } = await bisectBlocks(blocks, (_, i) => i < bad, {
          onTry: (record) => void records.push(record),
        });
        expect(block).toBe(blocks[bad] ?? null);
        expect(tries).toBeLessThanOrEqual(Math.ceil(Math.log2(n + 1)));
        const record = JSON.parse(JSON.stringify(records[0] ?? { blocks, tried: {} })) as BisectionRecord;
        const resumed = await bisectBlocks(blocks, (_, i) => i < bad, { record });
        expect(resumed.block).toBe(block);
        expect(resumed.tries).toBe(Math.max(0, tries - 1));
      }
    },
  );

  it('refuses the record of other blocks', async () => {
    const record = { blocks: ['a'], tried: {} };
    await expect(bisectBlocks(['b'], () => true, { record })).rejects.toThrow(/over other blocks/);
  });
});
