import { formatShape, sameShape } from '@tfparity/array';
import { type Cause, findCauses } from './causes.js';
import { InventoryError } from './errors.js';
import type { Inventory, InventoryEntry } from './inventory.js';
import { type LikelyRename, likelyRenames } from './likely-renames.js';
import { type RenameRule, renamer } from './rename.js';

/** Two values of one variable that should be the same. */
export interface Mismatch<T> {
  readonly name: string;
  readonly actual: T;
  readonly expected: T;
}

/** A name that one side lists more than once. */
export interface Duplicate {
  readonly side: 'actual' | 'expected';
  readonly name: string;
  readonly count: number;
}

/** A variable that both sides have, but not at the same place among those that both have. */
export interface OrderDifference {
  readonly name: string;
  readonly actual: number;
  readonly expected: number;
}

/** A field of a variable that could not be compared, because one side or both do not state it. */
export interface Unstated {
  readonly name: string;
  readonly field: 'dtype' | 'trainable';
  readonly side: 'actual' | 'expected' | 'both';
}

/** How two inventories differ; plain data. `same` is derived from the rest. */
export interface InventoryDiff {
  readonly same: boolean;
  readonly counts: {
    readonly actual: number;
    readonly expected: number;
    readonly actualTrainable: number;
    readonly expectedTrainable: number;
    readonly actualValues: number;
    readonly expectedValues: number;
    /** Names that both sides have. */
    readonly common: number;
  };
  /** What the expected side has and the actual one lacks. */
  readonly missing: readonly InventoryEntry[];
  /** What the actual side has beyond the expected one. */
  readonly unexpected: readonly InventoryEntry[];
  readonly shape: readonly Mismatch<readonly number[]>[];
  readonly dtype: readonly Mismatch<string>[];
  readonly trainable: readonly Mismatch<boolean>[];
  /** Fields of common variables that were not compared; they count only with `strict`. */
  readonly unstated: readonly Unstated[];
  readonly duplicates: readonly Duplicate[];
  /** The fewest variables that would have to move for both orders to agree. */
  readonly order: readonly OrderDifference[];
  readonly likelyRenames: readonly LikelyRename[];
  readonly causes: readonly Cause[];
}

/** What counts as a difference, and which names mean the same. */
export interface DiffOptions {
  /** Rules that turn an actual name into the expected one. */
  readonly rename?: RenameRule | readonly RenameRule[];
  /** Whether another order of the same variables is a difference; by default it is listed and does not count. */
  readonly order?: boolean;
  /** Whether dtypes are not compared at all, nor listed as `unstated`. */
  readonly ignoreDtype?: boolean;
  /** Whether trainable flags are not compared at all, nor listed as `unstated`. */
  readonly ignoreTrainable?: boolean;
  /** Whether a dtype or trainable flag that a side does not state is a difference; by default it is listed and does not count. */
  readonly strict?: boolean;
}

/**
 * How the variables of `actual` differ from those of `expected`: missing, unexpected, shape, dtype, trainable, duplicates, order;
 * with likely renames and likely causes. A shape of -1 on either side fits any size. Takes time that grows with the number of
 * variables, not with its square.
 */
export function diffInventories(actual: Inventory, expected: Inventory, options: DiffOptions = {}): InventoryDiff {
  const rename = renamer(options.rename);
  const a = index(actual.entries, rename, 'actual');
  const e = index(expected.entries, (name) => name, 'expected');
  const missing = [...e.byName].filter(([name]) => !a.byName.has(name)).map(([, entry]) => entry);
  const unexpected = [...a.byName].filter(([name]) => !e.byName.has(name)).map(([, entry]) => entry);
  const fields = compareFields(a.byName, e.byName, options);
  const order = orderDifferences(a.byName, e.byName);
  const duplicates = [...a.duplicates, ...e.duplicates];
  const renames = likelyRenames(unexpected, missing);
  const causes = findCauses({ missing, unexpected, shape: fields.shape, renames });
  const differences = [missing, unexpected, fields.shape, fields.dtype, fields.trainable, duplicates];
  return {
    same:
      differences.every((list) => list.length === 0) &&
      !(options.order && order.length > 0) &&
      !(options.strict && fields.unstated.length > 0),
    counts: {
      actual: actual.entries.length,
      expected: expected.entries.length,
      actualTrainable: countTrainable(actual),
      expectedTrainable: countTrainable(expected),
      actualValues: countValues(actual),
      expectedValues: countValues(expected),
      common: a.byName.size - unexpected.length,
    },
    missing,
    unexpected,
    ...fields,
    duplicates,
    order,
    likelyRenames: renames,
    causes,
  };
}

const countTrainable = ({ entries }: Inventory): number => entries.reduce((n, e) => n + (e.trainable ? 1 : 0), 0);
const countValues = ({ entries }: Inventory): number =>
  entries.reduce((n, e) => n + e.shape.reduce((size, axis) => size * Math.max(axis, 0), 1), 0);

interface Index {
  readonly byName: Map<string, InventoryEntry>;
  readonly duplicates: Duplicate[];
}

function index(entries: readonly InventoryEntry[], rename: (name: string) => string, side: Duplicate['side']): Index {
  const byName = new Map<string, InventoryEntry>();
  const again = new Map<string, number>();
  for (const entry of entries) {
    const name = rename(entry.name);
    if (byName.has(name)) again.set(name, (again.get(name) ?? 1) + 1);
    else byName.set(name, name === entry.name ? entry : { ...entry, name });
  }
  return { byName, duplicates: [...again].map(([name, count]) => ({ side, name, count })) };
}

function compareFields(
  actual: ReadonlyMap<string, InventoryEntry>,
  expected: ReadonlyMap<string, InventoryEntry>,
  options: DiffOptions,
): Pick<InventoryDiff, 'shape' | 'dtype' | 'trainable' | 'unstated'> {
  const shape: Mismatch<readonly number[]>[] = [];
  const dtype: Mismatch<string>[] = [];
  const trainable: Mismatch<boolean>[] = [];
  const unstated: Unstated[] = [];
  for (const [name, e] of expected) {
    const a = actual.get(name);
    if (a === undefined) continue;
    if (!shapesFit(a.shape, e.shape)) shape.push({ name, actual: a.shape, expected: e.shape });
    if (!options.ignoreDtype) {
      if (a.dtype === undefined || e.dtype === undefined)
        unstated.push({ name, field: 'dtype', side: silent(a, e, 'dtype') });
      else if (a.dtype !== e.dtype) dtype.push({ name, actual: a.dtype, expected: e.dtype });
    }
    if (!options.ignoreTrainable) {
      if (a.trainable === undefined || e.trainable === undefined) {
        unstated.push({ name, field: 'trainable', side: silent(a, e, 'trainable') });
      } else if (a.trainable !== e.trainable) trainable.push({ name, actual: a.trainable, expected: e.trainable });
    }
  }
  return { shape, dtype, trainable, unstated };
}

/** Which side does not state a field. */
function silent(a: InventoryEntry, e: InventoryEntry, field: Unstated['field']): Unstated['side'] {
  if (a[field] !== undefined) return 'expected';
  return e[field] === undefined ? 'both' : 'actual';
}

function shapesFit(a: readonly number[], b: readonly number[]): boolean {
  return sameShape(a, b) || (a.length === b.length && a.every((axis, i) => axis === b[i] || axis < 0 || b[i]! < 0));
}

/** The common names that are not in a longest common run of both orders (a longest increasing subsequence). */
function orderDifferences(
  actual: ReadonlyMap<string, InventoryEntry>,
  expected: ReadonlyMap<string, InventoryEntry>,
): OrderDifference[] {
  const place = new Map<string, number>();
  for (const name of actual.keys()) if (expected.has(name)) place.set(name, place.size);
  const names = [...expected.keys()].filter((name) => place.has(name));
  const places = names.map((name) => place.get(name)!);
  const stays = longestIncreasing(places);
  return names.flatMap((name, i) => (stays.has(i) ? [] : [{ name, actual: places[i]!, expected: i }]));
}

/** Indices of a longest increasing subsequence, by patience sorting: n log n. */
function longestIncreasing(values: readonly number[]): Set<number> {
  const tails: number[] = [];
  const before = new Int32Array(values.length).fill(-1);
  values.forEach((value, i) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[tails[middle]!]! < value) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before[i] = tails[low - 1]!;
    tails[low] = i;
  });
  const chosen = new Set<number>();
  for (let i = tails.at(-1) ?? -1; i >= 0; i = before[i]!) chosen.add(i);
  return chosen;
}

/**
 * Returns where both inventories hold the same variables.
 *
 * @throws {InventoryError} `Different`, whose message is `formatInventoryDiff`'s and whose `details.diff` is the diff
 */
export function assertSameInventory(actual: Inventory, expected: Inventory, options: DiffOptions = {}): void {
  const diff = diffInventories(actual, expected, options);
  if (diff.same) return;
  throw new InventoryError('Different', `the inventories differ\n${formatInventoryDiff(diff)}`, { diff });
}

/** How many lines of each kind `formatInventoryDiff` prints unless told. */
const DEFAULT_LIMIT = 10;

/**
 * The diff as text: a first line with the verdict and the counts, likely causes, then one block per kind of difference, with at
 * most `limit` lines each (the rest is counted).
 */
export function formatInventoryDiff(diff: InventoryDiff, { limit = DEFAULT_LIMIT }: { limit?: number } = {}): string {
  const { counts } = diff;
  const lines = [
    `${diff.same ? 'same' : 'different'}: ${counts.actual} variables (${counts.actualTrainable} trainable), expected ${counts.expected} (${counts.expectedTrainable} trainable), ${counts.common} in common`,
  ];
  const block = <T>(title: string, items: readonly T[], line: (item: T) => string): void => {
    if (items.length === 0) return;
    lines.push(`${title} (${items.length}):`, ...items.slice(0, limit).map((item) => `  ${line(item)}`));
    if (items.length > limit) lines.push(`  … and ${items.length - limit} more`);
  };
  const entry = (e: InventoryEntry): string => `${e.name} ${e.dtype ? `${e.dtype} ` : ''}${formatShape(e.shape)}`;
  const pair = (m: Mismatch<unknown>): string => `${m.name}: ${m.actual}, expected ${m.expected}`;
  block('likely causes', diff.causes, (c) => c.message);
  block('missing', diff.missing, entry);
  block('unexpected', diff.unexpected, entry);
  block('shape', diff.shape, (m) => `${m.name}: ${formatShape(m.actual)}, expected ${formatShape(m.expected)}`);
  block('dtype', diff.dtype, pair);
  block('trainable', diff.trainable, pair);
  const count = (field: Unstated['field'], side: Unstated['side']): number =>
    diff.unstated.filter((u) => u.field === field && u.side === side).length;
  const silences = (['dtype', 'trainable'] as const).flatMap((field) =>
    (['actual', 'expected', 'both'] as const).map((side) => ({ field, side, variables: count(field, side) })),
  );
  block(
    'not compared',
    silences.filter(({ variables }) => variables > 0),
    (s) =>
      `${s.field} of ${s.variables} variables: ${s.side === 'both' ? 'no side states' : `the ${s.side} side does not state`} it`,
  );
  block('duplicates', diff.duplicates, (d) => `${d.name}: ${d.count} times in the ${d.side} inventory`);
  block('order', diff.order, (o) => `${o.name}: place ${o.actual}, expected ${o.expected}`);
  block('likely renames', diff.likelyRenames, (r) => `${r.actual} -> ${r.expected} (${r.reason})`);
  return lines.join('\n');
}
