import type { InventoryEntry } from './inventory.js';

/** An unexpected variable that is probably a missing one under another name. */
export interface LikelyRename {
  readonly actual: string;
  readonly expected: string;
  /** From 0 to 1: the share of path words that both names have. */
  readonly similarity: number;
  readonly reason: string;
}

/** Beyond this many candidates of one kind, names are paired in order only: scoring every pair would take the square. */
const SCORED = 24;

/** Words of a path, numbers apart: `block35_1/Conv2d_1x1/weights` → block, 35, 1, conv, 2, d, … */
function words(name: string): string[] {
  return name.toLowerCase().match(/[a-z]+|\d+/g) ?? [];
}

/** The Dice coefficient of the words of two names, 1 for the same words. */
function similarity(a: readonly string[], b: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const word of a) counts.set(word, (counts.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of b) {
    const left = counts.get(word) ?? 0;
    if (left > 0) {
      shared++;
      counts.set(word, left - 1);
    }
  }
  return a.length + b.length === 0 ? 1 : (2 * shared) / (a.length + b.length);
}

const kindOf = (entry: InventoryEntry): string => entry.shape.join(',');

function group(entries: readonly InventoryEntry[], key: (e: InventoryEntry) => string): Map<string, InventoryEntry[]> {
  const groups = new Map<string, InventoryEntry[]>();
  for (const entry of entries) {
    const found = groups.get(key(entry));
    if (found) found.push(entry);
    else groups.set(key(entry), [entry]);
  }
  return groups;
}

const compatible = (a: InventoryEntry, b: InventoryEntry): boolean =>
  a.dtype === undefined || b.dtype === undefined || a.dtype === b.dtype;

/**
 * Pairs of unexpected and missing variables of the same shape and dtype: first those that a common change of prefix explains, then by
 * likeness of their names, then by position where as many are left on both sides.
 */
export function likelyRenames(
  unexpected: readonly InventoryEntry[],
  missing: readonly InventoryEntry[],
): LikelyRename[] {
  const renames: LikelyRename[] = [];
  const taken = new Set<InventoryEntry>();
  const pair = (a: InventoryEntry, e: InventoryEntry, score: number, reason: string): void => {
    taken.add(a).add(e);
    renames.push({ actual: a.name, expected: e.name, similarity: Math.round(score * 1000) / 1000, reason });
  };
  const scored = (a: InventoryEntry, e: InventoryEntry): number => similarity(words(a.name), words(e.name));
  pairByTail(unexpected, missing, taken, (a, e) => pair(a, e, scored(a, e), 'another prefix'));
  const left = group(
    unexpected.filter((e) => !taken.has(e)),
    kindOf,
  );
  const right = group(
    missing.filter((e) => !taken.has(e)),
    kindOf,
  );
  for (const [kind, actual] of left) {
    const expected = right.get(kind);
    if (expected === undefined) continue;
    if (actual.length <= SCORED && expected.length <= SCORED) pairByLikeness(actual, expected, pair);
    else if (actual.length === expected.length) {
      actual.forEach((a, i) => {
        const e = expected[i]!;
        if (compatible(a, e)) pair(a, e, scored(a, e), 'same shape, same place');
      });
    }
  }
  return renames;
}

/** Pairs names whose paths agree after some leading scopes, where the tail and the shape are found once on each side. */
function pairByTail(
  unexpected: readonly InventoryEntry[],
  missing: readonly InventoryEntry[],
  taken: ReadonlySet<InventoryEntry>,
  pair: (a: InventoryEntry, e: InventoryEntry) => void,
): void {
  const tail = (entry: InventoryEntry, drop: number): string | undefined => {
    const path = entry.name.split('/');
    return path.length > drop ? `${path.slice(drop).join('/')}|${kindOf(entry)}` : undefined;
  };
  // One side may have one or two scopes more, or a different one of the same depth.
  for (const [dropActual, dropExpected] of [
    [1, 0],
    [0, 1],
    [1, 1],
    [2, 0],
    [0, 2],
  ] as const) {
    const actual = group(
      unexpected.filter((e) => !taken.has(e)),
      (e) => tail(e, dropActual) ?? `${e.name}|none`,
    );
    const expected = group(
      missing.filter((e) => !taken.has(e)),
      (e) => tail(e, dropExpected) ?? `${e.name}|nowhere`,
    );
    for (const [key, [a, another]] of actual) {
      const [e, second] = expected.get(key) ?? [];
      if (a && e && !another && !second && compatible(a, e) && sharesDepth(a, e)) pair(a, e);
    }
  }
}

/** A tail of one word (`weights`) proves nothing when both have another scope before it. */
function sharesDepth(a: InventoryEntry, e: InventoryEntry): boolean {
  const [p, q] = [a.name.split('/'), e.name.split('/')];
  return p.length !== q.length || p.length > 2;
}

function pairByLikeness(
  actual: readonly InventoryEntry[],
  expected: readonly InventoryEntry[],
  pair: (a: InventoryEntry, e: InventoryEntry, score: number, reason: string) => void,
): void {
  const right = expected.map((e) => words(e.name));
  const scores: { a: number; e: number; score: number }[] = [];
  actual.forEach((entry, a) => {
    const own = words(entry.name);
    right.forEach((other, e) => {
      if (compatible(entry, expected[e]!)) scores.push({ a, e, score: similarity(own, other) });
    });
  });
  scores.sort((p, q) => q.score - p.score || p.a - q.a || p.e - q.e);
  const usedA = new Set<number>();
  const usedE = new Set<number>();
  for (const { a, e, score } of scores) {
    if (usedA.has(a) || usedE.has(e)) continue;
    const onlyOnes = actual.length === 1 && expected.length === 1;
    if (score < 0.5 && !onlyOnes) continue;
    usedA.add(a);
    usedE.add(e);
    pair(actual[a]!, expected[e]!, score, onlyOnes ? 'the only ones of this shape' : 'same shape, similar name');
  }
}
