import type { Checkpoint, CheckpointEntry } from '@tfparity/checkpoint';
import { objectPath } from './sources.js';

const COUNTER = 'save_counter';

/** The tensors of two checkpoints by names that both may have. */
export interface NamePairs {
  readonly actual: ReadonlyMap<string, CheckpointEntry>;
  /** In the order of the expected checkpoint. */
  readonly expected: readonly { readonly name: string; readonly entry: CheckpointEntry }[];
}

/** By the variables' own names, where each object has one that no other has; else by the paths of the objects. */
export function ownNames(checkpoint: Checkpoint): (entry: CheckpointEntry) => string {
  const counts = new Map<string, number>();
  for (const { fullName } of checkpoint.entries) {
    if (fullName) counts.set(fullName, (counts.get(fullName) ?? 0) + 1);
  }
  return ({ name, fullName }) => (fullName && counts.get(fullName) === 1 ? fullName : objectPath(name));
}

/**
 * Which tensor of one checkpoint answers to which of the other: by name; where one is object-based and the other is not, the
 * objects by their variables' own names. What only objects keep (`save_counter`) is then left out, unless the other has it, too.
 */
export function pairNames(actual: Checkpoint, expected: Checkpoint): NamePairs {
  const mixed = (actual.objectGraph === undefined) !== (expected.objectGraph === undefined);
  const named = (checkpoint: Checkpoint, other: Checkpoint) => {
    const plain = checkpoint.entries.map((entry) => ({ name: entry.name, entry }));
    if (!mixed || checkpoint.objectGraph === undefined) return plain;
    const nameOf = ownNames(checkpoint);
    const own = plain.flatMap(({ entry }) => {
      const name = nameOf(entry);
      return name === COUNTER && !other.has(COUNTER) ? [] : [{ name, entry }];
    });
    return new Set(own.map(({ name }) => name)).size === own.length ? own : plain;
  };
  return {
    actual: new Map(named(actual, expected).map(({ name, entry }) => [name, entry])),
    expected: named(expected, actual),
  };
}
