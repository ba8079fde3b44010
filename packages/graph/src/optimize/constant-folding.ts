// Of TensorFlow's constant folding (core/grappler/optimizers/constant_folding.cc, 2.21): evaluation of constants,
// division by a constant, neutral operands, and pushing constants down. Departure: ops' own kernels do the evaluation.
import type { Operation, OutputRef } from '../operation.js';
import { floatConstant, infoOf, sameInfo } from './constant-values.js';
import { isPure, type Rewriter, type Rule } from './rewrite.js';

/** Runs an op's kernel on the values of its inputs; undefined where that cannot be done while a run is planned. */
export type Evaluate = (op: Operation) => readonly ArrayLike<unknown>[] | undefined;

/** Larger results are kept as ops, unless their inputs are as large (constant_folding.cc, kMaxConstantSize). */
const MAX_BYTES = 100 * 1024;

const BINARY = ['a', 'b'] as const;
const FOLDED = new Set(['float32', 'int32', 'bool']);
const bytesOf = (ref: OutputRef): number => infoOf(ref).shape.reduce((size, axis) => size * axis, 4);

/** Folds what depends on constants alone, and simplifies arithmetic with constants as Grappler does. */
export function constantFolding(evaluate: Evaluate): Rule {
  return (op, rewriter) => {
    if (!isPure(op) || op.outputInfos.some(({ dtype }) => !FOLDED.has(dtype))) return undefined;
    return (
      evaluated(op, rewriter, evaluate) ?? neutral(op, rewriter) ?? reciprocal(op, rewriter) ?? pushed(op, rewriter)
    );
  };
}

type Found = ReturnType<Rule>;

function evaluated(op: Operation, rewriter: Rewriter, evaluate: Evaluate): Found {
  if (op.dynamic || op.inputs.some((ref) => rewriter.producer(ref)?.type !== 'Const')) return undefined;
  const largest = Math.max(MAX_BYTES, ...op.inputs.map(bytesOf));
  if (op.outputInfos.some((_, i) => bytesOf(op.symbolicId(i)) > largest)) return undefined;
  const values = evaluate(op);
  if (values === undefined) return undefined;
  const outputs = values.map((value, i) => rewriter.constant(value, op.outputInfos[i]!));
  return { outputs, into: 'a constant' };
}

/** x + 0, x - 0, x * 1, x / 1 (SimplifyArithmeticOperations). */
function neutral(op: Operation, rewriter: Rewriter): Found {
  const [x, y] = op.inputs;
  if (x === undefined || y === undefined || op.inputs.length !== 2) return undefined;
  const keeps = (kept: OutputRef, other: OutputRef, value: number): Found => {
    const values = floatConstant(other, rewriter);
    if (values === undefined || !sameInfo(kept, op.symbolicId()) || (op.dynamic && values.length !== 1))
      return undefined;
    return values.every((v) => v === value)
      ? { outputs: [kept], into: 'its input: the other one changes nothing' }
      : undefined;
  };
  switch (op.type) {
    case 'Add':
      return keeps(x, y, 0) ?? keeps(y, x, 0);
    case 'Sub':
      return keeps(x, y, 0);
    case 'Multiply':
      return keeps(x, y, 1) ?? keeps(y, x, 1);
    case 'RealDiv':
      return keeps(x, y, 1);
    default:
      return undefined;
  }
}

/** x / c becomes x * (1 / c) (ReduceDivToReciprocalMul). */
function reciprocal(op: Operation, rewriter: Rewriter): Found {
  const [x, y] = op.inputs;
  const values = op.type === 'RealDiv' && y !== undefined ? floatConstant(y, rewriter) : undefined;
  if (values === undefined || infoOf(x!).dtype !== 'float32') return undefined;
  const inverse = rewriter.constant(
    Float32Array.from(values, (v) => 1 / v),
    infoOf(y!),
  );
  const output = op.outputInfos[0]!;
  return {
    outputs: [rewriter.add('Multiply', [x!, inverse], { inputNames: BINARY, output })],
    into: 'a product with the reciprocal',
  };
}

/** c1 * (c2 * x) becomes (c1 * c2) * x, and the same for sums (ConstantPushDown). */
function pushed(op: Operation, rewriter: Rewriter): Found {
  if (op.type !== 'Multiply' && op.type !== 'Add') return undefined;
  const outer = constantAndOther(op, rewriter);
  const inner = outer && rewriter.producer(outer.other);
  if (inner?.type !== op.type || inner.controlInputs.length > 0 || rewriter.users(outer!.other) !== 1) return undefined;
  const nested = constantAndOther(inner, rewriter);
  // Constants of one element keep the shapes that the other operands give.
  if (nested === undefined || outer!.values.length !== 1 || nested.values.length !== 1) return undefined;
  if (!sameInfo(nested.other, op.symbolicId())) return undefined;
  const [a, b] = [outer!.values[0]!, nested.values[0]!];
  const both = rewriter.constant(Float32Array.of(op.type === 'Add' ? a + b : a * b), { dtype: 'float32', shape: [] });
  return {
    outputs: [rewriter.add(op.type, [both, nested.other], { inputNames: BINARY, output: op.outputInfos[0]! })],
    into: 'one op with both constants in one',
  };
}

interface ConstantAndOther {
  readonly values: Float32Array;
  readonly other: OutputRef;
}

function constantAndOther(op: Operation, rewriter: Rewriter): ConstantAndOther | undefined {
  const [x, y] = op.inputs as readonly [OutputRef, OutputRef];
  for (const [constant, other] of [
    [x, y],
    [y, x],
  ] as const) {
    const values = floatConstant(constant, rewriter);
    if (values !== undefined && floatConstant(other, rewriter) === undefined && infoOf(other).dtype === 'float32') {
      return { values, other };
    }
  }
  return undefined;
}
