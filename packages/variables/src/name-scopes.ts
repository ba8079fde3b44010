// Ports op name scopes (Graph.name_scope, Graph.unique_name and eager context.scope_name, TF 2.21).
import { valueError } from './errors.js';

/** The name scopes of one context: eager code's are neither validated nor made unique, a graph's are both. */
export interface NameScopes {
  /** The current scope with its trailing slash, `''` at the root. */
  readonly current: string;
  /** Opens a scope (`''` or null: the root; a trailing `/`: exactly that scope) and returns its name. */
  enter(name: string | null): string;
  /** Puts back a scope that `current` held before. */
  restore(scope: string): void;
  /** The name that an op or variable asked for as `name` (relative to the current scope) gets. */
  uniqueName(name: string): string;
}

/** Name scopes of eager code: plain prefixes. */
export class EagerNameScopes implements NameScopes {
  current = '';

  enter(name: string | null): string {
    if (name === null || name === '') this.current = '';
    else if (name.endsWith('/')) this.current = name;
    else this.current += `${name}/`;
    return this.current;
  }

  restore(scope: string): void {
    this.current = scope;
  }

  uniqueName(name: string): string {
    return this.current + name;
  }
}

const ROOT_PATTERN = '^[A-Za-z0-9.][A-Za-z0-9_.\\\\/>-]*$';
const SCOPE_PATTERN = '^[A-Za-z0-9_.\\\\/>-]*$';

/** Name scopes of a graph: validated, and made unique without regard to case, together with the names of its ops. */
export class GraphNameScopes implements NameScopes {
  current = '';
  private readonly used = new Map<string, number>();

  /** @throws {VariablesError} `ValueError` for a name that TensorFlow's pattern refuses. */
  enter(name: string | null): string {
    if (name === null || name === '') {
      this.current = '';
      return '';
    }
    const root = this.current === '';
    const pattern = root ? ROOT_PATTERN : SCOPE_PATTERN;
    if (!new RegExp(pattern).test(name)) {
      const kind = root ? 'root scope' : 'scope';
      const said = root ? 'A root scope name' : 'A scope name';
      throw valueError(
        `'${name}' is not a valid ${kind} name. ${said} has to match the following pattern: ${pattern}`,
        { name, pattern },
      );
    }
    this.current = name.endsWith('/') ? name : `${this.unique(this.current + name)}/`;
    return this.current;
  }

  restore(scope: string): void {
    this.current = scope;
  }

  uniqueName(name: string): string {
    return name.endsWith('/') ? name.slice(0, -1) : this.unique(this.current + name);
  }

  /** Ports `Graph.unique_name`: `a`, `a_1`, `a_2`, comparing in lower case. */
  unique(name: string): string {
    let key = name.toLowerCase();
    let count = this.used.get(key) ?? 0;
    this.used.set(key, count + 1);
    if (count === 0) return name;
    const base = key;
    while (this.used.has(key)) {
      key = `${base}_${count}`;
      count += 1;
    }
    this.used.set(key, 1);
    return `${name}_${count - 1}`;
  }
}
