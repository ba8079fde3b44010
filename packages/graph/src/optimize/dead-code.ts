// As TensorFlow's model pruning (core/grappler/optimizers/model_pruner.cc, 2.21): ops that hand on their input.
import type { Operation } from '../operation.js';
import { sameInfo } from './constant-values.js';
import type { Rule } from './rewrite.js';

const NOTHING = new Set(['Identity', 'Cast', 'Reshape', 'Transpose', 'PlaceholderWithDefault']);

/** Leaves out ops that compute nothing: identities, casts and reshapes to what is there already, unfed defaults. */
export const deadCode: Rule = (op, rewriter) => {
  const input = op.inputs[0];
  if (input === undefined || !NOTHING.has(op.type) || !handsOn(op)) return undefined;
  // A read of a variable that the run assigns to is a copy; the value itself is not.
  return rewriter.producer(input)?.type === 'VarHandleOp' ? undefined : { outputs: [input], into: 'its input' };
};

function handsOn(op: Operation): boolean {
  if (!sameInfo(op.inputs[0]!, op.symbolicId())) return false;
  if (op.type === 'Transpose') return (op.attrs['perm'] as number[]).every((axis, i) => axis === i);
  return op.type !== 'Reshape' || !op.dynamic;
}
