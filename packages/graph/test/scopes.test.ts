import type * as tf from '@tensorflow/tfjs-core';
import { describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { beforeAll, expect, it } from 'vitest';
import { compareResult } from '../../slim/test/scopes/compare-result.js';
import { runScenario } from '../../slim/test/scopes/run-scenario.js';
import type { Result, Scenario } from '../../slim/test/scopes/scenario.js';
import { STEP_KINDS } from '../../slim/test/scopes/step-kinds.js';
import { Graph, globalVariablesInitializer, localVariablesInitializer, Session } from '../src/index.js';

/** A recorded graph, whose values come from a session. */
function openGraph() {
  const graph = new Graph();
  const scope = graph.asDefault();
  const values = (tensors: readonly tf.Tensor[]): tf.Tensor[] => {
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
      const result = runScenario(scenario, 'graph', STEP_KINDS, openGraph);
      expect(result.events.length).toBe(golden.events.length);
      compareResult(result, golden);
    });
  }
});
