// golden/gradients.json: TF1's gradients of ops where formulas part (zeros, ties, ends of ranges, infinities, NaN).
import * as tf from '@tensorflow/tfjs-core';
import { Graph, placeholder, Session } from '@tfparity/graph';
import { backends, describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { variable } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Gradient, gradients, IndexedSlices, variableGrads } from '../src/index.js';
import { floatsOf, tensorOf, valuesOf } from './golden-optimizer.js';
import { differenceOf, type GradientCase, OPS } from './gradient-cases.js';

/** Elementary functions of three libraries, and a product or two of them. */
const ROUNDING = 2e-6;

/** Rows made dense, as TensorFlow's golden has them. */
function denseOf(gradient: Gradient): tf.Tensor | null {
  if (!(gradient instanceof IndexedSlices)) return gradient;
  const { values, indices, denseShape } = gradient;
  return tf.unsortedSegmentSum(values, indices as tf.Tensor1D, denseShape[0]!);
}

function expectGradients(c: GradientCase, found: readonly (tf.Tensor | null)[]): void {
  for (const [i, expected] of c.gradients.entries()) {
    const gradient = found[i]!;
    if (expected === null) expect(gradient, `${c.name}: no gradient`).toBeNull();
    else {
      expect(gradient?.shape, c.name).toEqual(expected.shape);
      const [values, floats] = [valuesOf(gradient!), floatsOf(expected)];
      const message = `${c.name}: [${Array.from(values)}] is not [${floats}]`;
      expect(differenceOf(c, values, floats), message).toBeLessThanOrEqual(ROUNDING);
    }
  }
}

describeGolden('gradients.json', () => {
  const { cases } = goldenJson<{ cases: GradientCase[] }>('gradients.json');
  const ysOf = (c: GradientCase, xs: tf.Tensor[]) => [OPS[c.op]!(xs, c.attrs as never)].flat();

  describe.each(backends)('%s', (backend) => {
    beforeAll(() => useBackend(backend));

    it.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
      const xs = c.inputs.map((x) => variable(tensorOf(x), { name: 'x' }));
      const loss = () => {
        const ys = ysOf(c, xs);
        return tf.addN(c.dys.map((dy, i) => tf.sum(tf.mul(ys[i]!, tensorOf(dy))))) as tf.Scalar;
      };
      const found = variableGrads(loss, xs).gradients.map(([gradient]) => denseOf(gradient));
      expectGradients(c, found);
      for (const x of xs) x.dispose();
    });
  });

  const engines = [
    ...backends.map((backend) => [backend, 'replay'] as const),
    ...backends.filter((backend) => backend === 'tensorflow').map((backend) => [backend, 'tensorflow'] as const),
  ];

  it.each(engines)('of a graph on %s by the engine %s', async (backend, engine) => {
    await useBackend(backend);
    const inputs = cases.map((c) => c.inputs.map(tensorOf));
    const graph = new Graph();
    using _ = graph.asDefault();
    const feeds = new Map<tf.Tensor, tf.Tensor>();
    const wanted = cases.map((c, at) => {
      const xs = c.inputs.map((x) => placeholder('float32', x.shape));
      for (const [i, x] of xs.entries()) feeds.set(x, inputs[at]![i]!);
      const ys = ysOf(c, xs).slice(0, c.dys.length);
      return gradients(ys, xs, { gradYs: c.dys.map(tensorOf) }) as (tf.Tensor | null)[];
    });
    using session = new Session(graph, { engine });
    const fetches = wanted.flat().filter((gradient) => gradient !== null);
    const values = session.run(fetches, feeds) as tf.Tensor[];
    for (const [i, c] of cases.entries()) {
      expectGradients(
        c,
        wanted[i]!.map((gradient) => (gradient === null ? null : values[fetches.indexOf(gradient)]!)),
      );
    }
  });
});
