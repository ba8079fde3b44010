import type { Operation } from '../operation.js';
import type { CapturedNode } from './kernel-capture.js';

const FLOAT = 1;

/**
 * The node as TensorFlow's layers have it: the sum of a tensor and a variable over its last axis is a `BiasAdd`.
 *
 * The values are the same, but TensorFlow's graph optimizer takes trees of `Add` apart and adds in another order, a
 * block's bias to what goes round the block before the block's own output, and leaves a `BiasAdd` where it is.
 */
export function asBiasAdd(op: Operation, node: CapturedNode): CapturedNode {
  if (op.type !== 'Add' || (node.op !== 'Add' && node.op !== 'AddV2') || op.inputs.length !== 2) return node;
  const [value, bias] = op.inputs.map((ref) => ref.op.outputInfos[ref.index]!);
  const taken = node.inputs.every((ref, i) => 'input' in ref && ref.input === i);
  if (!taken || op.inputs[1]!.op.type !== 'ReadVariableOp' || node.inputTypes[0] !== FLOAT) return node;
  if (bias!.shape.length !== 1 || value!.shape.length < 2 || value!.shape.at(-1) !== bias!.shape[0]) return node;
  // The other attributes are as TensorFlow has them where none is said: the channels last, the type from the inputs.
  return { ...node, op: 'BiasAdd', attributes: [] };
}
