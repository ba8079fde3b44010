import { VariablesError } from './errors.js';

/** What runs inside a scope: it is given what the scope opened, and the scope closes when it returns, throws or settles. */
export type Body<S, R> = (scope: S) => R;

interface Label {
  readonly kind: string;
  readonly label: string;
}

const openByKind = new Map<string, Label[]>();

/**
 * Closes `label` if it is the innermost of its kind.
 *
 * @throws {VariablesError} `RuntimeError` naming both scopes otherwise; the scopes stay as they were.
 */
function closeInOrder(label: Label, close: () => void): void {
  const open = openByKind.get(label.kind) ?? [];
  const inner = open.at(-1);
  if (inner !== label) {
    const said =
      label.kind === 'variable_creator_scope'
        ? 'Exiting variable_creator_scope without proper nesting.'
        : `Improper nesting of ${label.kind}.`;
    const state = open.includes(label) ? `'${inner?.label}', opened inside it, is still open` : 'it is not open';
    throw new VariablesError('RuntimeError', `${said} '${label.label}' was closed, but ${state}.`, {
      closed: label.label,
      open: inner?.label,
    });
  }
  close();
  open.pop();
}

/** Forgets and returns what closes one open scope of a kind; used by managers that keep their own order. */
export function trackScope(kind: string, name: string, close: () => void): () => void {
  const label = { kind, label: name };
  const open = openByKind.get(kind) ?? [];
  openByKind.set(kind, open);
  open.push(label);
  return () => closeInOrder(label, close);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/**
 * Runs `body` and then `close`, whichever way the body ends; a promise keeps the scope open until it settles.
 *
 * Where both fail, the body's error is the one that is thrown: it came first.
 */
export function runBody<R>(body: () => R, close: () => void): R {
  let result: R;
  try {
    result = body();
  } catch (error) {
    try {
      close();
    } catch {
      // The body's error is the cause; a scope that it left open is a consequence.
    }
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
      try {
        close();
      } catch {
        // As above.
      }
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
