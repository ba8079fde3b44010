// Ports tf.compat.v1.VariableScope and its per-thread state (python/ops/variable_scope.py, TF 2.21).
import type { Constraint } from './creator-chain.js';
import { VariablesError, valueError } from './errors.js';
import type { CustomGetter, InitializerLike, Partitioner, Regularizer } from './variable-arguments.js';

/** Reuse a variable if it exists, make it otherwise. */
export const AUTO_REUSE = 'AUTO_REUSE' as const;

/** TF's reuse flag: false or null makes variables, true finds them, `AUTO_REUSE` does either. */
export type Reuse = boolean | typeof AUTO_REUSE;

/** What a scope hands down to the variables and scopes inside it. */
export interface ScopeDefaults {
  initializer: InitializerLike | null;
  regularizer: Regularizer | null;
  dtype: string;
  /** The innermost first. */
  customGetters: readonly CustomGetter[];
  partitioner: Partitioner | null;
}

const NO_DEFAULTS: ScopeDefaults = {
  initializer: null,
  regularizer: null,
  dtype: 'float32',
  customGetters: [],
  partitioner: null,
};

/** A variable scope, as `variableScope` opens it; it can be kept and entered again. */
export class VariableScope implements ScopeDefaults, Disposable {
  initializer: InitializerLike | null;
  regularizer: Regularizer | null;
  dtype: string;
  customGetters: readonly CustomGetter[];
  partitioner: Partitioner | null;
  /** Closes the scope; set by whoever opened it. */
  private close: (() => void) | null = null;

  constructor(
    readonly name: string,
    public reuse: Reuse,
    /** The op name scope that was opened with the scope, with its trailing slash; `''` at the root. */
    readonly originalNameScope: string,
    parent: ScopeDefaults = NO_DEFAULTS,
    readonly constraint: Constraint | null = null,
    private readonly eagerRules = false,
  ) {
    this.initializer = parent.initializer;
    this.regularizer = parent.regularizer;
    this.dtype = parent.dtype;
    this.customGetters = parent.customGetters;
    this.partitioner = parent.partitioner;
    if (eagerRules) this.reuse = AUTO_REUSE;
  }

  /** From now on variables of this scope must exist. */
  reuseVariables(): void {
    this.reuse = true;
  }

  setInitializer(initializer: InitializerLike | null): void {
    this.initializer = initializer;
  }

  setRegularizer(regularizer: Regularizer | null): void {
    this.regularizer = regularizer;
  }

  setDtype(dtype: string): void {
    this.dtype = dtype;
  }

  setPartitioner(partitioner: Partitioner | null): void {
    this.partitioner = partitioner;
  }

  setCustomGetter(getter: CustomGetter | null): void {
    this.customGetters = getter === null ? [] : [getter];
  }

  /** @throws {VariablesError} `ValueError` for false in eager code: tfjs has resource variables only. */
  setUseResource(useResource: boolean): void {
    if (this.eagerRules && !useResource) {
      throw valueError('When eager execution is enabled, use_resource cannot be set to false.');
    }
  }

  /** Remembers how to close the scope; the one who opens it calls this. */
  opened(close: () => void): this {
    this.close = close;
    return this;
  }

  /** @throws {VariablesError} `RuntimeError` when the scope is not the innermost one, naming both. */
  [Symbol.dispose](): void {
    if (this.close === null) {
      throw new VariablesError('RuntimeError', `Improper nesting of variable_scope. '${this.name}' is not open.`, {
        closed: this.name,
      });
    }
    const close = this.close;
    close();
    this.close = null;
  }
}

/** The current scope, and how often each scope name was entered, which numbers default names. */
export class ScopeState {
  current: VariableScope;
  counts = new Map<string, number>();

  constructor(eagerRules: boolean) {
    this.current = new VariableScope('', false, '', NO_DEFAULTS, null, eagerRules);
  }

  /** Counts one more entry of a scope. */
  enterCount(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  /** Forgets the numbers below a scope that was left. */
  clearBelow(name: string): void {
    for (const key of this.counts.keys()) if (key.startsWith(`${name}/`)) this.counts.set(key, 0);
  }

  /** `name` if no scope of that name was entered here, else the first free `name_1`, `name_2`, …. */
  uniqueScopeName(name: string): string {
    const full = this.current.name === '' ? name : `${this.current.name}/${name}`;
    if ((this.counts.get(full) ?? 0) === 0) return name;
    let count = 1;
    while ((this.counts.get(`${full}_${count}`) ?? 0) > 0) count += 1;
    return `${name}_${count}`;
  }
}
