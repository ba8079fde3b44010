// CanonicalizeNode of TensorFlow's graph optimizer (core/grappler/optimizers/common_subgraph_elimination.cc, 2.21).
import type { OutputRef } from '../operation.js';
import { isPure, type Rule } from './rewrite.js';

/** An input as a NodeDef has it: the op's name, and the index of the output where that is not the first. */
function inputName({ op, index }: OutputRef): string {
  return index === 0 ? op.name : `${op.name}:${index}`;
}

/**
 * Adds the terms of an AddN in the order of their names, as TensorFlow does: of the commutative ops it is the one whose
 * result depends on the order, as soon as it has more than two inputs.
 */
export const canonicalInputOrder: Rule = (op, rewriter) => {
  if (op.type !== 'AddN' || op.inputs.length < 3 || !isPure(op)) return undefined;
  // Names are ASCII, whose order is the same by bytes (as C++ compares) and by UTF-16 units.
  const sorted = [...op.inputs].sort((a, b) => (inputName(a) < inputName(b) ? -1 : 1));
  if (sorted.every((ref, i) => ref === op.inputs[i])) return undefined;
  const sum = rewriter.add('AddN', sorted, { inputNames: op.inputNames, output: op.outputInfos[0]! });
  return { outputs: [sum], into: `the sum of its ${sorted.length} terms in the order of their names` };
};
