import { describe, expect, it } from 'vitest';
import { type ArgScope, addArgScope, argScope, argScopedArguments, hasArgScope } from '../src/arg-scope.js';
import { isSlimError } from '../src/slim-error.js';

type Options = { a?: unknown; b?: unknown; scope?: unknown };
const description = { name: 'op', positional: ['x', 'n'], keywords: ['a', 'b', 'scope'] };
const op = addArgScope((x: unknown, n: unknown, options: Options = {}) => ({ x, n, ...options }), description);
const other = addArgScope((x: unknown, options: Options = {}) => ({ x, ...options }), {
  name: 'other',
  positional: ['x'],
});

describe('argScope', () => {
  it('sets defaults; the call wins over the inner scope, which wins over the outer one', () => {
    expect(op(1, 2)).toEqual({ x: 1, n: 2 });
    argScope([op, other], { a: 1, b: 2 }, () => {
      expect(op(1, 2)).toEqual({ x: 1, n: 2, a: 1, b: 2 });
      argScope([op], { b: 3 }, () => {
        expect(op(1, 2, { a: 9 })).toEqual({ x: 1, n: 2, a: 9, b: 3 });
        expect(other(1)).toEqual({ x: 1, a: 1, b: 2 });
      });
      expect(op(1, 2)).toEqual({ x: 1, n: 2, a: 1, b: 2 });
    });
    expect(op(1, 2)).toEqual({ x: 1, n: 2 });
  });

  it('takes null as given and undefined as not given', () => {
    argScope([op], { a: 1, b: null }, () => {
      expect(op(1, 2, { a: null })).toEqual({ x: 1, n: 2, a: null, b: null });
      expect(op(1, 2, { a: undefined })).toEqual({ x: 1, n: 2, a: 1, b: null });
    });
  });

  it('is a Disposable, and a captured scope replaces everything', () => {
    let captured: ArgScope;
    {
      using scope = argScope([op], { a: 1 });
      captured = scope;
      expect(op(1, 2)).toEqual({ x: 1, n: 2, a: 1 });
    }
    expect(op(1, 2)).toEqual({ x: 1, n: 2 });
    argScope([op, other], { b: 5 }, () => {
      argScope(captured, (scope) => {
        expect(op(1, 2)).toEqual({ x: 1, n: 2, a: 1 });
        expect(other(1)).toEqual({ x: 1 });
        expect(scope.argumentsOf(op)).toEqual({ a: 1 });
      });
      expect(op(1, 2)).toEqual({ x: 1, n: 2, b: 5 });
    });
  });

  it('fills a positional argument that the call leaves out, and refuses two values', () => {
    argScope([op], { n: 7 }, () => {
      expect(op(1, undefined)).toEqual({ x: 1, n: 7 });
      expect(() => op(1, 2)).toThrow("op() got multiple values for argument 'n'");
    });
  });

  it('finds an unknown argument when the function is called', () => {
    argScope([op], { strides: 2 }, () => {
      expect(() => op(1, 2)).toThrow("op() got an unexpected keyword argument 'strides'");
    });
  });

  it("refuses what slim refuses, in slim's words, and leaves the stack as it was", () => {
    expect(() => argScope(3 as never, {})).toThrow(
      'list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict)',
    );
    argScope([op], { a: 1 }, (scope) => {
      expect(() => argScope(scope, { a: 2 } as never)).toThrow(
        'When attempting to re-use a scope by suppling adictionary, kwargs must be empty.',
      );
      expect(() => argScope([() => 1], { a: 2 })).toThrow('is not decorated with @add_arg_scope');
      expect(op(1, 2)).toEqual({ x: 1, n: 2, a: 1 });
    });
  });

  it('closes when the body throws, and after a promise settles', async () => {
    expect(() =>
      argScope([op], { a: 1 }, () => {
        argScope([op], { b: 1 });
        throw new Error('inner');
      }),
    ).toThrow('inner');
    expect(op(1, 2)).toEqual({ x: 1, n: 2 });
    const value = argScope([op], { a: 1 }, async () => {
      await Promise.resolve();
      return op(1, 2);
    });
    expect(await value).toEqual({ x: 1, n: 2, a: 1 });
    expect(op(1, 2)).toEqual({ x: 1, n: 2 });
  });

  it('names both scopes when they close out of order', () => {
    const outer = argScope([op], { a: 1 });
    const inner = argScope([other], { b: 1 });
    let error: unknown;
    try {
      outer[Symbol.dispose]();
    } catch (caught) {
      error = caught;
    }
    expect(isSlimError(error) && error.message).toMatch(/argScope\(\[op\].*argScope\(\[other\]/);
    inner[Symbol.dispose]();
    outer[Symbol.dispose]();
    outer[Symbol.dispose]();
    expect(op(1, 2)).toEqual({ x: 1, n: 2 });
  });

  it('knows what is decorated', () => {
    expect(hasArgScope(op)).toBe(true);
    expect(hasArgScope(() => 1)).toBe(false);
    expect(argScopedArguments(op)).toEqual(['a', 'b', 'scope']);
  });
});
