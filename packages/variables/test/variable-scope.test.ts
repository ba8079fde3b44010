// Ports VariableScopeTest and VariableScopeWithCustomGetterTest of tf_keras variable_scope_shim_test.py (2.21).
import * as tf from '@tensorflow/tfjs-core';
import { initializers } from '@tfparity/random';
import { useBackend } from '@tfparity/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  AUTO_REUSE,
  type CustomGetter,
  currentContext,
  EagerContext,
  GraphRulesContext,
  getVariable,
  getVariableScope,
  nameScope,
  pushContext,
  type Regularizer,
  type VariableScope,
  VariableStore,
  variableConstraint,
  variableCreatorScope,
  variableDType,
  variableScope,
} from '../src/index.js';

const w = () => getVariable('w', { shape: [] }).name;
const scalarOf = (v: tf.Tensor) => v.dataSync()[0];
const named = (defaultName: string, body: (scope: VariableScope) => void) => variableScope(null, { defaultName }, body);

describe.each(['eager', 'graph'] as const)('a bare shim store in %s code', (kind) => {
  beforeAll(() => useBackend('cpu'));
  let context: Disposable;
  beforeEach(() => {
    const made = kind === 'eager' ? new EagerContext() : new GraphRulesContext();
    made.store = new VariableStore('shim');
    context = pushContext(made);
  });
  afterEach(() => context[Symbol.dispose]());

  describe('variables', () => {
    it('are found again by name, without a check of the name (testGetVar, testNameExists)', () => {
      const v = getVariable('v', { shape: [1] });
      expect(getVariable('v', { shape: [1] })).toBe(v);
      expect(getVariable('u', { shape: [1] })).not.toBe(v);
      expect(getVariable('u', { shape: [1] }).name).toBe('u');
    });

    it('share a shape and a dtype (testVarScopeGetVar)', () => {
      using _ = variableScope('tower0');
      getVariable('w', { shape: [2] });
      expect(() => getVariable('w', { shape: [3] })).toThrow(
        'Trying to share variable tower0/w, but specified shape (3,) and found shape (2,).',
      );
      expect(() => getVariable('w', { shape: [2], dtype: 'int32' })).toThrow(
        'Trying to share variable tower0/w, but specified dtype int32 and found dtype float32.',
      );
      expect(getVariable('w', { shape: [null] }).shape).toEqual([2]);
    });

    it('start as a number, an array or a tensor (testInitFromNonTensorValue, testInitializeFromValue)', () => {
      expect(scalarOf(getVariable('number', { initializer: 4, dtype: 'int32' }))).toBe(4);
      expect(getVariable('array', { initializer: [[1, 2.5]] }).shape).toEqual([1, 2]);
      const init = tf.tensor1d([0.1]);
      expect(getVariable('tensor', { initializer: init }).dataSync()).toEqual(init.dataSync());
      expect(() => getVariable('x', { shape: [1], initializer: init })).toThrow(
        'If initializer is a constant, do not specify shape.',
      );
      expect(variableScope('foo', { initializer: init }, () => getVariable('v')).dataSync()).toEqual(init.dataSync());
      expect(variableDType(getVariable('n', { initializer: 1, dtype: 'int32' }))).toBe('int32');
      expect(() => getVariable('s', { initializer: init, dtype: 'int32' })).toThrow(
        "Initializer type '<dtype: 'float32'>' and explicit dtype '<dtype: 'int32'>' don't match.",
      );
    });

    it('start as zeros where they are no floats (testInitFromNonInitializer)', () => {
      for (const dtype of ['int32', 'bool', 'int64', 'uint8']) {
        const v = getVariable(dtype, { shape: [2], dtype });
        expect([...v.dataSync()]).toEqual([0, 0]);
        expect(variableDType(v)).toBe(dtype);
      }
      expect(() => getVariable('c', { shape: [2], dtype: 'complex64' })).toThrow(
        "An initializer for variable c of <dtype: 'complex64'> is required",
      );
    });

    it('start as what a function without arguments gives (…WhichTakesNoArgs, …OptionalArgs)', () => {
      expect(scalarOf(getVariable('foo', { initializer: () => [2] }))).toBe(2);
      expect(scalarOf(getVariable('bar', { initializer: (yes = true) => (yes ? [2] : [3]) }))).toBe(2);
      expect(() => getVariable('baz', { shape: [1], initializer: () => [2] })).toThrow(/takes no arguments/);
      class Twos {
        apply(shape: number[]) {
          return tf.fill(shape, 2);
        }
      }
      expect(scalarOf(getVariable('class', { shape: [1], initializer: Twos }))).toBe(2);
      expect(scalarOf(getVariable('object', { shape: [1], initializer: new Twos() }))).toBe(2);
    });

    it('need a known shape', () => {
      expect(() => getVariable('x', { shape: [null, 2] })).toThrow(/^The initializer passed is not valid\. /);
      expect(() => getVariable('x')).toThrow(
        'Variable x did not get an initializer, so its `shape` argument must be specified.',
      );
    });

    it('of an empty shape and of size zero are variables too', () => {
      expect(getVariable('empty', { shape: [0, 3] }).size).toBe(0);
      expect(getVariable('no values', { initializer: [] })).toMatchObject({ shape: [0], dtype: 'float32' });
      expect(getVariable('truths', { initializer: [[true], [false]] })).toMatchObject({ shape: [2, 1], dtype: 'bool' });
      expect(getVariable('typed', { initializer: new Float32Array(3) })).toMatchObject({
        shape: [3],
        dtype: 'float32',
      });
      expect(getVariable('scalar', { shape: [] }).size).toBe(1);
    });
  });

  describe('scopes', () => {
    it('hand down initializers (testVarScopeInitializer)', () => {
      const init = initializers.constant(0.3);
      const tower = variableScope('tower0', (scope) => {
        variableScope('foo', { initializer: init }, () => {
          expect(scalarOf(getVariable('v', { shape: [] }))).toBeCloseTo(0.3);
        });
        return scope;
      });
      variableScope(tower, { initializer: init }, () => {
        expect(scalarOf(getVariable('w', { shape: [] }))).toBeCloseTo(0.3);
      });
    });

    it('hand constraints to their own variables only (testVarScopeConstraint)', () => {
      const constraint = (x: tf.Tensor) => tf.mul(0, x);
      const tower = variableScope('tower1', (scope) => {
        variableScope('foo', { constraint }, () => {
          expect(variableConstraint(getVariable('v', { shape: [] }))).toBe(constraint);
        });
        return scope;
      });
      variableScope(tower, { constraint }, () => {
        expect(variableConstraint(getVariable('w', { shape: [] }))).toBe(constraint);
        variableScope('inner', () => expect(variableConstraint(getVariable('w', { shape: [] }))).toBeUndefined());
      });
    });

    it('hand down dtypes (testVarScopeDType, testGetVariableWithRefDtype)', () => {
      const tower = variableScope('tower2', (scope) => {
        variableScope('foo', { dtype: 'int32' }, () => {
          const v = getVariable('v', { shape: [] });
          expect(v.dtype).toBe('int32');
          expect(getVariable('u', { shape: [], dtype: v.dtype }).dtype).toBe('int32');
        });
        return scope;
      });
      variableScope(tower, { dtype: 'float16' }, () => {
        expect(variableDType(getVariable('w', { shape: [] }))).toBe('float16');
      });
    });

    it('hand down regularizers, which can be replaced and cancelled (testVarScopeRegularizer)', () => {
      const scaled =
        (factor: number): Regularizer =>
        (v) =>
          tf.mul(factor, tf.sum(v));
      const none: Regularizer = () => null;
      const options = { shape: [], initializer: initializers.constant(1) };
      const losses = () =>
        [...(currentContext().store?.regularizers ?? [])].map(([key, loss]) => {
          const value = loss();
          return [key, value === null ? null : Math.round((scalarOf(value) ?? 0) * 10) / 10];
        });
      variableScope('tower3', { regularizer: scaled(0.3) }, (tower) => {
        variableScope('foo', () => getVariable('v', options));
        tower.setRegularizer(scaled(0.2));
        getVariable('u', options);
        getVariable('x', { ...options, regularizer: none });
        variableScope('baz', { regularizer: none }, () => getVariable('y', options));
        tower.setRegularizer(null);
        getVariable('z', options);
      });
      expect(losses()).toEqual([
        ['tower3/foo/v:0', 0.3],
        ['tower3/u:0', 0.2],
        ['tower3/x:0', null],
        ['tower3/baz/y:0', null],
      ]);
    });

    it('with AUTO_REUSE, or a false flag, run again and again (testVarScopeGetOrCreateReuse, …IgnoreFalse)', () => {
      for (const reuse of [AUTO_REUSE, false]) {
        for (const value of [42, 13, 17]) {
          const read = variableScope(`set_${reuse}`, { reuse }, () => {
            const v = getVariable('x', { initializer: initializers.constant(0), shape: [] });
            v.assign(tf.scalar(value));
            return scalarOf(variableScope('', () => v));
          });
          expect(read).toBe(value);
        }
      }
    });

    it('prefer a name to a default name (testVarOpScope)', () => {
      using _ = nameScope('testVarOpScope');
      variableScope('tower', { defaultName: 'default' }, () => expect(w()).toBe('tower/w'));
      named('default', () => expect(w()).toBe('default/w'));
      named('default', () => expect(w()).toBe('default_1/w'));
    });

    it('number default names one by one (testVarOpScopeUniqueNamesInterleavedSubstringScopes)', () => {
      const names: string[] = [];
      for (const name of ['defaultScope1', 'defaultScope1', 'defaultScope', 'defaultScope1']) {
        named(name, () => named('layer', () => names.push(w())));
      }
      expect(names).toEqual([
        'defaultScope1/layer/w',
        'defaultScope1_1/layer/w',
        'defaultScope/layer/w',
        'defaultScope1_2/layer/w',
      ]);
    });

    it('go on numbering after the open scope was entered again (testVarOpScopeUniqueNamesWithJump)', () => {
      variableScope('default', (scope) => {
        named('layer', () => expect(w()).toBe('default/layer/w'));
        named('layer', () => expect(w()).toBe('default/layer_1/w'));
        variableScope(scope, () => {});
        named('layer', () => expect(w()).toBe('default/layer_2/w'));
      });
    });

    it('find their variables when their object is entered (testVarOpScopeReuse, testVarScopeOuterScope)', () => {
      const found: tf.Variable[] = [];
      const run = () => {
        found.push(getVariable('w', { shape: [] }));
        variableScope('tower', () => found.push(getVariable('w', { shape: [] })));
        named('default', () => found.push(getVariable('w', { shape: [] })));
      };
      const outer = variableScope('outer', (scope) => {
        run();
        return scope;
      });
      variableScope(outer, { reuse: true }, run);
      expect(found.slice(3)).toEqual(found.slice(0, 3));
      expect(found.map(({ name }) => name).slice(3)).toEqual(['outer/w', 'outer/tower/w', 'outer/default/w']);
    });

    it('nest by name and by object (testVarScopeNestedOuterScope, testVarOpScopeNestedOuterScope)', () => {
      variableScope('outer', (outer) => {
        for (const reuse of [undefined, true]) {
          variableScope(outer, { defaultName: 'ignored', reuse }, () => {
            expect(w()).toBe('outer/w');
            named('default', () => expect(w()).toBe('outer/default/w'));
          });
        }
        variableScope('default', () => expect(w()).toBe('outer/default/w'));
        named('default', () => expect(w()).toBe('outer/default_1/w'));
      });
      expect(getVariableScope().name).toBe('');
    });

    it('refuse what cannot be (testVarOpScopeReuseError, testAuxiliaryNameScopeIsInvalid)', () => {
      expect(() => named('default', () => {})).not.toThrow();
      expect(() => variableScope(null, { defaultName: 'default', reuse: true })).toThrow(
        'reuse=True cannot be used without a name_or_scope',
      );
      const invalid = { auxiliaryNameScope: 'invalid' as unknown as boolean };
      for (const name of [null, 'scope', getVariableScope()]) {
        expect(() => variableScope(name, { defaultName: 'scope', ...invalid })).toThrow(
          'The auxiliary_name_scope must be `True` or `False`, while get invalid',
        );
      }
      expect(() => variableScope(null)).toThrow('If default_name is None then name_or_scope is required');
      expect(() => variableScope(3 as unknown as string)).toThrow(
        'VariableScope: name_or_scope must be a string or VariableScope.',
      );
    });

    it('leave the name scope alone if asked (testBasicWhenAuxiliaryNameScopeIsFalse and its kin)', () => {
      const quiet = { auxiliaryNameScope: false };
      variableScope('scope', quiet, (scope) => {
        expect(scope.originalNameScope).toBe('');
        expect(currentContext().names.current).toBe('');
        expect(w()).toBe('scope/w');
      });
      variableScope('outer', (outer) => {
        variableScope('inner', quiet, (inner) => {
          expect(inner.originalNameScope).toBe('outer/');
          expect(w()).toBe('outer/inner/w');
        });
        variableScope(null, { defaultName: 'default', ...quiet }, (scope) => {
          expect(scope.originalNameScope).toBe('outer/');
        });
        using _ = variableScope(outer, quiet);
        using name = nameScope(outer.originalNameScope);
        expect(name.name).toBe('outer/');
        expect(w()).toBe('outer/w');
      });
    });

    it('enter the root again (testReenterRootScopeWhenAuxiliaryNameScopeIsFalse)', () => {
      const root = getVariableScope();
      using _ = variableScope(root, { auxiliaryNameScope: false });
      expect(getVariableScope().originalNameScope).toBe('');
      expect(w()).toBe('w');
    });
  });

  describe('custom getters and creators', () => {
    it('must be functions (testNonCallableGetterFails)', () => {
      const three = 3 as unknown as CustomGetter;
      expect(() => variableScope('scope', { customGetter: three }, () => getVariable('w', { shape: [1] }))).toThrow(
        'Passed a custom_getter which is not callable: 3',
      );
      expect(() => getVariable('w', { shape: [1], customGetter: three })).toThrow(/not callable/);
    });

    it('see every request (testNoSideEffectsWithIdentityCustomGetter)', () => {
      let calls = 0;
      const customGetter: CustomGetter = (getter, args) => {
        calls += 1;
        expect(args.synchronization).toBe('ON_WRITE');
        expect(args.aggregation).toBe('MEAN');
        return getter(args);
      };
      const run = () =>
        variableScope('scope', { customGetter }, () =>
          getVariable('v', { shape: [2], synchronization: 'ON_WRITE', aggregation: 'MEAN' }),
        );
      expect(run()).toBe(run());
      expect(run().name).toBe('scope/v');
      expect(calls).toBe(3);
    });

    it('rename, the inner creator before the outer one (testVariableCreator)', () => {
      const seen: (string | undefined)[] = [];
      variableCreatorScope(
        (next, options) => {
          seen.push(options.name);
          return next(options);
        },
        () =>
          variableCreatorScope(
            (next, options) => {
              expect(options).toMatchObject({ name: 'v', shape: [2], dtype: 'float32', trainable: true });
              return next({ ...options, name: 'forced_name' });
            },
            () => expect(getVariable('v', { shape: [2] }).name).toBe('forced_name'),
          ),
      );
      expect(seen).toEqual(['forced_name']);
      expect([...(currentContext().store?.variables.keys() ?? [])]).toEqual(['v']);
    });

    it('close in order (testVariableCreatorNestingError)', () => {
      const creator = variableCreatorScope(function outerCreator(next, options) {
        return next(options);
      });
      const inner = variableCreatorScope(function innerCreator(next, options) {
        return next(options);
      });
      expect(() => creator[Symbol.dispose]()).toThrow(
        /^Exiting variable_creator_scope without proper nesting\. 'outerCreator' was closed, but 'innerCreator'/,
      );
      inner[Symbol.dispose]();
      creator[Symbol.dispose]();
      expect(currentContext().creators).toHaveLength(0);
    });
  });
});
