import { CheckpointError } from './errors.js';

/**
 * One declared rename. `exact` is a whole name; `prefix` its beginning; `regex` matches a whole name and is made of plain
 * text and capture groups, which `to` uses as `$1`, `$2`, …, each once, so that the rule can be turned around.
 */
export type RenameRule =
  | { readonly exact: string; readonly to: string }
  | { readonly prefix: string; readonly to: string }
  | { readonly regex: string; readonly to: string };

/** Renames that are declared once and hold both ways. */
export interface NameMap {
  readonly rules: readonly RenameRule[];
  /** The new name: the first rule that fits decides, and a name that none fits stays. */
  apply(name: string): string;
  /**
   * The new name of each.
   *
   * @throws {CheckpointError} `Conflict` where two names become one, or the way back leads elsewhere
   */
  applyAll(names: Iterable<string>): Map<string, string>;
  /**
   * The same renames the other way: with the names that were renamed, exactly these back. Without them by the rules turned
   * around, which also take names that the rules never made (where `a/` became `x/`, an `x/z` of old becomes `a/z`).
   *
   * @throws {CheckpointError} as `applyAll` does, of the names given
   */
  inverse(names?: Iterable<string>): NameMap;
}

const bad = (rule: RenameRule, why: string): CheckpointError =>
  new CheckpointError('InvalidArgument', `rename ${JSON.stringify(rule)}: ${why}`, {}, { rule });

const escapePattern = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

interface Piece {
  readonly group: boolean;
  readonly text: string;
}

/** A pattern as plain text and groups, in order. @throws {CheckpointError} where it is made of more than these */
function pieces(rule: { regex: string; to: string }): Piece[] {
  const source = rule.regex.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
  const found: Piece[] = [];
  let text = '';
  for (let i = 0; i < source.length; i++) {
    const char = source[i]!;
    if (char === '\\' && /[^a-zA-Z0-9]/.test(source[i + 1] ?? 'a')) text += source[++i];
    else if (char === '(') {
      const end = groupEnd(source, i);
      if (end < 0 || source.startsWith('(?', i) || /[*+?{]/.test(source[end + 1] ?? '')) {
        throw bad(rule, 'groups must be plain, closed, and not repeated');
      }
      found.push({ group: false, text }, { group: true, text: source.slice(i, end + 1) });
      text = '';
      i = end;
    } else if (/[\\^$*+?[\]{}|).]/.test(char)) {
      throw bad(rule, `'${char}' outside a group cannot be turned around: put it in a group, or escape it`);
    } else text += char;
  }
  found.push({ group: false, text });
  return found;
}

function groupEnd(source: string, from: number): number {
  let inClass = false;
  for (let i = from + 1; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (inClass) inClass = source[i] !== ']';
    else if (source[i] === '[') inClass = true;
    else if (source[i] === '(') return -1;
    else if (source[i] === ')') return i;
  }
  return -1;
}

function invert(rule: RenameRule): RenameRule {
  if ('exact' in rule) return { exact: rule.to, to: rule.exact };
  if ('prefix' in rule) return { prefix: rule.to, to: rule.prefix };
  const parts = pieces(rule);
  const groups = parts.filter((part) => part.group).map((part) => part.text);
  const order: number[] = [];
  const regex = rule.to
    .split(/(\$\d+)/)
    .map((part) => {
      const group = /^\$(\d+)$/.exec(part)?.[1];
      if (group === undefined) return escapePattern(part);
      order.push(Number(group));
      return groups[Number(group) - 1] ?? '';
    })
    .join('');
  const used = [...order].sort((a, b) => a - b);
  if (used.length !== groups.length || used.some((group, i) => group !== i + 1)) {
    throw bad(rule, `'to' must use each of the ${groups.length} groups once`);
  }
  let group = 0;
  const to = parts.map((part) => (part.group ? `$${order.indexOf(++group) + 1}` : part.text)).join('');
  return { regex, to };
}

type Renamer = (name: string) => string | undefined;

/** Rules may come from a file: what is none is said, not left to fail. */
function checkRule(rule: RenameRule): void {
  const given = typeof rule === 'object' && rule !== null ? (rule as unknown as Record<string, unknown>) : {};
  const kinds = ['exact', 'prefix', 'regex'].filter((kind) => kind in given);
  if (kinds.length !== 1 || typeof given[kinds[0]!] !== 'string' || typeof given['to'] !== 'string') {
    throw bad(rule, 'a rule is {exact, to}, {prefix, to} or {regex, to}, of texts');
  }
}

function compile(rule: Exclude<RenameRule, { exact: string }>): Renamer {
  const { to } = rule;
  if ('prefix' in rule) {
    return (name) => (name.startsWith(rule.prefix) ? to + name.slice(rule.prefix.length) : undefined);
  }
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^(?:${rule.regex})$`);
  } catch (cause) {
    throw bad(rule, (cause as Error).message);
  }
  return (name) => {
    const match = pattern.exec(name);
    return match ? to.replace(/\$(\d+)/g, (_, group) => match[Number(group)] ?? '') : undefined;
  };
}

/** The new name by the first rule that fits. Whole names are looked up at once: there may be one rule for each. */
function firstFit(rules: readonly RenameRule[]): (name: string) => string {
  const exact = new Map<string, { to: string; place: number }>();
  const others: { rename: Renamer; place: number }[] = [];
  for (const [place, rule] of rules.entries()) {
    if (!('exact' in rule)) others.push({ rename: compile(rule), place });
    else if (!exact.has(rule.exact)) exact.set(rule.exact, { to: rule.to, place });
  }
  return (name) => {
    const whole = exact.get(name);
    for (const { rename, place } of others) {
      if (whole && whole.place < place) break;
      const to = rename(name);
      if (to !== undefined) return to;
    }
    return whole?.to ?? name;
  };
}

/**
 * A map of names from declared rules, in the order in which they are tried.
 *
 * @throws {CheckpointError} `InvalidArgument` for a rule that cannot be turned around
 */
export function nameMap(rules: readonly RenameRule[]): NameMap {
  for (const rule of rules) checkRule(rule);
  const inverseRules = rules.map(invert);
  const there = firstFit(rules);
  const back = firstFit(inverseRules);
  const map: NameMap = {
    rules,
    apply: there,
    applyAll: (names) => {
      const made = new Map<string, string>();
      const takenBy = new Map<string, string>();
      for (const name of names) {
        const to = there(name);
        const other = takenBy.get(to);
        if (other !== undefined && other !== name) {
          throw new CheckpointError(
            'Conflict',
            `${other} and ${name} would both become ${to}`,
            {},
            { names: [other, name], to },
          );
        }
        // By all rules together, as `inverse` goes: another one's way back may take what this one made.
        const returned = to === name ? name : back(to);
        if (returned !== name) {
          throw new CheckpointError(
            'Conflict',
            `${name} becomes ${to}, from which the rules lead back to ${returned}`,
            {},
            { names: [name, returned], to },
          );
        }
        takenBy.set(to, name);
        made.set(name, to);
      }
      return made;
    },
    inverse: (names) => {
      const known = names && [...map.applyAll(names)].map(([exact, to]) => ({ exact: to, to: exact }));
      return nameMap(known ?? inverseRules);
    },
  };
  return map;
}
