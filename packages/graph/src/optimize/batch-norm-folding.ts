// Batch norm in inference after a convolution: the factor goes into the filter (core/grappler/optimizers/remapper.cc
// and constant_folding.cc, 2.21, do it where the weights are constants; departure: also where they are variables).
import type { Operation, OutputRef } from '../operation.js';
import { infoOf } from './constant-values.js';
import { isPure, type Rewriter, type Rule } from './rewrite.js';

const BINARY = ['a', 'b'] as const;

/** conv(x, w) with batch norm becomes conv(x, w * m) + (offset - mean * m), m = scale / sqrt(variance + epsilon). */
export const batchNormFolding: Rule = (op, rewriter) => {
  const epsilon = inferenceEpsilon(op);
  if (epsilon === undefined) return undefined;
  const input = (name: string): OutputRef => op.inputs[op.inputNames!.indexOf(name)]!;
  const conv = rewriter.producer(input('x'));
  if (conv?.type !== 'Conv2D' || conv.controlInputs.length > 0 || conv.attrs['dataFormat'] === 'NCHW') return undefined;
  // The other outputs of FusedBatchNormV3 have no counterpart, and a convolution that others use would run twice.
  if (rewriter.users(input('x')) !== 1 || op.outputInfos.some((_, i) => i > 0 && isUsed(op, i, rewriter))) {
    return undefined;
  }
  const [image, filter] = ['x', 'filter'].map((name) => conv.inputs[conv.inputNames!.indexOf(name)]!);
  const weights = ['scale', 'offset', 'mean', 'variance'].map(input);
  const channels = infoOf(filter!).shape[3];
  if (![filter!, ...weights].every((ref) => isWeight(ref, rewriter))) return undefined;
  if (!weights.every((ref) => infoOf(ref).shape.length === 1 && infoOf(ref).shape[0] === channels)) return undefined;
  const [scale, offset, mean, variance] = weights as [OutputRef, OutputRef, OutputRef, OutputRef];
  const output = infoOf(scale);
  const binary = (type: string, a: OutputRef, b: OutputRef, info = output): OutputRef =>
    rewriter.add(type, [a, b], { inputNames: BINARY, output: info });
  const constant = rewriter.constant(Float32Array.of(epsilon), { dtype: 'float32', shape: [] });
  const inverse = rewriter.add('Rsqrt', [binary('Add', variance, constant)], { inputNames: ['x'], output });
  const factor = binary('Multiply', scale, inverse);
  const folded = binary('Multiply', filter!, factor, infoOf(filter!));
  const shift = binary('Sub', offset, binary('Multiply', mean, factor));
  const { attrs, outputInfos } = conv;
  const convolved = rewriter.add('Conv2D', [image!, folded], {
    inputNames: ['x', 'filter'],
    attrs,
    output: outputInfos[0]!,
  });
  const result = binary('Add', convolved, shift, op.outputInfos[0]!);
  return {
    outputs: op.outputInfos.map(() => result),
    into: `${conv.name} with the factor in its filter, plus a shift`,
  };
};

function inferenceEpsilon(op: Operation): number | undefined {
  if (!isPure(op)) return undefined;
  if (op.type === 'FusedBatchNorm') return (op.attrs['varianceEpsilon'] as number | undefined) ?? 0.001;
  return op.type === 'FusedBatchNormV3' && op.attrs['isTraining'] === false
    ? (op.attrs['epsilon'] as number)
    : undefined;
}

const isUsed = (op: Operation, index: number, rewriter: Rewriter): boolean => rewriter.users(op.symbolicId(index)) > 0;

/** A constant, a variable that the run does not change, or a value that is fed (so are a graph function's variables). */
function isWeight(ref: OutputRef, rewriter: Rewriter): boolean {
  const op = rewriter.producer(ref);
  if (infoOf(ref).dtype !== 'float32') return false;
  if (op === undefined) return true;
  if (op.controlInputs.length > 0) return false;
  return op.type === 'Const' || (op.type === 'ReadVariableOp' && !rewriter.assigns(op.inputs[0]!.op));
}
