import { opSignature } from '../import/op-registry.js';
import type { CapturedNode, CapturedRef, KernelCapture } from './kernel-capture.js';

const RESOURCE = 20;
const PLUMBING = new Set(['VarHandleOp', 'AssignVariableOp', 'ReadVariableOp']);

/** A kernel that gives new values for those of variables, by an op of TensorFlow's that changes variables in place. */
export interface InPlaceUpdate {
  /** The op, by its place among the captured nodes. */
  readonly apply: number;
  /** For each input of the op that is a variable: the kernel's input that holds the variable's value. */
  readonly variables: ReadonlyMap<number, number>;
  /** For each output of the kernel: which input holds the variable's value before. */
  readonly outputs: readonly number[];
  /** The captured nodes that the op needs beside the variables, in order. */
  readonly needed: readonly number[];
}

const isResource = ({ op }: CapturedNode, input: number): boolean => opSignature(op)?.inputs[input]?.type === RESOURCE;

/** What stands for a scratch variable. */
function scratchOf(ref: CapturedRef | undefined): string | undefined {
  if (ref === undefined || 'input' in ref) return undefined;
  return 'scratch' in ref ? `scratch ${ref.scratch}` : `node ${ref.node}`;
}

/**
 * How a captured kernel updates variables: it puts inputs into scratch variables, runs one op on those, and reads them
 * back. Undefined for any other kernel.
 */
export function inPlaceUpdate({ nodes, outputs }: KernelCapture): InPlaceUpdate | undefined {
  const held = new Map<string, number>();
  for (const { op, inputs } of nodes) {
    const [scratch, value] = [scratchOf(inputs[0]), inputs[1]];
    if (op !== 'AssignVariableOp' || scratch === undefined || held.has(scratch)) continue;
    if (value !== undefined && 'input' in value) held.set(scratch, value.input);
  }
  const updating = nodes.flatMap((node, i) =>
    !PLUMBING.has(node.op) && node.inputs.some((_, input) => isResource(node, input)) ? [i] : [],
  );
  if (held.size === 0 || updating.length !== 1) return undefined;
  const apply = updating[0]!;
  const variables = new Map<number, number>();
  for (const [input, ref] of nodes[apply]!.inputs.entries()) {
    const value = isResource(nodes[apply]!, input) ? held.get(scratchOf(ref) ?? '') : undefined;
    if (value !== undefined) variables.set(input, value);
    else if (isResource(nodes[apply]!, input)) return undefined;
  }
  const results = outputs.map((ref) => {
    const read = 'node' in ref ? nodes[ref.node] : undefined;
    return read?.op === 'ReadVariableOp' ? held.get(scratchOf(read.inputs[0]) ?? '') : undefined;
  });
  if (results.some((input) => input === undefined)) return undefined;
  return { apply, variables, outputs: results as number[], needed: neededBy(nodes, apply, variables) };
}

function neededBy(nodes: readonly CapturedNode[], apply: number, variables: ReadonlyMap<number, number>): number[] {
  const needed = new Set<number>();
  const queue = nodes[apply]!.inputs.filter((_, input) => !variables.has(input));
  for (let ref = queue.shift(); ref !== undefined; ref = queue.shift()) {
    if (!('node' in ref) || needed.has(ref.node)) continue;
    needed.add(ref.node);
    queue.push(...nodes[ref.node]!.inputs);
  }
  return [...needed].sort((a, b) => a - b);
}
