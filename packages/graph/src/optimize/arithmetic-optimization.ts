// Of TensorFlow's arithmetic optimization (core/grappler/optimizers/arithmetic_optimizer.cc, 2.21):
// HoistCommonFactorOutOfAggregation, AddOpsRewriteStage, ReplaceMulWithSquare, RemoveRedundantReshape,
// RemoveInverseTranspose, RemoveNegation. Departure: sums of sums are joined where all shapes are equal, not else.
import type { Operation, OutputRef } from '../operation.js';
import { infoOf, sameInfo, sameValue } from './constant-values.js';
import { symbol } from './planned-run.js';
import { isPure, type Rewriter, type Rule } from './rewrite.js';

type Found = ReturnType<Rule>;

const BINARY = ['a', 'b'] as const;
const isSum = (op: Operation): boolean => op.type === 'AddN' || op.type === 'Add';

/** Rewrites arithmetic into less of it: equal on paper, rounded elsewhere. */
export const arithmeticOptimization: Rule = (op, rewriter) => {
  if (!isPure(op)) return undefined;
  switch (op.type) {
    case 'AddN':
    case 'Add':
      return hoistedFactor(op, rewriter) ?? negatedOperand(op, rewriter) ?? joinedSums(op, rewriter);
    case 'Multiply':
      return squared(op, rewriter);
    case 'Reshape':
      return joinedReshapes(op, rewriter);
    case 'Transpose':
      return inverseTransposes(op, rewriter);
    default:
      return undefined;
  }
};

interface Product {
  readonly op: Operation;
  readonly factors: readonly [OutputRef, OutputRef];
}

/** AddN(c * x, c * y, …) becomes c * AddN(x, y, …). */
function hoistedFactor(op: Operation, rewriter: Rewriter): Found {
  // A size that is not known yet may be 1 when the run comes, and then the terms are broadcast.
  if (op.inputs.length < 2 || op.dynamic) return undefined;
  const products: Product[] = [];
  for (const ref of op.inputs) {
    const product = rewriter.producer(ref);
    if (product?.type !== 'Multiply' || product.controlInputs.length > 0) return undefined;
    products.push({ op: product, factors: product.inputs as unknown as readonly [OutputRef, OutputRef] });
  }
  for (const common of products[0]!.factors) {
    const rest = products.flatMap(({ factors: [x, y] }) =>
      sameValue(x, common, rewriter) ? y : sameValue(y, common, rewriter) ? x : [],
    );
    if (rest.length !== products.length) continue;
    const info = infoOf(rest[0]!);
    // As before, the product has the shape of the sum only where the common factor adds no axes.
    if (!rest.every((ref) => sameInfo(ref, op.symbolicId())) || info.dtype !== 'float32') continue;
    const inputNames = op.type === 'AddN' ? null : BINARY;
    const sum = rewriter.add(op.type, rest, { inputNames, output: info });
    const output = op.outputInfos[0]!;
    return {
      outputs: [rewriter.add('Multiply', [common, sum], { inputNames: BINARY, output })],
      into: `the common factor ${common.op.name} times the sum of the ${rest.length} others`,
    };
  }
  return undefined;
}

/** x + -y becomes x - y. */
function negatedOperand(op: Operation, rewriter: Rewriter): Found {
  if (op.type !== 'Add') return undefined;
  const [x, y] = op.inputs as readonly [OutputRef, OutputRef];
  for (const [kept, other] of [
    [x, y],
    [y, x],
  ] as const) {
    const negation = rewriter.producer(other);
    if (negation?.type !== 'Neg') continue;
    const difference = rewriter.add('Sub', [kept, negation.inputs[0]!], {
      inputNames: BINARY,
      output: op.outputInfos[0]!,
    });
    return { outputs: [difference], into: 'a difference' };
  }
  return undefined;
}

/** Sums of sums of one shape become one AddN, which adds in another order. */
function joinedSums(op: Operation, rewriter: Rewriter): Found {
  if (op.dynamic) return undefined;
  const terms: OutputRef[] = [];
  let joined = 0;
  for (const ref of op.inputs) {
    const sum = rewriter.producer(ref);
    const absorbs =
      sum !== undefined && isSum(sum) && sum.controlInputs.length === 0 && rewriter.users(ref) === 1 && isPure(sum);
    if (absorbs) joined += 1;
    terms.push(...(absorbs ? sum.inputs : [ref]));
  }
  if (joined === 0 || !terms.every((ref) => sameInfo(ref, op.symbolicId()))) return undefined;
  const output = op.outputInfos[0]!;
  return {
    outputs: [rewriter.add('AddN', terms, { inputNames: null, output })],
    into: `one sum of ${terms.length} terms`,
  };
}

/** x * x becomes Square(x). */
function squared(op: Operation, rewriter: Rewriter): Found {
  const [x, y] = op.inputs as readonly [OutputRef, OutputRef];
  if (symbol(x) !== symbol(y) || infoOf(x).dtype !== 'float32') return undefined;
  const output = op.outputInfos[0]!;
  return { outputs: [rewriter.add('Square', [x], { inputNames: ['x'], output })], into: 'a square' };
}

function joinedReshapes(op: Operation, rewriter: Rewriter): Found {
  const first = rewriter.producer(op.inputs[0]!);
  // With an unknown size, a reshape's attribute is scaled by what its own input grew.
  if (first?.type !== 'Reshape' || first.controlInputs.length > 0 || op.dynamic) return undefined;
  const { inputNames, attrs, outputInfos } = op;
  const reshape = rewriter.add('Reshape', first.inputs, { inputNames, attrs, output: outputInfos[0]! });
  return { outputs: [reshape], into: 'one reshape in the place of two' };
}

function inverseTransposes(op: Operation, rewriter: Rewriter): Found {
  const first = rewriter.producer(op.inputs[0]!);
  if (first?.type !== 'Transpose' || first.controlInputs.length > 0) return undefined;
  const [inner, outer] = [first.attrs['perm'] as number[], op.attrs['perm'] as number[]];
  if (!outer.every((axis, i) => inner[axis] === i)) return undefined;
  return { outputs: [first.inputs[0]!], into: 'the input of the first of two inverse transposes' };
}
