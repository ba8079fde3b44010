// tf.customGrad in a graph: the function's own gradient, as in eager code and as tf.custom_gradient has it.
import * as tf from '@tensorflow/tfjs-core';
import { Graph, globalVariablesInitializer, Session } from '@tfparity/graph';
import { useBackend } from '@tfparity/testing';
import { getVariable, variable } from '@tfparity/variables';
import { beforeAll, expect, it } from 'vitest';
import { type Gradient, gradients, variableGrads } from '../src/index.js';
import { valuesOf } from './golden-optimizer.js';

beforeAll(() => useBackend('cpu'));

type Body = (x: tf.Tensor, save: tf.GradSaveFunc) => { value: tf.Tensor; gradFunc: CustomGradient };
type CustomGradient = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

const custom = (body: Body) => tf.customGrad(body as never) as (x: tf.Tensor) => tf.Tensor;

/** Square, whose gradient is a hundred times what is saved. */
const scaled = custom((x, save) => {
  save([tf.add(x, 1)]);
  return { value: tf.square(x), gradFunc: (dy, saved) => [tf.mul(dy, tf.mul(saved[0]!, 100))] };
});
/** The input itself, with its gradient reversed. */
const reversed = custom((x) => ({ value: tf.clone(x), gradFunc: (dy) => tf.neg(dy) }));
const outer = custom((x) => ({ value: tf.mul(scaled(x), 3), gradFunc: (dy) => tf.mul(dy, 7) }));

const LOSSES: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  'a gradient of its own': (x) => tf.mul(scaled(x), x),
  'the input as the value': (x) => tf.square(reversed(x)),
  'one inside another': (x) => tf.add(outer(x), scaled(tf.square(x))),
  'twice, and beside': (x) => tf.add(tf.add(reversed(reversed(x)), reversed(x)), x),
};

it.each(Object.entries(LOSSES))('%s', (_, f) => {
  const w = variable(tf.tensor1d([1, 2]), { name: 'w' });
  const loss = (x: tf.Tensor) => tf.sum(f(x)) as tf.Scalar;
  const [eager] = variableGrads(() => loss(w), [w]).gradients[0]! as readonly [Gradient, tf.Variable];
  const graph = new Graph();
  using _graph = graph.asDefault();
  const recorded = getVariable('w', { initializer: () => tf.tensor1d([1, 2]) });
  const [gradient] = gradients(loss(recorded), [recorded]);
  using session = new Session(graph, { engine: 'replay' });
  session.run(globalVariablesInitializer());
  expect(Array.from(valuesOf(session.run(gradient as tf.Tensor)))).toEqual(Array.from(valuesOf(eager as tf.Tensor)));
});

it('leaves the gradient of a variable that is read inside and outside', () => {
  const graph = new Graph();
  using _graph = graph.asDefault();
  const w = getVariable('w', { initializer: () => tf.scalar(3) });
  const x = getVariable('x', { initializer: () => tf.scalar(5) });
  const y = custom((input) => ({ value: tf.mul(input, w), gradFunc: (dy) => tf.mul(dy, 10) }))(x);
  // The function says nothing of w, which it does not take.
  const [dw, dx] = gradients(tf.add(y, tf.square(w)), [w, x]);
  using session = new Session(graph, { engine: 'replay' });
  session.run(globalVariablesInitializer());
  const found = session.run([dw, dx] as tf.Tensor[]) as tf.Tensor[];
  expect(found.map((gradient) => valuesOf(gradient)[0])).toEqual([6, 10]);
});

it('refuses a gradient for another number of inputs', () => {
  const graph = new Graph();
  using _graph = graph.asDefault();
  const x = getVariable('x', { initializer: () => tf.scalar(5) });
  const y = custom((input) => ({ value: tf.square(input), gradFunc: (dy) => [dy, dy] }))(x);
  expect(() => gradients(y, [x])).toThrow('the same number of tensors as inputs');
});
