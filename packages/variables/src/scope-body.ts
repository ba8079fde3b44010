import { VariablesError } from './errors.js';

/** What runs inside a scope: it is given what the scope opened, and the scope closes when it returns, throws or settles. */
export type Body<S, R> = (scope: S) => R;

interface Label {
  readonly kind: string;
  readonly label: string;
}

interface OpenScope extends Label {
  readonly close: () => void;
}

/** The open scopes of every kind, in the order in which they were opened. */
const open: OpenScope[] = [];
/** Whether a body failed, so that its scope takes what was left open inside it along. */
let unwinding = false;

/**
 * Closes a scope if it is the innermost of its kind; after an error also everything that was opened inside it.
 *
 * @throws {VariablesError} `RuntimeError` naming both scopes otherwise; the scopes stay as they were.
 */
function closeInOrder(scope: OpenScope): void {
  const place = open.indexOf(scope);
  const inner = open.findLast(({ kind }) => kind === scope.kind);
  if (place < 0 || (inner !== scope && !unwinding)) {
    const said =
      scope.kind === 'variable_creator_scope'
        ? 'Exiting variable_creator_scope without proper nesting.'
        : `Improper nesting of ${scope.kind}.`;
    const state = place < 0 ? 'it is not open' : `'${inner?.label}', opened inside it, is still open`;
    throw new VariablesError('RuntimeError', `${said} '${scope.label}' was closed, but ${state}.`, {
      closed: scope.label,
      open: inner?.label,
    });
  }
  if (unwinding) {
    for (const left of open.splice(place + 1).reverse()) left.close();
  }
  scope.close();
  open.splice(open.indexOf(scope), 1);
}

/** Opens a scope of a kind; the result closes it, in order. */
export function trackScope(kind: string, name: string, close: () => void): () => void {
  const scope: OpenScope = { kind, label: name, close };
  open.push(scope);
  return () => closeInOrder(scope);
}

/** Closes after an error, with whatever the body left open: no one else would close it. */
function unwind(close: () => void): void {
  const outer = unwinding;
  unwinding = true;
  try {
    close();
  } catch {
    // The body's error came first and is the cause; what closing has to say is a consequence.
  } finally {
    unwinding = outer;
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/**
 * Runs `body` and then `close`, whichever way the body ends; a promise keeps the scope open until it settles.
 *
 * Where both fail, the body's error is the one that is thrown: it came first. A body that fails takes the scopes that it
 * left open with it; one that returns must have closed them.
 */
export function runBody<R>(body: () => R, close: () => void): R {
  let result: R;
  try {
    result = body();
  } catch (error) {
    unwind(close);
    throw error;
  }
  if (!isPromise(result)) {
    close();
    return result;
  }
  const settled = result.then(
    (value) => {
      close();
      return value;
    },
    (error: unknown) => {
      unwind(close);
      throw error;
    },
  );
  return settled as R;
}

/** The two forms of every scope function: a disposable without a body, the body's result with one. */
export function openScope<H extends object, R>(
  label: { kind: string; label: string },
  handle: H,
  close: () => void,
  body?: () => R,
): (H & Disposable) | R {
  const end = trackScope(label.kind, label.label, close);
  if (body) return runBody(body, end);
  return Object.assign(handle, { [Symbol.dispose]: end });
}
