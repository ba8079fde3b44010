import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  assertNoVariableCreations,
  catchAndRaiseCreatedVariables,
  EagerContext,
  formatVariable,
  getVariable,
  isVariablesError,
  pushContext,
  trackTf1StyleVariables,
  type VariablesError,
  variable,
  variableScope,
} from '../src/index.js';

const first = (inputs: tf.Tensor | tf.Tensor[]) => (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;

/** The guide's layer that makes new weights in each call. */
class BrokenScalingLayer extends tfl.layers.Layer {
  static className = 'BrokenScalingLayer';

  @trackTf1StyleVariables
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const scale = variable(2.0, { dtype: 'float32' });
    const bias = variable(2.0, { dtype: 'float32', name: 'bias' });
    return tf.add(tf.mul(first(inputs), scale), bias);
  }
}

/** The guide's repaired layer. */
class FixedScalingLayer extends tfl.layers.Layer {
  static className = 'FixedScalingLayer';
  private scale: tf.Variable | null = null;
  private bias: tf.Variable | null = null;

  @trackTf1StyleVariables
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    this.scale ??= variable(2.0, { dtype: 'float32' });
    this.bias ??= variable(2.0, { dtype: 'float32', name: 'bias' });
    return tf.add(tf.mul(first(inputs), this.scale), this.bias);
  }
}

/** A forward pass as a layer. */
class Forward extends tfl.layers.Layer {
  static className = 'GuardedForward';

  constructor(private readonly forward: (x: tf.Tensor) => tf.Tensor) {
    super({});
  }

  @trackTf1StyleVariables
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.forward(first(inputs));
  }
}

function errorOf(body: () => unknown): VariablesError {
  try {
    body();
  } catch (error) {
    if (isVariablesError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const causeOf = (error: VariablesError) => {
  const { created } = error.details as { created: { cause: string } | { cause: string }[] };
  return Array.isArray(created) ? created.map(({ cause }) => cause) : created.cause;
};

describe('the guards of the guide', () => {
  beforeAll(() => useBackend('cpu'));
  let context: Disposable;
  beforeEach(() => {
    context = pushContext(new EagerContext());
  });
  afterEach(() => context[Symbol.dispose]());
  const x = () => tf.ones([1, 3]);

  it('stops a broken layer at its first new variable, with the arguments and the place', () => {
    const model = new BrokenScalingLayer({});
    model.apply(x());
    const error = errorOf(() => assertNoVariableCreations(() => model.apply(x())));
    expect(error.code).toBe('ValueError');
    expect(error.message).toMatch(
      /^Attempted to create a new variable instead of reusing an existing one\. Args: \{'initial_value': /,
    );
    expect(error.message).toContain("'name': 'Variable', 'dtype': tf.float32");
    expect(error.message).toMatch(/Created at .*creation-guards\.test\.ts:\d+:\d+/);
    expect(error.message).toContain('explicit tf.variable call');
    expect(causeOf(error)).toBe('explicit-variable');
    const { created } = error.details as { created: { stack: string[] } };
    expect(created.stack.some((frame) => frame.includes('creation-guards.test.ts'))).toBe(true);
  });

  it('lists what a broken layer made, as the guide prints it', () => {
    const model = new BrokenScalingLayer({});
    model.apply(x());
    const error = errorOf(() => catchAndRaiseCreatedVariables(() => model.apply(x())));
    expect(error.message.split('\n')[0]).toBe(
      "('Created vars:', [<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=2.0>, " +
        "<tf.Variable 'bias:0' shape=() dtype=float32, numpy=2.0>])",
    );
    expect(error.details['names']).toEqual(['Variable', 'bias']);
  });

  it('lets the fixed layer pass, in both forms of both guards', () => {
    const model = new FixedScalingLayer({});
    model.apply(x());
    expect(model.weights).toHaveLength(2);
    assertNoVariableCreations(() => model.apply(x()));
    catchAndRaiseCreatedVariables(() => model.apply(x()));
    {
      using _ = assertNoVariableCreations();
      using __ = catchAndRaiseCreatedVariables();
      model.apply(x());
    }
    expect((model.apply(x()) as tf.Tensor).dataSync()[0]).toBe(4);
  });

  it.each<[string, string, (input: tf.Tensor) => tf.Tensor]>([
    ['explicit-variable', 'tf.variable', (input) => tf.mul(input, tf.variable(tf.scalar(2)))],
    ['layer-in-forward-pass', 'a tf.layers layer', (input) => tfl.layers.dense({ units: 1 }).apply(input) as tf.Tensor],
    [
      'unnamed-v1-layer',
      'a default name at the root',
      (input) =>
        variableScope(null, { defaultName: 'dense' }, () => tf.mul(input, getVariable('kernel', { shape: [3] }))),
    ],
  ])('names the cause %s of %s', (cause, _, forward) => {
    const model = new Forward(forward);
    model.apply(x());
    expect(causeOf(errorOf(() => assertNoVariableCreations(() => model.apply(x()))))).toBe(cause);
    expect(causeOf(errorOf(() => catchAndRaiseCreatedVariables(() => model.apply(x())))).slice(0, 1)).toEqual([cause]);
  });

  it('says that getVariable is used outside a decorated method', () => {
    const error = errorOf(() => assertNoVariableCreations(() => getVariable('w', { shape: [1] })));
    expect(causeOf(error)).toBe('outside-shim');
    expect(error.message).toContain('Decorate the method');
  });

  it('gives the error of the body first', () => {
    expect(() =>
      catchAndRaiseCreatedVariables(() => {
        variable(1);
        throw new Error('of the body');
      }),
    ).toThrow('of the body');
  });

  it('guards an async body until it settles', async () => {
    await expect(
      assertNoVariableCreations(async () => {
        await Promise.resolve();
        variable(1);
      }),
    ).rejects.toThrow(/^Attempted to create/);
    await expect(
      catchAndRaiseCreatedVariables(async () => {
        await Promise.resolve();
        variable(1);
      }),
    ).rejects.toThrow(/^\('Created vars:'/);
    expect(variable(1).shape).toEqual([]);
  });
});

describe('formatVariable', () => {
  beforeAll(() => useBackend('cpu'));

  // What TensorFlow 2.21 prints with numpy 2: repr(tf.Variable(values, name='v')).
  it.each<[string, () => tf.Tensor, string]>([
    [
      'a vector',
      () => tf.tensor1d([1, 2.5, -3]),
      'shape=(3,) dtype=float32, numpy=array([ 1. ,  2.5, -3. ], dtype=float32)',
    ],
    ['integers', () => tf.tensor1d([1, -20], 'int32'), 'shape=(2,) dtype=int32, numpy=array([  1, -20], dtype=int32)'],
    [
      'a matrix',
      () =>
        tf.tensor2d([
          [1, 2],
          [3, 4],
        ]),
      'shape=(2, 2) dtype=float32, numpy=\narray([[1., 2.],\n       [3., 4.]], dtype=float32)',
    ],
    [
      'small numbers',
      () => tf.tensor1d([1e-7, 1]),
      'shape=(2,) dtype=float32, numpy=array([1.e-07, 1.e+00], dtype=float32)',
    ],
    [
      'numbers far apart',
      () => tf.tensor1d([0.1, 1000, 0.333333333]),
      'shape=(3,) dtype=float32, numpy=array([1.0000000e-01, 1.0000000e+03, 3.3333334e-01], dtype=float32)',
    ],
    [
      'what is no number',
      () => tf.tensor1d([Number.NaN, 1, Number.POSITIVE_INFINITY]),
      'shape=(3,) dtype=float32, numpy=array([nan,  1., inf], dtype=float32)',
    ],
    ['nothing', () => tf.zeros([0]), 'shape=(0,) dtype=float32, numpy=array([], dtype=float32)'],
    ['truths', () => tf.tensor1d([true, false]), 'shape=(2,) dtype=bool, numpy=array([ True, False])'],
    ['a small scalar', () => tf.scalar(1e-5), 'shape=() dtype=float32, numpy=9.999999747378752e-06'],
    ['a great scalar', () => tf.scalar(123456789), 'shape=() dtype=float32, numpy=123456792.0'],
    [
      'three axes',
      () => tf.reshape(tf.range(0, 24), [2, 3, 4]),
      `shape=(2, 3, 4) dtype=float32, numpy=
array([[[ 0.,  1.,  2.,  3.],
        [ 4.,  5.,  6.,  7.],
        [ 8.,  9., 10., 11.]],

       [[12., 13., 14., 15.],
        [16., 17., 18., 19.],
        [20., 21., 22., 23.]]], dtype=float32)`,
    ],
    [
      'many numbers',
      () => tf.range(0, 2000, 1),
      `shape=(2000,) dtype=float32, numpy=
array([0.000e+00, 1.000e+00, 2.000e+00, ..., 1.997e+03, 1.998e+03,
       1.999e+03], shape=(2000,), dtype=float32)`,
    ],
  ])('prints %s as TensorFlow does', (_, value, expected) => {
    const v = variable(value(), { name: 'v' });
    expect(formatVariable(v)).toBe(`<tf.Variable 'v:0' ${expected}>`);
    v.dispose();
  });
});
