import * as tf from '@tensorflow/tfjs-core';
import { describeGolden, goldenJson, useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { LAYER_STEPS } from './layer-steps.js';
import { runScenario } from './run-scenario.js';
import type { Event, Mode, Result, Scenario } from './scenario.js';
import { SHIM_STEPS } from './shim-steps.js';
import { SLIM_STEPS } from './slim-steps.js';
import { VARIABLE_STEPS } from './variable-steps.js';

const KINDS = { ...VARIABLE_STEPS, ...SHIM_STEPS, ...LAYER_STEPS, ...SLIM_STEPS };

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

/** TensorFlow's words, which ours may go on from to name the scopes. */
const CONTINUED = ['Improper nesting of variable_scope.'];

function compareFailure(actual: Event | null | undefined, expected: Event | null | undefined): void {
  if (!expected) {
    expect(actual ?? null).toBeNull();
    return;
  }
  expect(actual).toMatchObject({ step: expected['step'], type: expected['type'] });
  if (expected['python_internal_text']) return;
  const message = String(actual?.['message']);
  if (CONTINUED.includes(expected['message'] as string))
    expect(message.startsWith(expected['message'] as string)).toBe(true);
  else expect(message).toBe(expected['message']);
}

/** `layer_name` is Keras's counter of layer objects, which names no variable; ours have none. */
function comparable(events: readonly Event[]): Event[] {
  return events.map(({ layer_name, ...event }) => event);
}

function compareResult(actual: Result, expected: Result): void {
  compareFailure(actual.error as unknown as Event, expected.error as unknown as Event);
  expect(comparable(actual.events)).toEqual(comparable(expected.events));
  const { events: _a, error: _b, ...facts } = actual;
  const {
    events: _c,
    error: _d,
    regularization_loss_names: _e,
    ...wanted
  } = expected as Result & {
    regularization_loss_names?: string[];
  };
  expect(facts).toEqual(wanted);
}

describeGolden('scopes.json', () => {
  beforeAll(() => useBackend('cpu'));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
  const { scenarios } = goldenJson<{ scenarios: Scenario[] }>('scopes.json');
  it('departs from TensorFlow where it says, and only there', () => {
    for (const [id, { modes, expected }] of Object.entries(DEPARTURES)) {
      const scenario = scenarios.find((each) => each.id === id) as Scenario;
      for (const mode of modes) expect(scenario.results[mode]).not.toMatchObject(expected);
    }
  });

  for (const scenario of scenarios) {
    for (const mode of Object.keys(scenario.results) as Mode[]) {
      it(`${scenario.id} (${mode}): ${scenario.description}`, () => {
        const departure = DEPARTURES[scenario.id];
        const golden = scenario.results[mode] as Result;
        const expected = departure?.modes.includes(mode) ? { ...golden, ...departure.expected } : golden;
        compareResult(runScenario(scenario, mode, KINDS), expected);
      });
    }
  }
});
