// Of TensorFlow's remapping (core/grappler/optimizers/remapper.cc, 2.21): convolution + bias + activation. Departures:
// products of matrices stay, and the fused ops are TensorFlow.js's kernels, which each backend rounds in its own way.
import type { Operation, OutputRef } from '../operation.js';
import { infoOf } from './constant-values.js';
import { isPure, type Rewriter, type Rule } from './rewrite.js';

/** TensorFlow.js's fused kernels by the kernel that they begin with, and how they take their inputs. */
const FUSED: Readonly<Record<string, { readonly kernel: string; readonly inputNames: readonly string[] }>> = {
  Conv2D: { kernel: 'FusedConv2D', inputNames: ['x', 'filter', 'bias'] },
  DepthwiseConv2dNative: { kernel: 'FusedDepthwiseConv2D', inputNames: ['x', 'filter', 'bias'] },
};
const KERNELS = new Set(Object.values(FUSED).map(({ kernel }) => kernel));
const ACTIVATIONS: Readonly<Record<string, string>> = { Relu: 'relu', Relu6: 'relu6', Elu: 'elu', Sigmoid: 'sigmoid' };

/** A convolution with its bias, and with the activation that follows, becomes one kernel. */
export const remapping: Rule = (op, rewriter) => {
  if (!isPure(op)) return undefined;
  if (op.type === 'Add') return withBias(op, rewriter);
  return ACTIVATIONS[op.type] === undefined ? undefined : withActivation(op, rewriter);
};

function withBias(op: Operation, rewriter: Rewriter): ReturnType<Rule> {
  const [a, b] = op.inputs as readonly [OutputRef, OutputRef];
  for (const [product, bias] of [
    [a, b],
    [b, a],
  ] as const) {
    const start = rewriter.producer(product);
    const fused = start === undefined ? undefined : FUSED[start.type];
    if (start === undefined || fused === undefined || !isAlone(start, product, rewriter)) continue;
    const { dtype, shape } = infoOf(product);
    const isBias = infoOf(bias).shape.length === 1 && infoOf(bias).shape[0] === shape.at(-1);
    if (!isBias || dtype !== 'float32' || infoOf(bias).dtype !== dtype || start.attrs['dataFormat'] === 'NCHW')
      continue;
    const inputs = [
      ...fused.inputNames.slice(0, 2).map((name) => start.inputs[start.inputNames!.indexOf(name)]!),
      bias,
    ];
    const attrs = { ...start.attrs, activation: 'linear' };
    const output = op.outputInfos[0]!;
    return {
      outputs: [rewriter.add(fused.kernel, inputs, { inputNames: fused.inputNames, attrs, output })],
      into: `${fused.kernel} of ${start.name} with its bias`,
    };
  }
  return undefined;
}

function withActivation(op: Operation, rewriter: Rewriter): ReturnType<Rule> {
  const input = op.inputs[0]!;
  const fused = rewriter.producer(input);
  if (fused === undefined || !KERNELS.has(fused.type) || !isAlone(fused, input, rewriter)) return undefined;
  if (fused.attrs['activation'] !== 'linear') return undefined;
  const { inputNames, inputs, type } = fused;
  const attrs = { ...fused.attrs, activation: ACTIVATIONS[op.type] };
  return {
    outputs: [rewriter.add(type, inputs, { inputNames, attrs, output: op.outputInfos[0]! })],
    into: `${type} with ${op.type}`,
  };
}

/** Whether nothing but this use needs the value, so that fusing does not compute it twice. */
function isAlone(op: Operation, output: OutputRef, rewriter: Rewriter): boolean {
  return op.controlInputs.length === 0 && rewriter.users(output) === 1 && isPure(op);
}
