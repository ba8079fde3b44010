import { formatShape } from '@tfparity/array';
import { plural } from './report/number-text.js';
import { bytesText, columns } from './terminal.js';

/** A tensor as a tree shows it. */
export interface TreeTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes?: number;
  /** What stands at the end of its line. */
  readonly note?: string;
}

interface Branch {
  readonly children: Map<string, Branch>;
  tensor?: TreeTensor;
  count: number;
  bytes: number;
}

const empty = (): Branch => ({ children: new Map(), count: 0, bytes: 0 });

function build(tensors: readonly TreeTensor[]): Branch {
  const root = empty();
  for (const tensor of tensors) {
    let branch = root;
    for (const word of tensor.name.split('/')) {
      branch.count++;
      branch.bytes += tensor.bytes ?? 0;
      const next = branch.children.get(word) ?? empty();
      branch.children.set(word, next);
      branch = next;
    }
    branch.tensor = tensor;
    branch.count++;
    branch.bytes += tensor.bytes ?? 0;
  }
  return root;
}

const size = (bytes: number): string => (bytes > 0 ? bytesText(bytes) : '');

function rows(branch: Branch, depth: number, indent: string): string[][] {
  return [...branch.children].flatMap(([word, child]) => {
    const { tensor } = child;
    const own = tensor
      ? [[`${indent}${word}`, tensor.dtype, formatShape(tensor.shape), size(tensor.bytes ?? 0), tensor.note ?? '']]
      : [];
    if (child.children.size === 0) return own;
    // A chain of single branches is one line: a/b/c.
    let path = `${word}/`;
    let last = child;
    while (last.children.size === 1 && last.tensor === undefined) {
      const [[name, only]] = [...last.children] as [[string, Branch]];
      if (only.children.size === 0) break;
      path += `${name}/`;
      last = only;
    }
    const head = [`${indent}${path}`, plural(last.count, 'tensor'), '', size(last.bytes), ''];
    return depth <= 1 ? [...own, head] : [...own, head, ...rows(last, depth - 1, `${indent}  `)];
  });
}

/**
 * The tensors as a tree of their names' parts, as deep as fits into `room` lines: below that, a branch is one line with the
 * count and size of what it holds.
 */
export function treeLines(tensors: readonly TreeTensor[], room: number): string[] {
  const root = build(tensors);
  let best = rows(root, 1, '  ');
  for (let depth = 2; depth < 40; depth++) {
    const deeper = rows(root, depth, '  ');
    if (deeper.length > room || deeper.length === best.length) break;
    best = deeper;
  }
  return columns(best, [3]);
}
