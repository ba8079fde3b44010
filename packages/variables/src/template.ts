// Ports tf.compat.v1.make_template (python/ops/template.py, TF 2.21). Departure: options come first in place of **kwargs.
import { currentContext } from './context.js';
import { valueError } from './errors.js';
import type { VariableScope } from './scope-state.js';
import type { CustomGetter } from './variable-arguments.js';
import { VariableScopeManager, variableScope } from './variable-scope.js';

/** The optional arguments of `makeTemplate`. */
export interface TemplateOptions {
  /** Open the scope now, where `makeTemplate` is called, and not at the first call. */
  createScopeNow?: boolean;
  /** The exact scope name, which is then not made unique. */
  uniqueName?: string;
  customGetter?: CustomGetter;
}

/** A function whose variables are made by its first call and found again by every later one. */
export interface Template<A extends unknown[], R> {
  (...args: A): R;
  /** The scope of its variables; null before it is opened. */
  readonly variableScope: VariableScope | null;
}

/**
 * Wraps `body` so that its variables are made once, in a scope of their own, and shared by all calls.
 *
 * @throws {VariablesError} `ValueError` in a graph where a later call asks for a variable that the first did not make.
 */
export function makeTemplate<A extends unknown[], R>(
  name: string,
  body: (...args: A) => R,
  options: TemplateOptions = {},
): Template<A, R> {
  if (name === '') throw valueError('name cannot be None.');
  let scope: VariableScope | null = null;
  let called = false;
  const open = (): VariableScope => {
    const { customGetter, uniqueName } = options;
    const manager = new VariableScopeManager(uniqueName ?? null, { defaultName: name, customGetter });
    const opened = manager.enter();
    manager.exit();
    return opened;
  };
  const template = (...args: A): R => {
    scope ??= open();
    // In a graph (and under TF1's rules in a shim) the later calls must find what the first made.
    const strict = currentContext().store?.strict ?? false;
    const reuse = called && strict ? true : undefined;
    return variableScope(scope, { reuse, auxiliaryNameScope: true }, () => {
      const result = body(...args);
      called = true;
      return result;
    });
  };
  if (options.createScopeNow) scope = open();
  Object.defineProperty(template, 'variableScope', { get: () => scope });
  return template as unknown as Template<A, R>;
}
