// Ports tf_slim/ops/arg_scope.py (tf_slim git 1287b1ef). Departures: `None` is null and an argument left out (or
// undefined) is not given; slim's extra pop of the stack after an undecorated function is not copied.
import { SlimError, typeError, valueError } from './slim-error.js';

/** Keyword arguments by name. */
export type Arguments = Readonly<Record<string, unknown>>;

/** A function that `argScope` can give defaults to; of any arguments, for any can be decorated or, wrongly, passed. */
export type ArgScoped = (...args: never[]) => unknown;

/** What `addArgScope` must know of a function, for JavaScript functions do not tell the names of their arguments. */
export interface ArgScopeDescription {
  /** The function's name, for messages and for the children of `repeat` and `stack`. */
  readonly name: string;
  /** Names of the arguments before the options object. */
  readonly positional: readonly string[];
  /** Names of the keyword arguments; where given, others are an error when the function is called. */
  readonly keywords?: readonly string[];
}

interface Decorated extends ArgScopeDescription {
  /** What scopes know the function by. */
  readonly key: symbol;
}

const decorated = new WeakMap<ArgScoped, Decorated>();

type Dictionary = ReadonlyMap<symbol, Arguments>;

const stack: { dictionary: Dictionary; owner: ArgScope | null }[] = [{ dictionary: new Map(), owner: null }];

const current = (): Dictionary => stack[stack.length - 1]!.dictionary;

/**
 * The defaults that one `argScope` set: open until it is disposed, and good to be entered again at any time after.
 *
 * Entering it again replaces every default that is set then, as slim does it.
 */
export class ArgScope implements Disposable {
  /** @internal Made by `argScope` and `currentArgScope`. */
  constructor(
    private readonly dictionary: Dictionary,
    private readonly label: string,
  ) {}

  /** What this scope sets for a function; empty where it sets nothing. */
  argumentsOf(fn: ArgScoped): Arguments {
    return this.dictionary.get(descriptionOf(fn).key) ?? {};
  }

  /** @internal */
  open(): this {
    stack.push({ dictionary: this.dictionary, owner: this });
    return this;
  }

  /** @internal A scope with the same defaults, to be opened. */
  copy(): ArgScope {
    return new ArgScope(this.dictionary, this.label);
  }

  /**
   * Closes the scope; a closed scope stays closed.
   *
   * @throws {SlimError} `RuntimeError` naming both where a scope opened inside it is still open.
   */
  [Symbol.dispose](): void {
    const top = stack[stack.length - 1]!;
    if (top.owner === this) {
      stack.pop();
      return;
    }
    if (stack.some(({ owner }) => owner === this)) {
      throw new SlimError(
        'RuntimeError',
        `Improper nesting of argScope: ${this.label} was closed while ${top.owner?.label} is still open inside it`,
        { closed: this.label, open: top.owner?.label },
      );
    }
  }
}

function descriptionOf(fn: ArgScoped): Decorated {
  const description = typeof fn === 'function' ? decorated.get(fn) : undefined;
  if (description === undefined) {
    const name = typeof fn === 'function' ? fn.name || '(anonymous)' : String(fn);
    throw valueError(`${name} is not decorated with @add_arg_scope; wrap it with addArgScope`, { function: name });
  }
  return description;
}

/** Whether `argScope` can give defaults to a function. */
export function hasArgScope(fn: ArgScoped): boolean {
  return decorated.has(fn);
}

/** The names of a function's keyword arguments, those that a scope is meant to set. */
export function argScopedArguments(fn: ArgScoped): readonly string[] {
  return descriptionOf(fn).keywords ?? [];
}

/** The name that a function was decorated under, else its own. */
export function functionName(fn: ArgScoped): string {
  return decorated.get(fn)?.name ?? fn.name;
}

/** How many arguments a decorated function takes before its keyword arguments; undefined for any other function. */
export function positionalCount(fn: ArgScoped): number | undefined {
  return decorated.get(fn)?.positional.length;
}

/** The defaults that are set now, to be entered again later. */
export function currentArgScope(): ArgScope {
  return new ArgScope(current(), 'currentArgScope()');
}

/**
 * A function that takes defaults from the `argScope`s around its calls.
 *
 * The function's last parameter is its object of keyword arguments. Arguments of the call win over the scope's; null
 * counts as given, undefined as not given.
 */
export function addArgScope<A extends unknown[], R>(
  fn: (...args: A) => R,
  description: ArgScopeDescription,
): (...args: A) => R {
  const own: Decorated = { ...description, key: Symbol(description.name) };
  const wrapped = (...args: A): R => fn(...(mergeArguments(args, own) as A));
  Object.defineProperty(wrapped, 'name', { value: description.name });
  decorated.set(wrapped, own);
  return wrapped;
}

function mergeArguments(args: readonly unknown[], { name, positional, keywords, key }: Decorated): unknown[] {
  const scoped = current().get(key);
  const given = args[positional.length] as Arguments | undefined;
  if (scoped === undefined && keywords === undefined) return [...args];
  const merged: Record<string, unknown> = { ...scoped };
  for (const [keyword, value] of Object.entries(given ?? {})) if (value !== undefined) merged[keyword] = value;
  const result = positional.map((argument, i) => {
    if (!Object.hasOwn(merged, argument)) return args[i];
    if (args[i] !== undefined) {
      throw typeError(`${name}() got multiple values for argument '${argument}'`, { function: name, argument });
    }
    const value = merged[argument];
    delete merged[argument];
    return value;
  });
  const unknown = keywords && Object.keys(merged).find((keyword) => !keywords.includes(keyword));
  if (unknown !== undefined) {
    throw typeError(`${name}() got an unexpected keyword argument '${unknown}'; it takes ${keywords?.join(', ')}`, {
      function: name,
      argument: unknown,
    });
  }
  return [...result, merged];
}

function extended(functions: readonly ArgScoped[], args: Arguments): ArgScope {
  const dictionary = new Map(current());
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
  const names: string[] = [];
  for (const fn of functions) {
    const { key, name } = descriptionOf(fn);
    dictionary.set(key, { ...dictionary.get(key), ...given });
    names.push(name);
  }
  return new ArgScope(dictionary, `argScope([${names.join(', ')}], {${Object.keys(given).join(', ')}})`);
}

/**
 * Gives functions defaults for their keyword arguments until the result is disposed; inner scopes win over outer ones.
 *
 * Given a scope that was captured before, sets all defaults to that scope's, and to nothing else.
 * @throws {SlimError} `ValueError` for a function without `addArgScope`; `TypeError` for neither a list nor a scope
 */
export function argScope(functions: readonly ArgScoped[], args: Arguments): ArgScope;
/** The same around a body, which is given the scope; closes when the body returns, throws or settles. */
export function argScope<R>(functions: readonly ArgScoped[], args: Arguments, body: (scope: ArgScope) => R): R;
export function argScope(captured: ArgScope): ArgScope;
export function argScope<R>(captured: ArgScope, body: (scope: ArgScope) => R): R;
export function argScope<R>(
  functionsOrScope: readonly ArgScoped[] | ArgScope,
  argsOrBody?: Arguments | ((scope: ArgScope) => R),
  listBody?: (scope: ArgScope) => R,
): ArgScope | R {
  const captured = functionsOrScope instanceof ArgScope;
  if (!captured && !Array.isArray(functionsOrScope)) {
    throw typeError('list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict)', {
      found: typeof functionsOrScope,
    });
  }
  const body = typeof argsOrBody === 'function' ? (argsOrBody as (scope: ArgScope) => R) : listBody;
  const args = typeof argsOrBody === 'function' ? undefined : argsOrBody;
  if (captured && Object.keys(args ?? {}).length > 0) {
    throw valueError('When attempting to re-use a scope by suppling adictionary, kwargs must be empty.');
  }
  const scope = captured ? functionsOrScope.copy() : extended(functionsOrScope as readonly ArgScoped[], args ?? {});
  scope.open();
  return body === undefined ? scope : runInside(scope, body);
}

function runInside<R>(scope: ArgScope, body: (scope: ArgScope) => R): R {
  let result: R;
  try {
    result = body(scope);
  } catch (error) {
    closeQuietly(scope);
    throw error;
  }
  if (result instanceof Promise) {
    return result.then(
      (value) => {
        scope[Symbol.dispose]();
        return value;
      },
      (error) => {
        closeQuietly(scope);
        throw error;
      },
    ) as R;
  }
  scope[Symbol.dispose]();
  return result;
}

/** Closes a scope after its body failed, with all that the body left open: the body's error is the one to be seen. */
function closeQuietly(scope: ArgScope): void {
  while (stack.length > 1 && stack.some(({ owner }) => owner === scope)) stack.pop();
}
