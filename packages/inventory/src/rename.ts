/**
 * How an actual name becomes an expected one: a record of whole names or path prefixes (`{'model/': ''}`: a key that ends in `/`
 * stands for the prefix), a pair of pattern and replacement, or a function (`undefined` leaves the name).
 */
export type RenameRule =
  | Readonly<Record<string, string>>
  | readonly [pattern: RegExp, replacement: string]
  | ((name: string) => string | undefined);

function apply(rule: RenameRule, name: string): string {
  if (typeof rule === 'function') return rule(name) ?? name;
  if (isPair(rule)) return name.replace(rule[0], rule[1]);
  if (Object.hasOwn(rule, name)) return rule[name]!;
  let longest = '';
  for (const prefix of Object.keys(rule)) {
    if (prefix.endsWith('/') && prefix.length > longest.length && name.startsWith(prefix)) longest = prefix;
  }
  return longest === '' ? name : rule[longest]! + name.slice(longest.length);
}

function isPair(rule: RenameRule): rule is readonly [RegExp, string] {
  return Array.isArray(rule) && rule[0] instanceof RegExp;
}

/** One function out of rules that are applied one after the other. */
export function renamer(rules: RenameRule | readonly RenameRule[] | undefined): (name: string) => string {
  if (rules === undefined) return (name) => name;
  const list = isRule(rules) ? [rules] : rules;
  return (name) => list.reduce((renamed, rule) => apply(rule, renamed), name);
}

function isRule(rules: RenameRule | readonly RenameRule[]): rules is RenameRule {
  return !Array.isArray(rules) || rules[0] instanceof RegExp;
}
