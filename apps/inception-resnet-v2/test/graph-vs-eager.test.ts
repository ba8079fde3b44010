import { backends, useBackend } from '@tfparity/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StepContext } from '../src/step.js';
import { graphVsEager } from '../src/steps/graph-vs-eager.js';

// The other backends compute the net slowly, and have nothing of their own to show here.
describe.each(backends.filter((name) => name === 'tensorflow'))('step 5-graph-vs-eager on %s', (name) => {
  beforeAll(() => useBackend(name));

  it('has the bits of eager code without optimization, and rounds elsewhere with it', async () => {
    const context = { progress: () => {} } as unknown as StepContext;
    const result = (await graphVsEager.run(context)) as Awaited<ReturnType<typeof graphVsEager.run>> & {
      runs: {
        optimization: string;
        rewrites: number;
        worst: { bitIdentical: boolean; maxAbsoluteDifference: number };
      }[];
    };
    expect(result.passed, result.lines.join('\n')).toBe(true);
    expect(result.runs.map(({ optimization, worst }) => [optimization, worst.bitIdentical])).toEqual([
      ['off', true],
      ['batchNormFolding', false],
      ['all', false],
    ]);
    expect(result.runs[0]!.rewrites).toBe(0);
    expect(result.runs[1]!.rewrites).toBeGreaterThan(200);
  }, 240_000);
});
