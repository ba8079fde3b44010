import * as tf from '@tensorflow/tfjs-core';
import { isLayersError } from '@tfparity/layers';
import { backends, useBackend } from '@tfparity/testing';
import { GraphKeys, GraphRulesContext, getCollection, pushContext, variableScope } from '@tfparity/variables';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as slim from '../src/index.js';

// The numbers and messages are those of tf_slim 1.1.0 with TensorFlow 2.21; the Python call stands beside each.

describe.each(backends)('small functions of slim on %s', (backend) => {
  let context: Disposable;
  beforeAll(() => useBackend(backend));
  beforeEach(() => {
    tf.engine().startScope();
    context = pushContext(new GraphRulesContext());
  });
  afterEach(() => {
    context[Symbol.dispose]();
    tf.engine().endScope();
  });

  const weights = () =>
    tf.tensor2d([
      [1, -2],
      [3, 0.5],
    ]);
  const value = (loss: tf.Tensor | null | undefined) => loss?.dataSync()[0];

  it('regularizers', () => {
    // l1_regularizer(0.1)(w); l1_regularizer(0.)(w)
    expect(value(slim.l1Regularizer(0.1)(weights()))).toBeCloseTo(0.65, 6);
    expect(slim.l1Regularizer(0)(weights())).toBeNull();
    // l1_l2_regularizer(0.1, 0.5)(w); l1_l2_regularizer(0., 0.5)(w)
    expect(value(slim.l1l2Regularizer(0.1, 0.5)?.(weights()))).toBeCloseTo(4.2125, 6);
    expect(value(slim.l1l2Regularizer(0, 0.5)?.(weights()))).toBe(3.5625);
    // sum_regularizer([l1_regularizer(0.1), None, l2_regularizer(0.25)])(w); sum_regularizer([None])
    const sum = slim.sumRegularizer([slim.l1Regularizer(0.1), null, slim.l2Regularizer(0.25)]);
    expect(value(sum?.(weights()))).toBeCloseTo(2.43125, 6);
    expect(slim.sumRegularizer([null])).toBeNull();
    // l1_regularizer(-1.)
    expect(() => slim.l1Regularizer(-1)).toThrow('Setting a scale less than 0 on a regularizer: -1');
  });

  it('applyRegularization', () => {
    // apply_regularization(l2_regularizer(0.5), [w, tf.constant([2., 2.])])
    const penalty = slim.applyRegularization(slim.l2Regularizer(0.5), [weights(), tf.tensor1d([2, 2])]);
    expect(value(penalty)).toBe(5.5625);
    expect(getCollection(GraphKeys.REGULARIZATION_LOSSES)).toEqual([penalty]);
    expect(() => slim.applyRegularization(slim.l2Regularizer(0.5), [])).toThrow('No weights to regularize.');
    expect(() => slim.applyRegularization((x) => x, [weights()])).toThrow(
      'regularizer must return a scalar Tensor instead of a Tensor with rank 2.',
    );
  });

  it('oneHotEncoding', () => {
    // one_hot_encoding([2, 0, 3], 3)
    const encoded = slim.oneHotEncoding([2, 0, 3], 3);
    expect(encoded.dtype).toBe('float32');
    expect(encoded.arraySync()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
      [0, 0, 0],
    ]);
    // one_hot_encoding([2, 0], 3, on_value=5., off_value=-1.)
    expect(slim.oneHotEncoding([2, 0], 3, { onValue: 5, offValue: -1 }).arraySync()).toEqual([
      [-1, -1, 5],
      [5, -1, -1],
    ]);
  });

  it('getVariablesToRestore and getUniqueVariable', () => {
    variableScope('a', () => {
      slim.variable('w', { shape: [1] });
      slim.variable('wx', { shape: [1] });
      slim.modelVariable('m', { shape: [1] });
    });
    variableScope('ab', () => slim.variable('w', { shape: [1] }));
    variableScope('c', () => {
      slim.variable('w', { shape: [1] });
      slim.variable('u_long', { shape: [1] });
    });
    const restored = (...args: Parameters<typeof slim.getVariablesToRestore>) =>
      slim.getVariablesToRestore(...args).map(({ name }) => name);
    // get_variables_to_restore(include, exclude)
    expect(restored()).toEqual(['a/w', 'a/wx', 'a/m', 'ab/w', 'c/w', 'c/u_long']);
    expect(restored(['a/'])).toEqual(['a/w', 'a/wx', 'a/m']);
    expect(restored(null, ['a'])).toEqual(['c/w', 'c/u_long']);
    expect(restored(['a', 'c'], ['ab', 'c/u'])).toEqual(['a/w', 'a/wx', 'a/m', 'c/w']);
    expect(restored([])).toEqual([]);
    expect(restored(['c', 'a/w'])).toEqual(['c/w', 'c/u_long', 'a/w', 'a/wx']);
    expect(() => restored('a' as unknown as string[])).toThrow('include is provided but is not a list or a tuple.');
    // get_unique_variable('a/w'), of which 'a/wx' is no other; 'nope'; 'c/u'
    expect(slim.getUniqueVariable('a/w').name).toBe('a/w');
    expect(() => slim.getUniqueVariable('nope')).toThrow("Couldn't find variable nope");
    expect(() => slim.getUniqueVariable('c/u')).toThrow('Variable c/u does not uniquely identify a variable');
  });

  it('getTensorAliases', () => {
    const tensor = tf.ones([2, 2]);
    // collect_named_outputs('e', 'first', t); collect_named_outputs('e', 'second/', t)
    slim.collectNamedOutputs('e', 'first', tensor);
    slim.collectNamedOutputs('e', 'second/', tensor);
    expect(slim.getTensorAliases(tensor)).toEqual(['first', 'second']);
    expect([...slim.convertCollectionToDict('e').keys()]).toEqual(['first', 'second']);
    const other = tf.ones([1]);
    // TensorFlow gives the op's name here; an eager tensor has none.
    expect(slim.getTensorAliases(other)).toEqual([`tensor_${other.id}`]);
  });

  it('refuses windows that do not fit', () => {
    const x = tf.ones([1, 2, 2, 1]);
    for (const layer of [
      () => slim.conv2d(x, 1, [5, 5], { padding: 'VALID' }),
      () => slim.conv2dInPlane(x, 5, { padding: 'VALID' }),
      () => slim.separableConv2d(x, null, [5, 5], { padding: 'VALID' }),
      () => slim.maxPool2d(x, 5),
    ]) {
      let caught: unknown;
      try {
        layer();
      } catch (error) {
        caught = error;
      }
      expect(isLayersError(caught)).toBe(true);
      expect(String(caught)).toContain('Negative dimension size caused by subtracting 5 from 2');
    }
  });
});
