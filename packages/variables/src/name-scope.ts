// Ports tf.compat.v1.name_scope (python/framework/ops.py, TF 2.21).
import { currentContext } from './context.js';
import { type Body, openScope } from './scope-body.js';

/** An open name scope; `name` is the full scope with its trailing slash. */
export interface NameScopeHandle extends Disposable {
  readonly name: string;
}

/**
 * Opens an op name scope until it is disposed; `''` is the root and a trailing `/` means exactly that scope.
 *
 * Names of `getVariable` are unaffected, as in TensorFlow.
 * @throws {VariablesError} `RuntimeError` when scopes close out of order, naming both.
 */
export function nameScope(name: string | null): NameScopeHandle;
/** Opens an op name scope around `body` (until its promise settles) and returns what `body` returns. */
export function nameScope<R>(name: string | null, body: Body<string, R>): R;
export function nameScope<R>(name: string | null, body?: Body<string, R>): NameScopeHandle | R {
  const { names } = currentContext();
  const before = names.current;
  const full = names.enter(name);
  return openScope(
    { kind: 'name_scope', label: full },
    { name: full },
    () => names.restore(before),
    body && (() => body(full)),
  );
}
