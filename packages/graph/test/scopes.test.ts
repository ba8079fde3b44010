import type * as tf from '@tensorflow/tfjs-core';
import { describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { GraphKeys, getCollection } from '@tfparity/variables';
import { beforeAll, expect, it } from 'vitest';
import { compareResult } from '../../slim/test/scopes/compare-result.js';
import { runScenario } from '../../slim/test/scopes/run-scenario.js';
import type { Result, Scenario } from '../../slim/test/scopes/scenario.js';
import { STEP_KINDS } from '../../slim/test/scopes/step-kinds.js';
import { Graph, globalVariablesInitializer, localVariablesInitializer, Session } from '../src/index.js';

/** A recorded graph, whose values come from a session; `lossNames` is told the names of its regularization losses. */
function openGraph(lossNames: string[]) {
  const graph = new Graph();
  const scope = graph.asDefault();
  const values = (tensors: readonly tf.Tensor[]): tf.Tensor[] => {
    const losses = getCollection<{ name: string }>(GraphKeys.REGULARIZATION_LOSSES);
    lossNames.splice(0, lossNames.length, ...losses.map(({ name }) => name));
    const initializers = [globalVariablesInitializer(), localVariablesInitializer()];
    using session = new Session(graph);
    for (const initializer of initializers) session.run(initializer);
    return tensors.map((tensor) => session.run(tensor) as tf.Tensor);
  };
  return { scope, values };
}

describeGolden('scopes.json', () => {
  beforeAll(() => useBackend('cpu'));
  for (const scenario of goldenJson<{ scenarios: Scenario[] }>('scopes.json').scenarios) {
    const golden: Result | undefined = scenario.results.graph;
    if (golden === undefined) continue;
    it(`${scenario.id} in a recorded graph: ${scenario.description}`, () => {
      const lossNames: string[] = [];
      const result = runScenario(scenario, 'graph', STEP_KINDS, () => openGraph(lossNames));
      expect(result.events.length).toBe(golden.events.length);
      compareResult(result, golden);
      // The last part is the op's: tfjs multiplies with `Multiply` what Python's operator multiplies with `mul`.
      const wanted = golden.regularization_loss_names ?? [];
      expect(lossNames).toHaveLength(wanted.length);
      wanted.forEach((name, i) => {
        expect(lossNames[i]?.startsWith(name.replace(/\/[a-z]+:0$|:0$/, '/'))).toBe(true);
      });
    });
  }
});
