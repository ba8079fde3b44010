import { expect } from 'vitest';
import type { Event, Result } from './scenario.js';

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

/** Fails where a result is not the expected one; names of loss tensors are the graph's own business. */
export function compareResult(actual: Result, expected: Result): void {
  compareFailure(actual.error as unknown as Event, expected.error as unknown as Event);
  expect(comparable(actual.events)).toEqual(comparable(expected.events));
  const { events: _a, error: _b, ...facts } = actual;
  const { events: _c, error: _d, regularization_loss_names: _e, ...wanted } = expected;
  expect(facts).toEqual(wanted);
}
