import { describe, expect, it } from 'vitest';
import { triageDocument } from '../src/report/triage-sections.js';

const op = { name: 'gradients/b_grad/Conv2DBackpropInput', kernel: 'Conv2DBackpropInput', shapes: [[2]] };
const point = (of: string, accumulated: string) => ({ of, op, accumulated, isolated: 'different', relativeL2: 0.5 });
const report = (backward: unknown) => ({ verdict: 'different', culprits: [], growth: [], backward });

describe('the page of a triage', () => {
  it('says of the backward pass which gradients differ, from the loss back', () => {
    const points = [point('c', 'identical'), point('b', 'different'), point('a', 'suspicious')];
    const backward = { gradients: 3, differing: 2, first: points[1], points };
    const { overview } = triageDocument(report(backward), 'Triage');
    expect(overview[0]).toEqual({
      kind: 'lines',
      lines: ['Backward pass: 2 of 3 gradients of activations differ; the first is that of b.'],
    });
    expect(overview[1]).toMatchObject({
      kind: 'table',
      table: { caption: 'Gradients that differ, from the loss back (2)', omitted: 0 },
    });
    expect(JSON.stringify(overview[1])).toMatch(/"b".*Conv2DBackpropInput.*"different","different".*"a".*"suspicious"/);
  });

  it('says nothing of it where none was traced', () => {
    expect(triageDocument(report(null), 'Triage').overview).toEqual([]);
  });
});
