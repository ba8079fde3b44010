import { GraphError } from '../graph-error.js';
import type { NodeDef } from '../import/graph-protos.js';
import { inputTypes, outputTypes } from '../import/node-arguments.js';
import { opSignature } from '../import/op-registry.js';
import { type NodeInput, parseInput, parseTensorName } from '../import/tensor-name.js';

/** A node that a run needs, and where it is computed. */
export interface StagedNode {
  readonly node: NodeDef;
  readonly inputs: readonly NodeInput[];
  /**
   * `stage`: in the function of that number. `outside`: in the graph, because it has state, after the function of that
   * number. `constant`: wherever it is used.
   */
  readonly where: 'stage' | 'outside' | 'constant';
  readonly stage: number;
}

// Control flow of TF1: dead inputs would kill a whole function call.
const CONTROL_FLOW = /^(Ref)?(Switch|Merge|Enter|Exit|NextIteration|LoopCond|ControlTrigger)(V2)?$/;

const RESOURCE = 20;
const VARIANT = 21;

/**
 * The nodes that a run needs, inputs first, each with the function that it belongs to: what has state stays in the graph,
 * and all else goes into as few functions as can be called one after the other.
 *
 * @param fetches  tensors (`op:0`)
 * @param fed  tensors that are given, so that what makes them is not needed
 * @throws {GraphError} `Unavailable` for control flow of TF1, which functions cannot hold
 */
export function stagesOf(
  find: (name: string) => NodeDef | undefined,
  fetches: readonly string[],
  fed: ReadonlySet<string>,
): Map<string, StagedNode> {
  const staged = new Map<string, StagedNode>();
  const needed = (node: NodeDef): NodeInput[] =>
    node.input.map(parseInput).filter(({ op, output, control }) => control || !fed.has(`${op}:${output}`));
  const open: { node: NodeDef; inputs: NodeInput[]; next: number }[] = [];
  const entered = new Set<string>();
  const enter = (name: string): void => {
    if (entered.has(name)) return;
    entered.add(name);
    const node = find(name);
    if (node === undefined) throw new GraphError('NotFound', `the graph has no node '${name}'`, { node: name });
    if (CONTROL_FLOW.test(node.op)) {
      throw new GraphError(
        'Unavailable',
        `'${name}' (${node.op}) is control flow of TF1, which cannot be optimized pass by pass: leave the optimizer on or turn all of it off`,
        { node: name, op: node.op },
      );
    }
    open.push({ node, inputs: needed(node), next: 0 });
  };
  for (const fetch of fetches) {
    if (fed.has(fetch)) continue;
    enter(parseTensorName(fetch).op);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const input = top.inputs[top.next++];
      if (input !== undefined) enter(input.op);
      else staged.set(top.node.name, place(open.pop()!.node, top.inputs, staged));
    }
  }
  return staged;
}

function place(node: NodeDef, inputs: readonly NodeInput[], staged: ReadonlyMap<string, StagedNode>): StagedNode {
  if (node.op === 'Const' && node.input.length === 0) return { node, inputs, where: 'constant', stage: 0 };
  const where = isPure(node) ? 'stage' : 'outside';
  let stage = 0;
  for (const { op } of inputs) {
    const input = staged.get(op)!;
    const after = where === 'stage' && input.where === 'outside' ? input.stage + 1 : input.stage;
    stage = Math.max(stage, after);
  }
  return { node, inputs, where, stage };
}

/** Whether a node computes values from values alone. */
function isPure(node: NodeDef): boolean {
  const signature = opSignature(node.op);
  if (signature === undefined || signature.stateful || /^Placeholder/.test(node.op)) return false;
  if ([...signature.inputs, ...signature.outputs].some((arg) => arg.isRef)) return false;
  if (node.op === 'Const') return false; // with control inputs: it runs something
  return ![...inputTypes(node, signature), ...outputTypes(node, signature)].some(
    (type) => type === RESOURCE || type === VARIANT || type > 100,
  );
}
