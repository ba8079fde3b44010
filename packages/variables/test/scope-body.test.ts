import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  assertNoVariableCreations,
  assign,
  catchAndRaiseCreatedVariables,
  currentContext,
  EagerContext,
  getVariable,
  getVariableScope,
  globalVariables,
  nameScope,
  pushContext,
  VariablesError,
  variable,
  variableCreatorScope,
  variableScope,
} from '../src/index.js';

beforeAll(() => useBackend('cpu'));

describe('the two forms of a scope', () => {
  let context: Disposable;
  beforeEach(() => {
    context = pushContext(new EagerContext());
  });
  afterEach(() => context[Symbol.dispose]());

  it('closes at the end of the block, and with the body however it ends', () => {
    {
      using a = variableScope('a');
      expect(getVariableScope()).toBe(a);
    }
    expect(getVariableScope().name).toBe('');
    expect(variableScope('a', (scope) => scope.name)).toBe('a');
    expect(() =>
      variableScope('a', () => {
        throw new Error('of the body');
      }),
    ).toThrow('of the body');
    expect(getVariableScope().name).toBe('');
    expect(nameScope('n', (name) => name)).toBe('n/');
  });

  it('stays open until a promise settles', async () => {
    const names: string[] = [];
    const done = variableScope('a', async () => {
      await Promise.resolve();
      names.push(getVariableScope().name);
      return 3;
    });
    expect(getVariableScope().name).toBe('a');
    expect(await done).toBe(3);
    expect(names).toEqual(['a']);
    expect(getVariableScope().name).toBe('');
    await expect(
      nameScope('n', async () => {
        throw new Error('later');
      }),
    ).rejects.toThrow('later');
    expect(nameScope('m').name).toBe('m/');
  });

  it('names both scopes that close out of order, and leaves them as they were', () => {
    const outer = variableScope('outer');
    const inner = variableScope('inner');
    expect(() => outer[Symbol.dispose]()).toThrow(
      "Improper nesting of variable_scope. 'outer' was closed, but 'outer/inner', opened inside it, is still open.",
    );
    expect(getVariableScope()).toBe(inner);
    inner[Symbol.dispose]();
    outer[Symbol.dispose]();
    expect(() => outer[Symbol.dispose]()).toThrow(/is not open/);
    expect(() => getVariableScope()[Symbol.dispose]()).toThrow(/is not open/);
  });

  it('refuses async bodies that interleave, naming both', async () => {
    let finish = () => {};
    const first = variableScope('first', () => new Promise<void>((resolve) => (finish = resolve)));
    const second = variableScope('second');
    finish();
    await expect(first).rejects.toThrow("'first' was closed, but 'first/second', opened inside it, is still open.");
    second[Symbol.dispose]();
    getVariableScope()[Symbol.dispose]();
    expect(getVariableScope().name).toBe('');
  });

  it('keeps the error of the body, and closes what it left open, of every kind', async () => {
    const left: Disposable[] = [];
    const fail = () => {
      left.push(
        variableScope('left open'),
        nameScope('name'),
        variableCreatorScope((next, options) => next(options)),
      );
      left.push(pushContext(new EagerContext()));
      throw new Error('of the body');
    };
    const outside = currentContext();
    for (const run of [
      () => variableScope('outer', fail),
      () => nameScope('outer', fail),
      () => variableCreatorScope((next, options) => next(options), fail),
      () => assertNoVariableCreations(fail),
      () => catchAndRaiseCreatedVariables(fail),
    ]) {
      expect(run).toThrow('of the body');
      expect(currentContext()).toBe(outside);
      expect(getVariableScope().name).toBe('');
      expect(outside.creators).toEqual([]);
      expect(() => left.at(-1)?.[Symbol.dispose]()).toThrow(/is not open/);
      expect(() => left[0]?.[Symbol.dispose]()).toThrow(/is not open/);
    }
    await expect(variableScope('later', async () => fail())).rejects.toThrow('of the body');
    expect(getVariableScope().name).toBe('');
    // The scopes around the one that failed stay.
    variableScope('around', () => {
      expect(() => variableScope('outer', fail)).toThrow('of the body');
      expect(getVariableScope().name).toBe('around');
    });
  });
});

describe('values that variables are given', () => {
  it('have the shape that was asked for, unless validateShape is false', () => {
    const wrong = (_: number[]) => tf.ones([3]);
    const before = tf.memory().numTensors;
    expect(() => getVariable('w', { shape: [2, 2], initializer: wrong })).toThrow(
      "In this `tf.Variable` creation, the initial value's shape ((3,)) is not compatible with the explicitly supplied `shape` argument ((2, 2)).",
    );
    const text = (_: number[]) => 3 as unknown as tf.Tensor;
    expect(() => getVariable('w', { shape: [], initializer: text })).toThrow(VariablesError);
    expect(tf.memory().numTensors).toBe(before);
    const made = getVariable('w', { shape: [2, 2], initializer: wrong, validateShape: false });
    expect(made.shape).toEqual([3]);
    made.dispose();
  });

  it('leave no tensor behind', () => {
    const before = tf.memory().numTensors;
    const made = variable([1, 2]);
    expect([made.shape, made.dtype]).toEqual([[2], 'float32']);
    assign(made, [3, 4]);
    expect(() => assign(made, [1, 2, 3])).toThrow();
    expect([...made.dataSync()]).toEqual([3, 4]);
    expect(tf.memory().numTensors).toBe(before + 1);
    made.dispose();
    for (const [value, dtype, shape] of [
      [true, 'bool', []],
      [[['a']], 'string', [1, 1]],
      [new Int32Array(2), 'int32', [2]],
      [[[1, 2, 3]], 'float32', [1, 3]],
    ] as const) {
      const other = variable(value as tf.TensorLike);
      expect([other.dtype, other.shape]).toEqual([dtype, shape]);
      other.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('creator scopes and the engine', () => {
  it('see tf.variable, tensor.variable, layer weights and variables of this package', () => {
    const seen: (string | undefined)[] = [];
    const scope = variableCreatorScope((next, options) => {
      seen.push(`${options.origin}:${options.name}`);
      return next(options);
    });
    tf.variable(tf.scalar(1), true, 'engine_named').dispose();
    tf.scalar(1).variable(true, 'from_tensor').dispose();
    variable(1, { name: 'ours' }).dispose();
    getVariable('got', { shape: [1] }).dispose();
    const dense = tfl.layers.dense({ units: 1, inputShape: [1], name: 'seen_dense' });
    dense.apply(tf.ones([1, 1]));
    scope[Symbol.dispose]();
    expect(seen).toEqual([
      'engine:engine_named',
      'engine:from_tensor',
      'variable:ours',
      'getVariable:got',
      'engine:seen_dense/kernel',
      'engine:seen_dense/bias',
    ]);
    tf.variable(tf.scalar(1)).dispose();
    expect(seen).toHaveLength(6);
    dense.dispose();
  });

  it("leave tfjs's own function in place when they are closed", () => {
    const engine = tf.engine();
    expect(Object.hasOwn(engine, 'makeVariable')).toBe(false);
    variableCreatorScope(
      (next, options) => next(options),
      () => expect(Object.hasOwn(engine, 'makeVariable')).toBe(true),
    );
    expect(Object.hasOwn(engine, 'makeVariable')).toBe(false);
    const twice = () => tf.variable(tf.scalar(1), true, 'registered twice');
    const first = twice();
    expect(twice).toThrow('Variable with name registered twice was already registered');
    first.dispose();
  });

  it('see a second variable of a name that the engine has, made before or inside', () => {
    const make = () => tf.variable(tf.scalar(1), true, 'bias');
    const first = make();
    expect(() => assertNoVariableCreations(make)).toThrow('Attempted to create a new variable');
    const made: tf.Variable[] = [];
    expect(() => catchAndRaiseCreatedVariables(() => made.push(make(), make()))).toThrow("('Created vars:'");
    expect(made.map(({ name }) => name)).toEqual(['bias', 'bias']);
    for (const one of [first, ...made]) one.dispose();
    expect(Object.keys(tf.engine().registeredVariables).filter((key) => key.startsWith('bias'))).toEqual([]);
  });

  it('let a creator return another variable', () => {
    const other = variable(5);
    const got = variableCreatorScope(
      () => other,
      () => getVariable('anything', { shape: [3] }),
    );
    expect(got).toBe(other);
  });
});

describe('plain eager code', () => {
  it('makes a new variable each time, with equal names', () => {
    const a = getVariable('same', { shape: [1] });
    const b = getVariable('same', { shape: [1] });
    expect(a).not.toBe(b);
    expect([a.name, b.name]).toEqual(['same', 'same']);
    a.dispose();
    expect(b.dataSync()).toHaveLength(1);
    expect(getVariable('same', { shape: [1] }).name).toBe('same');
    expect(globalVariables()).toEqual([]);
  });

  it('keeps its variables through a tidy, and nothing else', () => {
    const before = tf.memory().numTensors;
    const v = tf.tidy(() => getVariable('kept', { shape: [2] }));
    expect(v.isDisposed).toBe(false);
    expect(tf.memory().numTensors).toBe(before + 1);
    const constant = getVariable('function', { initializer: () => tf.ones([2]) });
    expect(tf.memory().numTensors).toBe(before + 2);
    v.dispose();
    constant.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('trains two variables of one name with one optimizer', () => {
    const make = () => getVariable('twin', { shape: [], initializer: () => tf.scalar(1) });
    const [a, b] = [getVariable('twin', { initializer: 1.5 }), getVariable('twin', { initializer: 2.5 })];
    expect(make).toThrow(/takes no arguments/);
    const optimizer = tf.train.sgd(0.1);
    optimizer.minimize(() => tf.add(tf.mul(a, 1), tf.mul(b, 10)) as tf.Scalar, false, [a, b]);
    expect(a.dataSync()[0]).toBeCloseTo(1.4);
    expect(b.dataSync()[0]).toBeCloseTo(1.5);
    expect(b.name).toBe('twin');
  });
});
