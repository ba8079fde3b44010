import type { ArrayComparison } from './array-comparison.js';
import { type CompareOptions, checkCounts, compareArrays } from './comparator.js';
import { NumericsError } from './errors.js';
import { isArrayLike, isOperand, MOST_AXES, type Operand } from './operand.js';
import { type NamedOverride, toleranceFor, unusedOverrides } from './tolerance.js';

/** A tree of arrays: an array, tensor or number, a string, `null`, or a list, record or `Map` of trees. */
export type Tree =
  | Operand
  | string
  | null
  | undefined
  | readonly Tree[]
  | ReadonlyMap<string, Tree>
  | { readonly [name: string]: Tree };

/** How trees are compared: a general tolerance, and those of single tensors by name or pattern (the first that matches). */
export interface TreeOptions extends CompareOptions {
  readonly overrides?: readonly NamedOverride[];
}

/** One leaf of two trees. */
export interface TreeItem {
  /** Keys joined by `/`, places in lists as `[i]`: the name that overrides match. */
  readonly name: string;
  readonly path: readonly (string | number)[];
  /** `kind`: a branch on one side, a leaf on the other, or leaves of different kinds. */
  readonly status: 'compared' | 'missing' | 'extra' | 'kind';
  readonly passed: boolean;
  /** Why it failed, in one line; empty where it passed. */
  readonly message: string;
  readonly comparison?: ArrayComparison;
}

/** How two trees compare; plain data. */
export interface TreeComparison {
  readonly passed: boolean;
  readonly bitIdentical: boolean;
  readonly counts: {
    readonly compared: number;
    readonly failed: number;
    readonly missing: number;
    readonly extra: number;
  };
  /** Name of the first item, in the expected tree's order, that fails. */
  readonly firstDivergence: string | null;
  /** In the expected tree's order; extra items come last in their branch. */
  readonly items: readonly TreeItem[];
  /** What overrides that were applied to no item match by: a misspelt name, or one that an earlier override takes. */
  readonly unusedOverrides?: readonly string[];
}

type Branch = Map<string | number, Tree>;
type Key = string | number;

/** The parts of a list, plain object or `Map`; lists of nothing but numbers, not ragged, are arrays, and no other class has parts. */
function branchOf(tree: Tree): Branch | undefined {
  if (typeof tree !== 'object' || tree === null || ArrayBuffer.isView(tree) || isArrayLike(tree)) return undefined;
  if (tree instanceof Map) return tree as Branch;
  if (Array.isArray(tree)) return isNumbers(tree) ? undefined : new Map((tree as Tree[]).map((item, i) => [i, item]));
  return isPlain(tree) ? new Map(Object.entries(tree as Record<string, Tree>)) : undefined;
}

/** Whether an object is a record: of no class, whichever realm it is from. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Whether a list is an array of numbers: lists of a depth have the same length, as ragged ones have not. */
function isNumbers(list: readonly unknown[]): boolean {
  return shapeOf(list, 1) !== undefined;
}

function shapeOf(list: readonly unknown[], depth: number): string | undefined {
  if (list.length === 0 || depth > MOST_AXES) return undefined;
  let shape: string | undefined;
  for (const [i, item] of list.entries()) {
    const inner = Array.isArray(item)
      ? shapeOf(item, depth + 1)
      : ['number', 'boolean', 'bigint'].includes(typeof item)
        ? ''
        : undefined;
    if (inner === undefined || (i > 0 && inner !== shape)) return undefined;
    shape = inner;
  }
  return `${list.length},${shape}`;
}

/** Refuses what would compare as nothing (a `Set`, `Date`, promise, model) and trees that hold themselves. */
function checkTree(tree: Tree, path: readonly Key[] = [], above: readonly Tree[] = []): void {
  const branch = branchOf(tree);
  const at = path.length === 0 ? 'the tree' : nameOf(path);
  if (branch === undefined) {
    if (typeof tree === 'object' && tree !== null && !Array.isArray(tree) && !isOperand(tree)) {
      const found = String((tree as object).constructor?.name ?? 'an unknown class');
      throw new NumericsError(
        'NotAnArray',
        `${at} is an object of class ${found}; a tree is made of arrays, tensors, numbers, texts, null, lists, plain objects and Maps`,
        { path, found },
      );
    }
    return;
  }
  if (above.includes(tree)) {
    const held = nameOf(path.slice(0, above.indexOf(tree))) || 'the tree';
    throw new NumericsError('NotAnArray', `${at} is ${held} itself: a tree must not hold itself`, { path });
  }
  const inside = [...above, tree];
  for (const [key, inner] of branch) {
    if (typeof key !== 'string' && typeof key !== 'number') {
      throw new NumericsError('NotAnArray', `${at} is a Map with a key that is no text`, { path });
    }
    checkTree(inner, [...path, key], inside);
  }
}

function nameOf(path: readonly Key[]): string {
  return path.reduce<string>(
    (name, key) => (typeof key === 'number' ? `${name}[${key}]` : name === '' ? key : `${name}/${key}`),
    '',
  );
}

/**
 * Compares two trees leaf by leaf (end points, gradients, state dicts, nested lists). Fails closed: an item that one side lacks
 * fails, as does another kind, shape or dtype, and trees with branches but no leaf; an empty tree against an empty one passes with
 * nothing compared.
 *
 * @throws {NumericsError} as `compareArrays`; `NotAnArray` also for an object that is none of a tree's kinds, and a tree that holds
 * itself
 */
export function compareTrees(actual: Tree, expected: Tree, options: TreeOptions = {}): TreeComparison {
  checkTree(actual);
  checkTree(expected);
  checkCounts(options);
  const items: TreeItem[] = [];
  walk(actual, expected, [], options, items);
  if (items.length === 0 && [actual, expected].some((tree) => branchOf(tree)!.size > 0)) {
    const message = 'both trees have branches, but not one leaf: nothing was compared';
    items.push({ name: '', path: [], status: 'kind', passed: false, message });
  }
  const unused = unusedOverrides(
    items.filter((item) => item.comparison !== undefined).map((item) => item.name),
    options.overrides,
  );
  const count = (status: TreeItem['status']): number => items.filter((item) => item.status === status).length;
  const failed = items.filter((item) => !item.passed);
  return {
    passed: failed.length === 0,
    bitIdentical: items.every((item) => item.passed && (item.comparison?.bitIdentical ?? true)),
    counts: { compared: count('compared'), failed: failed.length, missing: count('missing'), extra: count('extra') },
    firstDivergence: failed[0]?.name ?? null,
    items,
    ...(unused.length > 0 ? { unusedOverrides: unused } : {}),
  };
}

function walk(actual: Tree, expected: Tree, path: readonly Key[], options: TreeOptions, items: TreeItem[]): void {
  const a = branchOf(actual);
  const e = branchOf(expected);
  if (a === undefined || e === undefined) {
    items.push(a === e ? leaf(actual, expected, path, options) : otherKind(a, e, actual, expected, path));
    return;
  }
  for (const [key, tree] of e) {
    const at = [...path, key];
    if (a.has(key)) walk(a.get(key), tree, at, options, items);
    else oneSided('missing', tree, at, items);
  }
  for (const [key, tree] of a) if (!e.has(key)) oneSided('extra', tree, [...path, key], items);
}

/** Every leaf of a branch that one side lacks; the branch itself where it is empty. */
function oneSided(status: 'missing' | 'extra', tree: Tree, path: readonly Key[], items: TreeItem[]): void {
  const branch = branchOf(tree);
  if (branch !== undefined && branch.size > 0) {
    for (const [key, inner] of branch) oneSided(status, inner, [...path, key], items);
    return;
  }
  const message = status === 'missing' ? 'expected, but not there' : 'there, but not expected';
  items.push({ name: nameOf(path), path, status, passed: false, message });
}

function otherKind(
  a: Branch | undefined,
  e: Branch | undefined,
  actual: Tree,
  expected: Tree,
  path: readonly Key[],
): TreeItem {
  const kind = (branch: Branch | undefined, tree: Tree): string =>
    branch === undefined ? leafKind(tree) : `a branch of ${branch.size} items`;
  const message = `is ${kind(a, actual)}, expected ${kind(e, expected)}`;
  return { name: nameOf(path), path, status: 'kind', passed: false, message };
}

function leafKind(tree: Tree): string {
  if (tree === null || tree === undefined) return 'nothing';
  return typeof tree === 'string' ? `the text '${tree}'` : 'an array';
}

function leaf(actual: Tree, expected: Tree, path: readonly Key[], options: TreeOptions): TreeItem {
  const name = nameOf(path);
  const plain = (tree: Tree): boolean => tree === null || tree === undefined || typeof tree === 'string';
  if (plain(actual) || plain(expected)) {
    const passed = actual === expected || ((actual ?? null) === null && (expected ?? null) === null);
    const message = passed ? '' : `is ${leafKind(actual)}, expected ${leafKind(expected)}`;
    const sameKind = passed || (typeof actual === 'string' && typeof expected === 'string');
    return { name, path, status: sameKind ? 'compared' : 'kind', passed, message };
  }
  const { overrides, ...general } = options;
  const { keep, topK } = general;
  const tolerance = toleranceFor(name, general, overrides);
  const comparison = compareArrays(actual as Operand, expected as Operand, { ...tolerance, keep, topK });
  const message = comparison.differences.map((difference) => difference.message).join('; ');
  return { name, path, status: 'compared', passed: comparison.passed, message, comparison };
}

/**
 * The arrays of a tree with their names, in order; texts and empty places are left out.
 *
 * @throws {NumericsError} `NotAnArray` for an object that is none of a tree's kinds, and a tree that holds itself
 */
export function leavesOf(tree: Tree): { name: string; value: Operand }[] {
  return placesOf(tree).filter((place): place is { name: string; value: Operand } => isNoText(place.value));
}

const isNoText = (value: Tree): boolean => value !== null && value !== undefined && typeof value !== 'string';

/** Everything in a tree that is no branch with its name, in order: arrays, texts and empty places. @throws as `leavesOf` */
export function placesOf(tree: Tree): { name: string; value: Tree }[] {
  checkTree(tree);
  return placesAt(tree, []);
}

function placesAt(tree: Tree, path: readonly Key[]): { name: string; value: Tree }[] {
  const branch = branchOf(tree);
  if (branch !== undefined) return [...branch].flatMap(([key, inner]) => placesAt(inner, [...path, key]));
  return [{ name: nameOf(path), value: tree }];
}
