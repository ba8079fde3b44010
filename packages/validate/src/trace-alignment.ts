import type { Trace, TraceOp } from './trace.js';

/** Which op of one trace is which of the other. */
export interface TraceAlignment {
  /** By index in the reference: index in the migrated trace, or -1. */
  readonly toMigrated: Int32Array;
  /** By index in the migrated trace: index in the reference, or -1. */
  readonly toReference: Int32Array;
}

/**
 * Pairs of equal items in the order of both lists, as many as there can be (Myers 1986, "An O(ND) difference algorithm").
 */
export function longestCommon(a: readonly string[], b: readonly string[]): [number, number][] {
  const n = a.length;
  const m = b.length;
  const size = n + m + 1;
  const front = new Int32Array(2 * size + 1);
  const history: Int32Array[] = [];
  for (let d = 0; d <= n + m; d++) {
    history.push(front.slice(size - d - 1, size + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && front[size + k - 1]! < front[size + k + 1]!);
      let x = down ? front[size + k + 1]! : front[size + k - 1]! + 1;
      let y = x - k;
      while (x < n && y < m && a[x] === b[y]) {
        x++;
        y++;
      }
      front[size + k] = x;
      if (x >= n && y >= m) return walkBack(history, n, m);
    }
  }
  return [];
}

function walkBack(history: readonly Int32Array[], n: number, m: number): [number, number][] {
  const pairs: [number, number][] = [];
  let x = n;
  let y = m;
  for (let d = history.length - 1; d >= 0; d--) {
    // front[size + k] of step d is at k + d + 1 of what was kept.
    const at = (k: number) => history[d]![k + d + 1]!;
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const before = down ? k + 1 : k - 1;
    const startX = d === 0 ? 0 : at(before);
    const startY = startX - before;
    const snakeX = d === 0 ? 0 : down ? startX : startX + 1;
    while (x > snakeX && y > 0) pairs.push([--x, --y]);
    x = startX;
    y = d === 0 ? 0 : startY;
  }
  return pairs.reverse();
}

const scoped = ({ kernel, scope, attrs }: TraceOp) =>
  kernel === 'AssignVariable' ? `assign ${String(attrs['variable'])}` : `${scope} ${kernel}`;

const unscoped = ({ kernel, shapes }: TraceOp) => `${kernel} ${shapes[0]?.length ?? ''}`;

/** Adds the pairs that `key` finds between `from` and `to` on each side. */
function pairWithin(
  reference: readonly TraceOp[],
  migrated: readonly TraceOp[],
  alignment: TraceAlignment,
  key: (op: TraceOp) => string,
): void {
  for (const [a, b] of longestCommon(reference.map(key), migrated.map(key))) {
    const r = reference[a]!.index;
    const m = migrated[b]!.index;
    alignment.toMigrated[r] = m;
    alignment.toReference[m] = r;
  }
}

/** Runs of ops without a partner that lie between the same two pairs. */
export function gapsOf(
  reference: readonly TraceOp[],
  migrated: readonly TraceOp[],
  { toMigrated }: Pick<TraceAlignment, 'toMigrated'>,
): { reference: TraceOp[]; migrated: TraceOp[] }[] {
  const gaps: { reference: TraceOp[]; migrated: TraceOp[] }[] = [];
  let next = 0;
  let missing: TraceOp[] = [];
  const close = (until: number) => {
    const extra = migrated.slice(next, until);
    if (missing.length > 0 || extra.length > 0) gaps.push({ reference: missing, migrated: extra });
    missing = [];
    next = until + 1;
  };
  for (const op of reference) {
    const partner = toMigrated[op.index]!;
    if (partner < 0) missing.push(op);
    else close(partner);
  }
  close(migrated.length);
  return gaps;
}

/**
 * Aligns two traces in program order: by scope and kernel; where that leaves ops over on both sides between two pairs,
 * by kernel and rank alone; and an op alone between two pairs with one in the same scope, whatever its kernel.
 */
export function alignTraces(reference: Trace, migrated: Trace): TraceAlignment {
  const alignment = {
    toMigrated: new Int32Array(reference.ops.length).fill(-1),
    toReference: new Int32Array(migrated.ops.length).fill(-1),
  };
  pairWithin(reference.ops, migrated.ops, alignment, scoped);
  for (const gap of gapsOf(reference.ops, migrated.ops, alignment)) {
    // Ops of scopes that both sides know are missing or moved; only in renamed scopes does a kernel alone say enough.
    const scopes = new Set(reference.ops.map(({ scope }) => scope));
    const others = new Set(migrated.ops.map(({ scope }) => scope));
    const left = gap.reference.filter(({ scope }) => !others.has(scope));
    const right = gap.migrated.filter(({ scope }) => !scopes.has(scope));
    pairWithin(left, right, alignment, unscoped);
  }
  for (const { reference: left, migrated: right } of gapsOf(reference.ops, migrated.ops, alignment)) {
    const [a, b] = [left[0], right[0]];
    if (left.length !== 1 || right.length !== 1 || a!.scope !== b!.scope) continue;
    alignment.toMigrated[a!.index] = b!.index;
    alignment.toReference[b!.index] = a!.index;
  }
  return alignment;
}
