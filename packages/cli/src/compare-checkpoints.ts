import type { Checkpoint } from '@tfparity/checkpoint';
import type { CompareOptions, TreeComparison, TreeItem } from '@tfparity/numerics';
import type { WhereItDiffers } from './report/heat-figure.js';
import { whereItDiffers } from './where-it-differs.js';

/** Differing arrays of which it is noted where they differ. */
const MAPPED = 12;

/** A compared array, with where it differs if it does. */
export type ComparedItem = TreeItem & { readonly where?: WhereItDiffers };

/** What `compare` and `diff --values` return: as `compareTrees`, made one tensor at a time. */
export type StreamedComparison = Omit<TreeComparison, 'items'> & { readonly items: readonly ComparedItem[] };

/** How two checkpoints are compared. */
export interface StreamOptions extends CompareOptions {
  readonly filter?: (name: string) => boolean;
  readonly progress?: (message: string) => void;
}

/**
 * Compares two checkpoints tensor by tensor, holding one of each in memory, in the expected one's order. A tensor that one
 * side lacks fails.
 */
export async function compareCheckpoints(
  actual: Checkpoint,
  expected: Checkpoint,
  { filter = () => true, progress, ...tolerance }: StreamOptions,
): Promise<StreamedComparison> {
  const { compareTrees } = await import('@tfparity/numerics');
  const items: ComparedItem[] = [];
  let mapped = 0;
  const wanted = expected.entries.filter(({ name }) => filter(name));
  for (const [i, { name }] of wanted.entries()) {
    progress?.(`${i + 1} of ${wanted.length}: ${name}`);
    if (!actual.has(name)) {
      items.push({ name, path: [name], status: 'missing', passed: false, message: 'expected, but not there' });
      continue;
    }
    const [a, e] = [await actual.get(name), await expected.get(name)];
    const [item] = compareTrees({ [name]: a }, { [name]: e }, tolerance).items;
    const where = item!.comparison?.bitIdentical === false && mapped < MAPPED ? whereItDiffers(a, e) : undefined;
    if (where) mapped++;
    items.push(where ? { ...item!, where } : item!);
  }
  for (const { name } of actual.entries) {
    if (!filter(name) || expected.has(name)) continue;
    items.push({ name, path: [name], status: 'extra', passed: false, message: 'there, but not expected' });
  }
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
