import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  addToCollection,
  addToCollections,
  clearCollection,
  GraphKeys,
  GraphRulesContext,
  getCollection,
  getCollectionRef,
  getLocalVariable,
  getRegularizationLosses,
  getVariable,
  getVariableScope,
  globalVariables,
  isPartitionedVariable,
  localVariables,
  Module,
  makeTemplate,
  nameScope,
  pushContext,
  regularizationLoss,
  trackTf1StyleVariables,
  trainableVariables,
  VariablesError,
  variable,
  variableScope,
} from '../src/index.js';

beforeAll(() => useBackend('cpu'));

describe("a context with TF1's rules", () => {
  let context: Disposable;
  beforeEach(() => {
    context = pushContext(new GraphRulesContext());
  });
  afterEach(() => context[Symbol.dispose]());
  const names = (variables: readonly tf.Variable[]) => variables.map(({ name }) => name);

  it('keeps collections', () => {
    getVariable('a', { shape: [1] });
    getVariable('frozen', { shape: [1], trainable: false });
    getLocalVariable('local', { shape: [1] });
    getVariable('own', { shape: [1], collections: ['mine'] });
    variable(1, { name: 'plain' });
    expect(names(globalVariables())).toEqual(['a', 'frozen', 'plain']);
    expect(names(trainableVariables())).toEqual(['a', 'own', 'plain']);
    expect(names(localVariables())).toEqual(['local']);
    expect(names(getCollection('mine'))).toEqual(['own']);
    expect(names(globalVariables('f'))).toEqual(['frozen']);
    addToCollections([GraphKeys.LOSSES, GraphKeys.LOSSES, 'more'], 1);
    addToCollection('more', 2);
    expect(getCollection(GraphKeys.LOSSES)).toEqual([1]);
    getCollectionRef('more').push(3);
    expect(getCollection('more')).toEqual([1, 2, 3]);
    clearCollection('more');
    expect(getCollection('more')).toEqual([]);
  });

  it('adds regularization losses once, and none for null', () => {
    const regularizer = (v: tf.Tensor) => tf.sum(v);
    const initializer = (shape: number[]) => tf.ones(shape);
    variableScope('s', { reuse: 'AUTO_REUSE', regularizer, initializer }, () => {
      getVariable('w', { shape: [3] });
      getVariable('w', { shape: [3] });
      getVariable('n', { shape: [3], regularizer: () => null });
    });
    expect(getRegularizationLosses().map((loss) => loss.dataSync()[0])).toEqual([3]);
  });

  it('cuts partitioned variables into slices', () => {
    const partitioner = (shape: readonly number[]) => shape.map((_, axis) => (axis === 0 ? 2 : 1));
    const got: unknown = getVariable('p', { shape: [5, 2], partitioner, initializer: (s) => tf.ones(s) });
    if (!isPartitionedVariable(got)) throw new Error('not partitioned');
    expect(names(got.parts)).toEqual(['p/part_0', 'p/part_1']);
    expect(got.parts.map(({ shape }) => shape)).toEqual([
      [3, 2],
      [2, 2],
    ]);
    expect(got.asTensor().shape).toEqual([5, 2]);
    expect(names(globalVariables())).toEqual(['p/part_0', 'p/part_1']);
    const whole = tf.tensor1d([1, 2, 3]);
    const constant: unknown = getVariable('c', { initializer: whole, partitioner });
    if (!isPartitionedVariable(constant)) throw new Error('not partitioned');
    expect([...constant.asTensor().dataSync()]).toEqual([1, 2, 3]);
  });

  it('says of partitioned variables what TensorFlow says', () => {
    const partitioner = (shape: readonly number[]) => shape.map((_, axis) => (axis === 0 ? 2 : 1));
    const p = getVariable('p', { shape: [5, 2], partitioner });
    getVariable('q', { shape: [2] });
    expect(() => getVariable('p', { shape: [5, 2] })).toThrow(
      'No partitioner was provided, but a partitioned version of the variable was found: p/part_0. ' +
        'Perhaps a variable of the same name was already created with partitioning?',
    );
    expect(() => getVariable('q', { shape: [2], partitioner })).toThrow(
      'A partitioner was provided, but an unpartitioned version of the variable was found: q.  ' +
        'Perhaps a variable of the same name was already created without partitioning?',
    );
    const wrong = (partitions: number[]) => () => getVariable('r', { shape: [2, 2], partitioner: () => partitions });
    expect(wrong([2, 2])).toThrow('Can only slice a variable along one dimension: shape: (2, 2), partitioning: [2, 2]');
    expect(wrong([2])).toThrow(
      "Partitioner returned a partition list that does not match the Variable's rank: [2] vs. (2, 2)",
    );
    expect(wrong([0, 1])).toThrow('Partitioner returned zero partitions for some axes: [0, 1]');
    expect(() => getVariable('p', { shape: [5, 2], partitioner })).toThrow(
      'Partitioned variable with name p already exists. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?',
    );
    expect(() => getVariable('r', { shape: [null, 2], partitioner })).toThrow(
      'Shape of a new partitioned variable must be fully defined, but instead was (None, 2).',
    );
    variableScope('', { reuse: true, partitioner }, () => {
      expect(() => getVariable('x', { shape: [4] })).toThrow(/^PartitionedVariable x does not exist/);
    });
    getVariableScope().reuseVariables();
    expect(getVariable('p', { shape: [5, 2], partitioner })).toBe(p);
    expect(() => getVariable('p', { shape: [6, 2], partitioner })).toThrow(
      'Trying to reuse partitioned variable p, but specified shape (6, 2) and found shape (5, 2).',
    );
  });

  it('lets a template find its variables, and only those', () => {
    const template = makeTemplate('net', (name: string) => getVariable(name, { shape: [1] }));
    expect(template('w')).toBe(template('w'));
    expect(template('w').name).toBe('net/w');
    expect(template.variableScope?.name).toBe('net');
    expect(() => template('other')).toThrow(/^Variable net\/other does not exist/);
  });

  it('makes names unique without regard to case, and checks them', () => {
    expect(nameScope('a', (name) => name)).toBe('a/');
    expect(nameScope('A', (name) => name)).toBe('A_1/');
    expect(() => nameScope('_a')).toThrow(/^'_a' is not a valid root scope name\./);
    using _ = nameScope('b');
    expect(() => nameScope('a b')).toThrow(/^'a b' is not a valid scope name\./);
  });

  it('is left when it is popped, in order', () => {
    const inner = new GraphRulesContext();
    const opened = pushContext(inner);
    const v = getVariable('v', { shape: [1] });
    expect(() => context[Symbol.dispose]()).toThrow(/^Improper nesting of context\./);
    opened[Symbol.dispose]();
    expect(globalVariables()).toEqual([]);
    using _ = pushContext(inner);
    expect(globalVariables()).toEqual([v]);
  });
});

it('refuses partitioners outside a graph', () => {
  expect(() => getVariable('p', { shape: [4], partitioner: () => [2] })).toThrow(
    /^`partitioner` arg for `get_variable` is unsupported in TF2\./,
  );
});

it.each<[string, () => unknown]>([
  ['a number as a method', () => trackTf1StyleVariables(5 as never)],
  ['nothing as a method', () => trackTf1StyleVariables(undefined as never)],
  ['unknown options', () => trackTf1StyleVariables({ strickt: true } as never)],
  ['a Module as a method', () => trackTf1StyleVariables(new (class extends Module {})() as never)],
  ['the losses of an object', () => regularizationLoss({} as never)],
  ['the losses of null', () => regularizationLoss(null as never)],
  ['the losses of a Module', () => regularizationLoss(new (class extends Module {})() as never)],
])('refuses %s', (_, run) => {
  expect(run).toThrow(VariablesError);
  expect(run).toThrow(expect.objectContaining({ code: 'TypeError' }));
});
