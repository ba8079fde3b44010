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
  /** The same renames the other way. */
  inverse(): NameMap;
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

function compile(rule: RenameRule): Renamer {
  const { to } = rule;
  if ('exact' in rule) return (name) => (name === rule.exact ? to : undefined);
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

/**
 * A map of names from declared rules, in the order in which they are tried.
 *
 * @throws {CheckpointError} `InvalidArgument` for a rule that cannot be turned around
 */
export function nameMap(rules: readonly RenameRule[]): NameMap {
  const inverseRules = rules.map(invert);
  const renamers = rules.map(compile);
  const back = inverseRules.map(compile);
  // The rule that fits is remembered, so that the way back is that rule's own.
  const find = (name: string): { to: string; rule: number } => {
    for (let i = 0; i < renamers.length; i++) {
      const to = renamers[i]!(name);
      if (to !== undefined) return { to, rule: i };
    }
    return { to: name, rule: -1 };
  };
  return {
    rules,
    apply: (name) => find(name).to,
    applyAll: (names) => {
      const made = new Map<string, string>();
      const takenBy = new Map<string, string>();
      for (const name of names) {
        const { to, rule } = find(name);
        const other = takenBy.get(to);
        if (other !== undefined && other !== name) {
          throw new CheckpointError(
            'Conflict',
            `${other} and ${name} would both become ${to}`,
            {},
            { names: [other, name], to },
          );
        }
        if (rule >= 0 && back[rule]!(to) !== name) {
          throw new CheckpointError(
            'Conflict',
            `${name} becomes ${to}, from which the rule does not lead back`,
            {},
            {
              names: [name],
              to,
              rule: rules[rule],
            },
          );
        }
        takenBy.set(to, name);
        made.set(name, to);
      }
      return made;
    },
    inverse: () => nameMap(inverseRules),
  };
}
