import { type CustomGradient, customGradientsOf, type Graph, type Operation } from '@tfparity/graph';
import { nameScope } from '@tfparity/variables';
import type { BackwardNode } from './backprop.js';

/** A call of a function made by `tf.customGrad`: its own gradient, and not those of the ops that it made. */
function customNode({ inputs, output, gradient }: CustomGradient): BackwardNode {
  const { name, outputInfos } = output.op;
  const key = output.op.symbolicId(output.index);
  return {
    inputs: inputs.map(({ op, index }) => op.symbolicId(index)),
    outputs: [{ key, trainable: outputInfos[output.index]!.dtype === 'float32' }],
    backward: ([dy]) => nameScope(`${name}_grad`, () => gradient(dy!)),
  };
}

/** The ops of a graph in order; those that a function with its own gradient made are one, in the place of its output. */
export function nodesOf(graph: Graph, nodeOf: (op: Operation) => BackwardNode): BackwardNode[] {
  const calls = new Map<Operation, CustomGradient>();
  // Outer calls come after inner ones, and are the ones that count.
  for (const call of customGradientsOf(graph)) for (const op of call.operations) calls.set(op, call);
  return graph.operations.flatMap((op) => {
    const call = calls.get(op);
    // What was read there, and constants, other ops may have from there.
    if (call === undefined || !op.isKernel) return [nodeOf(op)];
    return call.output.op === op ? [customNode(call)] : [];
  });
}
