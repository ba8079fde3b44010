import type { Checkpoint, LayerWeight } from '@tfparity/checkpoint';
import { CliError } from './cli-error.js';
import { objectPath } from './sources.js';

/** Optimizer slots and the counter of an object-based checkpoint, which its writer makes anew: no variables of the objects. */
const BOOKKEEPING = /\/\.OPTIMIZER_SLOT\/|^save_counter(\/|$)/;

/** A tree of objects whose leaves are read when they are written. */
export type Objects = Map<string, Objects | LayerWeight>;

/** A part of an object's path as the object is called: TensorFlow escapes what would read as a separator. */
const unescaped = (word: string): string => word.replace(/\.([S.])/g, (_, code) => (code === 'S' ? '/' : '.'));

function conflict(checkpoint: Checkpoint, name: string): CliError {
  const why = 'is both a tensor and the beginning of other names; rename one of them (--rename)';
  return new CliError('Usage', `${checkpoint.location}: ${name} ${why}`);
}

/**
 * The tree of objects that names stand for: `a/b/kernel` is the `kernel` of the `b` of `a`. Maps, since a stranger's tensor may be
 * called `__proto__`.
 *
 * @param fullNames  the variables' own names, by the names in this checkpoint
 * @param escaped  whether names are paths of objects, as TensorFlow writes them
 */
export function objectTree(checkpoint: Checkpoint, fullNames: ReadonlyMap<string, string>, escaped: boolean): Objects {
  const root: Objects = new Map();
  for (const { name } of checkpoint.entries) {
    if (BOOKKEEPING.test(name)) continue;
    const path = objectPath(name)
      .split('/')
      .map(escaped ? unescaped : (word) => word);
    const last = path.pop()!;
    let node = root;
    for (const word of path) {
      const next = node.get(word) ?? new Map();
      if (!(next instanceof Map)) throw conflict(checkpoint, name);
      node.set(word, next);
      node = next;
    }
    if (node.has(last)) throw conflict(checkpoint, name);
    node.set(last, { name: fullNames.get(name) ?? '', read: () => checkpoint.get(name) });
  }
  return root;
}
