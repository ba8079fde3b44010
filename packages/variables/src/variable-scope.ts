// Ports tf.compat.v1.variable_scope (python/ops/variable_scope.py, TF 2.21), eager and graph rules both.
// Departures: `with` is a Disposable or a body; closing out of order names both scopes; no caching devices.

import { currentContext, type VariableContext } from './context.js';
import type { Constraint } from './creator-chain.js';
import { VariablesError, valueError } from './errors.js';
import { type Body, runBody, trackScope } from './scope-body.js';
import { AUTO_REUSE, type Reuse, VariableScope } from './scope-state.js';
import type { CustomGetter, InitializerLike, Partitioner, Regularizer } from './variable-arguments.js';

/** The optional arguments of `variableScope`; what is left out is inherited by TensorFlow's rules. */
export interface VariableScopeOptions {
  /** The name to number (`name`, `name_1`, …) where no name is given. */
  defaultName?: string | null;
  initializer?: InitializerLike | null;
  regularizer?: Regularizer | null;
  partitioner?: Partitioner | null;
  customGetter?: CustomGetter | null;
  reuse?: Reuse | null;
  dtype?: string | null;
  /** Not inherited by scopes inside, as in TensorFlow. */
  constraint?: Constraint | null;
  /** False: re-enter the current op name scope in place of opening one. */
  auxiliaryNameScope?: boolean;
  /** There are no devices to cache on; given, it fails as it does in eager TensorFlow. */
  cachingDevice?: string | null;
}

/** Whether scopes follow TF2's eager rules (always `AUTO_REUSE`). */
function eagerRules(context: VariableContext): boolean {
  return context.kind === 'eager' && context.store?.kind !== 'strictShim';
}

function checkArguments(name: unknown, options: VariableScopeOptions): void {
  const { defaultName, reuse, auxiliaryNameScope = true } = options;
  if ((name === null || name === undefined) && (defaultName === null || defaultName === undefined)) {
    throw new VariablesError('TypeError', 'If default_name is None then name_or_scope is required');
  }
  if (reuse !== null && reuse !== undefined && reuse !== true && reuse !== false && reuse !== AUTO_REUSE) {
    throw valueError('The reuse parameter must be True or False or None.', { reuse });
  }
  if (typeof auxiliaryNameScope !== 'boolean') {
    const text = 'The auxiliary_name_scope must be `True` or `False`, while get ';
    const found = auxiliaryNameScope === null ? 'None' : String(auxiliaryNameScope);
    throw new VariablesError('TypeError', text + found, { auxiliaryNameScope });
  }
}

/**
 * One `variable_scope(...)` that can be entered again and again; `variableScope` is the usual way to open one.
 *
 * Entered again elsewhere it keeps a reuse flag that it once inherited, and its first original name scope, as TF's does.
 */
export class VariableScopeManager {
  private context = currentContext();
  private readonly given: string | VariableScope | null;
  private entered = false;
  private cached: VariableScope | null = null;
  private reuse: Reuse | null;
  private nameScopeArgument: string | null = null;
  private opensNameScope = false;
  private originalNameScope: string | null = null;
  private name = '';
  private close: (() => void) | null = null;

  /** @throws {VariablesError} `TypeError` or `ValueError` in TensorFlow's words for arguments that cannot be. */
  constructor(
    nameOrScope: string | VariableScope | null | undefined,
    private readonly options: VariableScopeOptions = {},
  ) {
    checkArguments(nameOrScope, options);
    this.given = nameOrScope ?? null;
    this.reuse = options.reuse === false ? null : (options.reuse ?? null);
  }

  /** Opens the scope and makes it the current one. */
  enter(): VariableScope {
    this.context = currentContext();
    const { names } = this.context;
    const outside = names.current;
    if (!this.entered) this.prepare();
    if (this.opensNameScope) names.enter(this.nameScopeArgument);
    if (!this.entered) this.fixOriginalNameScope();
    try {
      const scope = this.enterScope(() => names.restore(outside));
      this.entered = true;
      return scope;
    } catch (error) {
      names.restore(outside);
      throw error;
    }
  }

  /** @throws {VariablesError} `RuntimeError` when the scope is not the innermost one, naming both. */
  exit(): void {
    if (this.close === null) {
      throw new VariablesError('RuntimeError', `Improper nesting of variable_scope. '${this.name}' is not open.`);
    }
    this.close();
  }

  /** First entry: what to call the scope, and which name scope goes with it. */
  private prepare(): void {
    const { given, options } = this;
    const auxiliary = options.auxiliaryNameScope ?? true;
    const current = this.context.names.current;
    if (given === null) {
      if (this.reuse) throw valueError('reuse=True cannot be used without a name_or_scope');
      this.nameScopeArgument = auxiliary ? (options.defaultName ?? null) : current;
      this.opensNameScope = true;
      this.name = this.context.scopes.uniqueScopeName(options.defaultName ?? '');
      return;
    }
    if (typeof given !== 'string' && !(given instanceof VariableScope)) {
      throw new VariablesError('TypeError', 'VariableScope: name_or_scope must be a string or VariableScope.');
    }
    this.name = typeof given === 'string' ? given : given.name;
    const part = typeof given === 'string' ? given : (given.name.split('/').at(-1) ?? '');
    this.opensNameScope = part !== '' || !auxiliary;
    this.nameScopeArgument = auxiliary ? part : current;
  }

  private fixOriginalNameScope(): void {
    if (!this.opensNameScope) return;
    this.originalNameScope =
      this.given instanceof VariableScope ? this.given.originalNameScope : this.context.names.current;
  }

  private enterScope(closeNameScope: () => void): VariableScope {
    if (this.options.cachingDevice && eagerRules(this.context)) {
      const cause = new VariablesError(
        'NotImplementedError',
        'Caching devices is not yet supported when eager execution is enabled.',
      );
      throw new VariablesError('RuntimeError', 'Improper nesting of variable_scope.', {}, { cause });
    }
    const state = this.context.scopes;
    const outer = state.current;
    let restoreCounts: () => void;
    let scope: VariableScope;
    if (this.given instanceof VariableScope) {
      scope = this.cached ??= this.derive(this.given.name, this.reuse ?? this.given.reuse, this.given);
      state.enterCount(scope.name);
      const saved = new Map(state.counts);
      restoreCounts = () => {
        state.counts = saved;
      };
    } else {
      const full = outer.name === '' ? this.name : `${outer.name}/${this.name}`;
      this.reuse = this.reuse || outer.reuse;
      scope = this.derive(full, this.reuse, outer);
      state.enterCount(full);
      restoreCounts = () => state.clearBelow(full);
    }
    state.current = scope;
    const end = trackScope('variable_scope', scope.name, () => {
      restoreCounts();
      state.current = outer;
      closeNameScope();
    });
    this.close = end;
    return scope.opened(end);
  }

  /** A scope with `parent`'s defaults, changed by this entry's arguments. */
  private derive(name: string, reuse: Reuse, parent: VariableScope): VariableScope {
    const { options } = this;
    const original = this.originalNameScope ?? (this.given instanceof VariableScope ? '' : this.name);
    const scope = new VariableScope(
      name,
      reuse,
      this.given instanceof VariableScope ? this.given.originalNameScope : original,
      parent,
      options.constraint ?? null,
      eagerRules(this.context),
    );
    if (options.initializer !== null && options.initializer !== undefined) scope.initializer = options.initializer;
    if (options.regularizer !== null && options.regularizer !== undefined) scope.regularizer = options.regularizer;
    if (options.partitioner !== null && options.partitioner !== undefined) scope.partitioner = options.partitioner;
    if (options.dtype !== null && options.dtype !== undefined) scope.dtype = options.dtype;
    if (options.customGetter !== null && options.customGetter !== undefined) {
      scope.customGetters = [options.customGetter, ...parent.customGetters];
    }
    return scope;
  }
}

/**
 * Opens a variable scope until it is disposed, by name, by a scope object, or by `{defaultName}` alone.
 *
 * @throws {VariablesError} in TensorFlow's words; `RuntimeError` when scopes close out of order, naming both.
 */
export function variableScope(
  nameOrScope: string | VariableScope | null,
  options?: VariableScopeOptions,
): VariableScope;
/** Opens a variable scope around `body` (until its promise settles) and returns what `body` returns. */
export function variableScope<R>(nameOrScope: string | VariableScope | null, body: Body<VariableScope, R>): R;
/** Opens a variable scope around `body` (until its promise settles) and returns what `body` returns. */
export function variableScope<R>(
  nameOrScope: string | VariableScope | null,
  options: VariableScopeOptions,
  body: Body<VariableScope, R>,
): R;
export function variableScope<R>(
  nameOrScope: string | VariableScope | null,
  options: VariableScopeOptions | Body<VariableScope, R> = {},
  body?: Body<VariableScope, R>,
): VariableScope | R {
  const run = typeof options === 'function' ? options : body;
  const manager = new VariableScopeManager(nameOrScope, typeof options === 'function' ? {} : options);
  const scope = manager.enter();
  return run === undefined
    ? scope
    : runBody(
        () => run(scope),
        () => manager.exit(),
      );
}

/** The scope that is current, for keeping and entering again. */
export function getVariableScope(): VariableScope {
  return currentContext().scopes.current;
}
