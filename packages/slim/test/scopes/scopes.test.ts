import * as tf from '@tensorflow/tfjs-core';
import { describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { compareResult } from './compare-result.js';
import { runScenario } from './run-scenario.js';
import type { Mode, Result, Scenario } from './scenario.js';
import { STEP_KINDS } from './step-kinds.js';

interface Departure {
  readonly modes: readonly Mode[];
  readonly reason: string;
  readonly expected: Partial<Result>;
}

const NEEDS_SHAPE =
  'The initializer passed is not valid. It should be a callable with no arguments and the shape should not be provided ' +
  "or an instance of `tf.keras.initializers.*' and `shape` should be fully defined.";

/**
 * The scenarios in which this project departs from TensorFlow on purpose, with what it gives instead; nothing else is
 * let pass. Each is a fix of a trap that TensorFlow's shim holds.
 */
const DEPARTURES: Readonly<Record<string, Departure>> = {
  shim_nested_self: {
    modes: ['shim'],
    reason: 'TensorFlow counts the losses of an inner decorated method of the same object twice',
    expected: { losses: [2, 1] },
  },
  err_partial_shape: {
    modes: ['shim'],
    reason: 'the shim fails with a Python TypeError inside the initializer where a graph says what is wrong',
    expected: { error: { step: 0, type: 'ValueError', message: NEEDS_SHAPE } },
  },
  err_noshape_init_needs_shape: {
    modes: ['shim'],
    reason: 'the shim fails with a Python TypeError inside the initializer where a graph says what is wrong',
    expected: { error: { step: 0, type: 'ValueError', message: NEEDS_SHAPE } },
  },
  slim_end_points_pool: {
    modes: ['shim', 'eager'],
    reason: 'eager name scopes of slim are None, so that pools and flatten fail when they should be collected',
    expected: {
      error: null,
      events: [
        { step: 0, scope: 'net', original_name_scope: 'net/', reuse: 'AUTO_REUSE' },
        { step: 1, output_shape: [2, 4, 4, 3], created: [] },
        { step: 2, output_shape: [2, 4, 4, 3], created: [] },
        { step: 3, output_shape: [2, 192], created: [] },
        { step: 5, end_points: ['net/p1', 'net/MaxPool2D', 'net/Flatten'] },
      ],
    },
  },
};

describeGolden('scopes.json', () => {
  beforeAll(() => useBackend('cpu'));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
  const { scenarios } = goldenJson<{ scenarios: Scenario[] }>('scopes.json');
  it('departs from TensorFlow where it says, and only there', () => {
    for (const [id, { modes, expected }] of Object.entries(DEPARTURES)) {
      // Other golden data may have other scenarios.
      const results = scenarios.find((each) => each.id === id)?.results ?? {};
      for (const mode of modes) if (results[mode] !== undefined) expect(results[mode]).not.toMatchObject(expected);
    }
  });

  for (const scenario of scenarios) {
    for (const mode of Object.keys(scenario.results) as Mode[]) {
      it(`${scenario.id} (${mode}): ${scenario.description}`, () => {
        const departure = DEPARTURES[scenario.id];
        const golden = scenario.results[mode] as Result;
        const expected = departure?.modes.includes(mode) ? { ...golden, ...departure.expected } : golden;
        compareResult(runScenario(scenario, mode, STEP_KINDS), expected);
      });
    }
  }
});
