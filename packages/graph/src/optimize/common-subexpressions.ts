// As the deduplication of TensorFlow's graph optimizer (core/grappler/optimizers/common_subgraph_elimination.cc, 2.21).
import { exactKey } from '../exact-key.js';
import type { Operation, OutputRef } from '../operation.js';
import { symbol } from './planned-run.js';
import { isPure, type Rewriter, type Rule } from './rewrite.js';

/** Longer constants are not compared. */
const MAX_VALUES = 4096;

/** Computes equal ops on equal inputs once. Moves no bit: a kernel gives the same for the same. */
export function commonSubexpressions(): Rule {
  const seen = new Map<string, Operation>();
  const numbers = new Map<OutputRef, number>();
  const numberOf = (ref: OutputRef): number => {
    const known = numbers.get(symbol(ref));
    if (known !== undefined) return known;
    numbers.set(symbol(ref), numbers.size);
    return numbers.size - 1;
  };
  return (op, rewriter) => {
    if (!isShared(op, rewriter)) return undefined;
    const inputs = op.inputs.map(numberOf);
    const key = exactKey([op.type, op.inputNames, inputs, op.attrs, op.outputInfos]);
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, op);
      return undefined;
    }
    return { outputs: op.outputInfos.map((_, i) => first.symbolicId(i)), into: `the same as ${first.name}` };
  };
}

function isShared(op: Operation, rewriter: Rewriter): boolean {
  if (op.type === 'Const') return (op.attrs['value'] as ArrayLike<unknown>).length <= MAX_VALUES;
  // Reads on both sides of an assignment differ.
  if (op.type === 'ReadVariableOp') return !rewriter.assigns(op.inputs[0]!.op);
  return isPure(op);
}
