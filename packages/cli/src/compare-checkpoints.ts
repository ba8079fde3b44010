import { DTYPES, type NumericData, sameShape, sizeOf } from '@tfparity/array';
import type { Checkpoint, CheckpointEntry, TensorPiece } from '@tfparity/checkpoint';
import type { ArrayComparison, CompareOptions, TreeComparison, TreeItem } from '@tfparity/numerics';
import { pairNames } from './pair-names.js';
import type { WhereItDiffers } from './report/heat-figure.js';
import { whereItDiffers } from './where-it-differs.js';

/** Differing arrays of which it is noted where they differ. */
const MAPPED = 12;
/** Tensors of more elements than this are compared in pieces: whole, the two would take memory as they are large. */
const WHOLE = 2 ** 22;

/** A compared array, with where it differs if it does. */
export type ComparedItem = TreeItem & { readonly where?: WhereItDiffers };

/** What `compare` and `diff --values` return: as `compareTrees`, made one tensor at a time. */
export type StreamedComparison = Omit<TreeComparison, 'items'> & { readonly items: readonly ComparedItem[] };

/** How two checkpoints are compared. */
export interface StreamOptions extends CompareOptions {
  readonly filter?: (name: string) => boolean;
  readonly progress?: (message: string) => void;
}

type Values = Pick<TensorPiece, 'data'>;

/** The next pieces of two tensors, cut so that both have as many elements. */
async function* piecesOfBoth(
  actual: AsyncIterable<TensorPiece>,
  expected: AsyncIterable<TensorPiece>,
  lanes: readonly [number, number],
): AsyncGenerator<readonly [NumericData, NumericData]> {
  const sides = [actual[Symbol.asyncIterator](), expected[Symbol.asyncIterator]()] as const;
  const rest: [NumericData | undefined, NumericData | undefined] = [undefined, undefined];
  try {
    for (;;) {
      for (const i of [0, 1] as const) {
        if (rest[i] !== undefined && rest[i].length > 0) continue;
        const next: IteratorResult<Values, unknown> = await sides[i].next();
        rest[i] = next.done ? undefined : next.value.data;
      }
      const [a, e] = rest;
      if (a === undefined || e === undefined) {
        // The side that is not at its end yet verifies its checksum there.
        for (const side of sides) for (let next = await side.next(); !next.done; next = await side.next());
        return;
      }
      const count = Math.min(a.length / lanes[0], e.length / lanes[1]);
      yield [a.subarray(0, count * lanes[0]) as NumericData, e.subarray(0, count * lanes[1]) as NumericData];
      rest[0] = a.subarray(count * lanes[0]) as NumericData;
      rest[1] = e.subarray(count * lanes[1]) as NumericData;
    }
  } finally {
    for (const side of sides) await side.return?.(undefined);
  }
}

async function compareInPieces(
  [actual, a]: readonly [Checkpoint, CheckpointEntry],
  [expected, e]: readonly [Checkpoint, CheckpointEntry],
  tolerance: CompareOptions,
): Promise<ArrayComparison> {
  const { ArrayComparator } = await import('@tfparity/numerics');
  const comparator = new ArrayComparator(a, e, tolerance);
  const lanes = [DTYPES[a.dtype].lanes, DTYPES[e.dtype].lanes] as const;
  const both = piecesOfBoth(actual.pieces(a.name), expected.pieces(e.name), lanes);
  for await (const [left, right] of both) comparator.push(left, right);
  return comparator.result();
}

/** Compares one tensor of each side: in pieces where it is large, else whole, with more evidence. */
async function compareOne(
  name: string,
  actual: readonly [Checkpoint, CheckpointEntry],
  expected: readonly [Checkpoint, CheckpointEntry],
  tolerance: CompareOptions,
  map: boolean,
): Promise<ComparedItem> {
  const [[left, a], [right, e]] = [actual, expected];
  const numeric = a.dtype !== 'string' && e.dtype !== 'string';
  if (numeric && sameShape(a.shape, e.shape) && sizeOf(e.shape) > WHOLE) {
    const comparison = await compareInPieces(actual, expected, tolerance);
    const message = comparison.differences.map((difference) => difference.message).join('; ');
    return { name, path: [name], status: 'compared', passed: comparison.passed, message, comparison };
  }
  const { compareTrees } = await import('@tfparity/numerics');
  const [x, y] = [await left.get(a.name), await right.get(e.name)];
  const [item] = compareTrees({ [name]: x }, { [name]: y }, tolerance).items;
  const where = item!.comparison?.bitIdentical === false && map ? whereItDiffers(x, y) : undefined;
  return where ? { ...item!, where } : item!;
}

/** What one side lists and nobody can read: it may be the same or not, which is no comparison that passed. */
function unreadableItems(side: Checkpoint, filter: (name: string) => boolean): ComparedItem[] {
  return side.unreadable
    .filter(({ name }) => filter(name))
    .map(({ name, dtype }) => {
      const message = `tensors of ${dtype} are not read here, so that nothing is known of it`;
      return { name, path: [name], status: 'kind', passed: false, message };
    });
}

/**
 * Compares two checkpoints tensor by tensor, holding at most some megabytes of each in memory, in the expected one's order. A
 * tensor that one side lacks fails.
 */
export async function compareCheckpoints(
  actual: Checkpoint,
  expected: Checkpoint,
  { filter = () => true, progress, ...tolerance }: StreamOptions,
): Promise<StreamedComparison> {
  const pairs = pairNames(actual, expected);
  const items: ComparedItem[] = [];
  let mapped = 0;
  const wanted = pairs.expected.filter(({ name }) => filter(name));
  for (const [i, { name, entry }] of wanted.entries()) {
    progress?.(`${i + 1} of ${wanted.length}: ${name}`);
    const other = pairs.actual.get(name);
    if (!other) {
      items.push({ name, path: [name], status: 'missing', passed: false, message: 'expected, but not there' });
      continue;
    }
    const item = await compareOne(name, [actual, other], [expected, entry], tolerance, mapped < MAPPED);
    if (item.where) mapped++;
    items.push(item);
  }
  const known = new Set(pairs.expected.map(({ name }) => name));
  for (const name of pairs.actual.keys()) {
    if (!filter(name) || known.has(name)) continue;
    items.push({ name, path: [name], status: 'extra', passed: false, message: 'there, but not expected' });
  }
  items.push(...unreadableItems(expected, filter), ...unreadableItems(actual, filter));
  return summary(items);
}

function summary(items: readonly ComparedItem[]): StreamedComparison {
  const count = (status: TreeItem['status']): number => items.filter((item) => item.status === status).length;
  const failed = items.filter((item) => !item.passed);
  return {
    passed: failed.length === 0,
    bitIdentical: items.every((item) => item.passed && (item.comparison?.bitIdentical ?? true)),
    counts: { compared: count('compared'), failed: failed.length, missing: count('missing'), extra: count('extra') },
    firstDivergence: failed[0]?.name ?? null,
    items,
  };
}
