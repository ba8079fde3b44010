import { captureInventory, diffInventories, formatInventoryDiff, type InventoryDiff } from '@tfparity/inventory';
import { goldenRun } from '../golden.js';
import type { Step, StepContext, StepResult } from '../step.js';

const id = '2-inventory';
const title = 'Variable counts, names, shapes and trainability match';

/** How many single differences a diff lists. */
function countDifferences(diff: InventoryDiff): number {
  const lists = [diff.missing, diff.unexpected, diff.shape, diff.dtype, diff.trainable, diff.duplicates, diff.order];
  return lists.reduce((sum, list) => sum + list.length, 0);
}

/** Step 2: both sides have the same variables; and so has TensorFlow's own graph of the net. */
export const inventoryStep: Step = {
  id,
  title,
  run({
    legacy,
    migrated: side,
  }: StepContext): StepResult & { tf1: { count: number }; migrated: { count: number }; differences: InventoryDiff } {
    const { inventory: tf1, legacy: by } = legacy.inventory();
    // Looked at after several calls, so that variables made anew would be counted.
    const { inventory: migrated } = side.repeatedCalls();
    const golden = goldenRun('infer');
    const differences = diffInventories(migrated, tf1, { order: true });
    const againstGolden = golden && diffInventories(tf1, captureInventory(golden.variables), { order: true });
    const lines = [
      `TF1 side${by === 'tensorflow' ? " (slim's own graph)" : ''} ${tf1.entries.length} variables, migrated side ${migrated.entries.length}`,
      differences.same ? 'no differences' : formatInventoryDiff(differences),
      againstGolden === undefined
        ? 'no golden data here to compare with'
        : againstGolden.same
          ? `the same ${golden!.variables.length} as in TensorFlow's own graph, in the same order`
          : formatInventoryDiff(againstGolden),
    ];
    const passed = differences.same && countDifferences(differences) === 0 && againstGolden?.same !== false;
    const counts = { tf1: { count: tf1.entries.length }, migrated: { count: migrated.entries.length } };
    return { id, title, passed, lines, ...counts, differences };
  },
};
