import { createHash } from 'node:crypto';
import { bfloat16Value, bytesOf, float16Value, type NdArray } from '@tfparity/array';
import { describeGolden, goldenJson } from '@tfparity/testing';
import { expect, it } from 'vitest';
import { RandomOp, type RandomOpInputs, type RandomOpName } from '../src/philox.js';

interface Draw {
  dtype: string;
  shape: number[];
  sha256: string;
  head: number[];
}

interface Case {
  op: RandomOpName;
  seed: number;
  seed2: number;
  args: { [name: string]: unknown; dtype?: NdArray['dtype']; n?: number; num_samples?: number };
  draws: Draw[];
}

function inputsOf({ op, seed, seed2, args }: Case): RandomOpInputs {
  const { dtype: _, value, n, num_samples: numSamples, ...inputs } = args;
  return {
    ...inputs,
    ...(value === 'range' && { value: Int32Array.from({ length: n! }, (_, i) => i) }),
    ...(numSamples !== undefined && { numSamples }),
    ...(op.startsWith('Stateless') && { seed: [seed, seed2] as const }),
  };
}

function headOf({ dtype, data }: NdArray): number[] {
  const values = Array.from(data.slice(0, 16) as Float32Array, Number);
  if (dtype === 'float16') return values.map(float16Value);
  return dtype === 'bfloat16' ? values.map(bfloat16Value) : values;
}

describeGolden('rng.json', () => {
  const { cases } = goldenJson<{ cases: Case[] }>('rng.json');

  it.each(cases.map((c, i) => [`${i} ${c.op} ${c.args.dtype ?? ''} (${c.seed}, ${c.seed2})`, c] as const))(
    '%s',
    (_, golden) => {
      const { op: name, seed, seed2, args } = golden;
      const op = new RandomOp(name, { seed, seed2, dtype: args.dtype });
      for (const expected of golden.draws) {
        const drawn = op.draw(inputsOf(golden));
        expect(drawn.dtype).toBe(expected.dtype);
        expect(drawn.shape).toEqual(expected.shape);
        expect(headOf(drawn)).toEqual(expected.head);
        expect(createHash('sha256').update(bytesOf(drawn)).digest('hex')).toBe(expected.sha256);
      }
    },
  );
});
