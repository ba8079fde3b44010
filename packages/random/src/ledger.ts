import { sameShape } from '@tfparity/array';
import type { Seed } from './seed-context.js';

/** One taking of a pair of seeds, in a tool's scope. Plain data: it survives JSON (bigint seeds as strings). */
export interface LedgerEntry {
  /** Place in the ledger, from 0. */
  readonly index: number;
  /** TensorFlow's name of the op (`RandomUniform`), or `get_seed` where a pair was taken without a draw (dropout of rate 0). */
  readonly op: string;
  /** null: not known (a recording of a TF1 graph whose static shape is not), or no draw; it is compared with nothing. */
  readonly shape: readonly number[] | null;
  readonly dtype: string | null;
  readonly seed: number | string;
  readonly seed2: number | string;
  /** The variable or layer being made, where whoever makes it said so with `labelDraws`. */
  readonly label: string | null;
  /** The stack frame that asked, outside this package and TensorFlow.js; null where there is none. */
  readonly callSite: string | null;
}

/** Where two ledgers part. `a` or `b` is null past the end of its ledger. */
export interface LedgerDifference {
  readonly index: number;
  /** `extra`: one op more on that side; `order`: the same ops in another order; the rest name the field that differs. */
  readonly kind: 'extra-in-a' | 'extra-in-b' | 'order' | 'op' | 'shape' | 'dtype' | 'seeds';
  readonly a: LedgerEntry | null;
  readonly b: LedgerEntry | null;
  /** The difference in a sentence. */
  readonly message: string;
}

/** A seed as JSON can hold it. */
export function seedForLedger(seed: Seed): number | string {
  return typeof seed === 'bigint' ? String(seed) : seed;
}

const signature = (entry: LedgerEntry) => `${entry.op} [${entry.shape ?? '?'}] ${entry.dtype ?? ''}`;

/** Whether they are the same op, shape and dtype; a shape that one side does not know is any. */
function alike(a: LedgerEntry, b: LedgerEntry): boolean {
  if (a.op !== b.op || a.dtype !== b.dtype) return false;
  return a.shape === null || b.shape === null || sameShape(a.shape, b.shape);
}

const seedsOf = (entry: LedgerEntry) => `(${entry.seed}, ${entry.seed2})`;

function describe(entry: LedgerEntry | null): string {
  if (entry === null) return 'nothing';
  const label = entry.label === null ? '' : ` for ${entry.label}`;
  return `${signature(entry).trim()}${label} with seeds ${seedsOf(entry)}${entry.callSite === null ? '' : ` (${entry.callSite})`}`;
}

/** How far the ledgers agree from these places on, at most `limit` entries. */
function agreement(a: readonly LedgerEntry[], b: readonly LedgerEntry[], i: number, j: number, limit: number): number {
  let n = 0;
  while (n < limit && i + n < a.length && j + n < b.length && alike(a[i + n]!, b[j + n]!)) n++;
  return n;
}

/**
 * How many ops one side has more, before the other's op appears again: the least such number for which what follows
 * agrees for a while. 0: neither explains the difference.
 */
function extraOps(
  a: readonly LedgerEntry[],
  b: readonly LedgerEntry[],
  at: number,
): { side: 'a' | 'b' | null; count: number } {
  const look = 8;
  for (let count = 1; count <= Math.max(a.length, b.length) - at; count++) {
    for (const side of ['a', 'b'] as const) {
      const i = side === 'a' ? at + count : at;
      const j = side === 'b' ? at + count : at;
      if (i > a.length || j > b.length) continue;
      const wanted = Math.min(look, side === 'a' ? b.length - j : a.length - i);
      const left = side === 'a' ? a.length - i : b.length - j;
      if (wanted <= left && agreement(a, b, i, j, wanted) >= wanted) return { side, count };
    }
  }
  return { side: null, count: 0 };
}

function sameMultiset(a: readonly LedgerEntry[], b: readonly LedgerEntry[], from: number): boolean {
  const unknown = [...a, ...b].some(({ shape, dtype }) => shape === null && dtype !== null);
  const named = (entry: LedgerEntry) => signature(unknown ? { ...entry, shape: null } : entry);
  const sorted = (ledger: readonly LedgerEntry[]) => ledger.slice(from).map(named).sort().join('\n');
  // Where shapes count for nothing, two ops that differ in theirs alone are not in another order.
  if (a.length !== b.length || (a[from] && b[from] && named(a[from]) === named(b[from]))) return false;
  return sorted(a) === sorted(b);
}

/**
 * The first place where two ledgers differ, and how: an extra op, another order, another op, shape, dtype or seeds.
 * null: the same draws. Labels and call sites are not compared.
 */
export function diffLedgers(a: readonly LedgerEntry[], b: readonly LedgerEntry[]): LedgerDifference | null {
  const length = Math.max(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a[index] ?? null;
    const right = b[index] ?? null;
    if (left !== null && right !== null && alike(left, right)) {
      if (seedsOf(left) === seedsOf(right)) continue;
      const message = `op ${index}: ${describe(left)} against ${describe(right)}: the same draw from other seeds`;
      return { index, kind: 'seeds', a: left, b: right, message };
    }
    return parting(a, b, index, left, right);
  }
  return null;
}

function parting(
  a: readonly LedgerEntry[],
  b: readonly LedgerEntry[],
  index: number,
  left: LedgerEntry | null,
  right: LedgerEntry | null,
): LedgerDifference {
  const result = (kind: LedgerDifference['kind'], why: string): LedgerDifference => ({
    index,
    kind,
    a: left,
    b: right,
    message: `op ${index}: ${describe(left)} against ${describe(right)}: ${why}`,
  });
  if (sameMultiset(a, b, index)) return result('order', 'the same ops are drawn in another order');
  const { side, count } = extraOps(a, b, index);
  if (side !== null) return result(`extra-in-${side}`, `${side} draws ${count} op${count === 1 ? '' : 's'} more here`);
  if (left?.op !== right?.op) return result('op', 'another op');
  if (left?.dtype === right?.dtype) return result('shape', 'another shape');
  return result('dtype', 'another dtype');
}

const labels: string[] = [];

/**
 * Names the variable or layer whose numbers are drawn until the result is disposed of (or while `body` runs): the
 * ledger's `label`.
 */
export function labelDraws(label: string): Disposable;
export function labelDraws<T>(label: string, body: () => T): T;
export function labelDraws<T>(label: string, body?: () => T): T | Disposable {
  labels.push(label);
  const depth = labels.length;
  const close = { [Symbol.dispose]: () => void (labels.length >= depth && labels.splice(depth - 1)) };
  if (body === undefined) return close;
  try {
    return body();
  } finally {
    close[Symbol.dispose]();
  }
}

/** The innermost label, for the ledger. */
export function currentLabel(): string | null {
  return labels.at(-1) ?? null;
}

/** Frames of this package, of those installed beside it and of TensorFlow.js say nothing about who asked. */
function isMachinery(frame: string): boolean {
  if (/[\\/]@tfparity[\\/]|[\\/]@tensorflow[\\/]|tfjs-[a-z-]+[\\/]src[\\/]|node:internal/.test(frame)) return true;
  const beside = decodeURIComponent(new URL('../../', import.meta.url).pathname);
  const at = frame.indexOf(beside);
  return at >= 0 && /^[^\\/]+[\\/](src|dist)[\\/]/.test(frame.slice(at + beside.length));
}

/** Where outside this project's packages and TensorFlow.js the running code was called from. */
export function callSite(): string | null {
  // tidy, op scopes and initializers alone are more than the ten frames that V8 keeps.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 60;
  const stack = new Error().stack?.split('\n').slice(1) ?? [];
  Error.stackTraceLimit = stackTraceLimit;
  const frame = stack.find((line) => /^\s+at |@/.test(line) && !isMachinery(line));
  return frame?.trim().replace(/^at /, '') ?? null;
}
